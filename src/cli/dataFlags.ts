/** Flags that say how a data file is read, as several commands have them. */
import type { Duplicates } from '../data/observations.js';
import { HadamardError } from '../errors.js';
import { checkFormat } from '../formats/formatOf.js';
import { checkOption } from '../options.js';
import type { Side } from '../parallel/layout.js';
import { didYouMean } from '../suggest.js';
import { columnNames } from './flags.js';
import type { DataRequest, WeightKind } from './problem.js';

export interface DataFlags {
  readonly weights?: string;
  readonly weightsAre?: string;
  readonly columns?: string;
  readonly table?: true;
  readonly format?: string;
  readonly sql?: string;
}

/** @throws HadamardError `ambiguous-weights`, `invalid-option` */
export function dataRequestOf(path: string, flags: DataFlags): DataRequest {
  return {
    path,
    sql: flags.sql,
    format: checkFormat(flags.format),
    weights: flags.weights,
    weightsAre: weightKindOf(flags),
    columns: columnNames(flags.columns),
    table: flags.table === true,
  };
}

/** Undefined: as in the fit. @throws HadamardError `invalid-option` */
export function duplicatesOf(given: string | undefined): Duplicates | undefined {
  if (given !== undefined) checkOption('duplicates', given);
  return given as Duplicates | undefined;
}

const kinds: Readonly<Record<string, WeightKind>> = {
  weight: 'weight',
  'sqrt-weight': 'sqrtWeight',
  sqrt: 'sqrtWeight',
  sigma: 'sigma',
};

/** @throws HadamardError `ambiguous-weights`, `invalid-option` */
function weightKindOf({ weights, weightsAre }: Pick<DataFlags, 'weights' | 'weightsAre'>): WeightKind | undefined {
  const rule = 'The objective is Σ W²(A − u·v)²; a weight is W² (weight), W (sqrt-weight) or 1/W (sigma).';
  if (weightsAre === undefined) {
    if (weights === undefined) return undefined;
    throw new HadamardError({
      code: 'ambiguous-weights',
      what: `${weights} does not say what its weights are.`,
      position: { option: 'weightsAre', file: weights },
      rule,
      remedy: 'Add --weights-are weight, --weights-are sqrt-weight or --weights-are sigma.',
    });
  }
  const kind = kinds[weightsAre];
  if (kind !== undefined) return kind;
  throw new HadamardError({
    code: 'invalid-option',
    what: `weightsAre is "${weightsAre}".`,
    position: { option: 'weightsAre' },
    rule: `weightsAre is one of ${Object.keys(kinds).join(', ')}. ${rule}`,
    remedy: `${didYouMean(weightsAre, Object.keys(kinds))}Give --weights-are one of these.`,
  });
}

/** The finite number that a flag gives. @throws HadamardError `invalid-option` */
export function numberFlag(
  option: string,
  given: number | string | undefined,
  minimum = Number.NEGATIVE_INFINITY,
): number | undefined {
  if (given === undefined) return undefined;
  const number = Number(given);
  if (String(given).trim() !== '' && Number.isFinite(number) && number >= minimum) return number;
  throw new HadamardError({
    code: 'invalid-option',
    what: `${option} is "${given}".`,
    position: { option },
    rule: `${option} is a finite number${minimum === 0 ? ' of at least 0' : ''}.`,
    remedy: 'Give a number.',
  });
}

/** @throws HadamardError `invalid-option` */
export function sideOf(given: string | undefined): Side {
  if (given === undefined || given === 'rows') return 'rows';
  if (given === 'columns') return given;
  throw new HadamardError({
    code: 'invalid-option',
    what: `side is "${given}".`,
    position: { option: 'side' },
    rule: 'side is rows or columns.',
    remedy: `${didYouMean(given, ['rows', 'columns'])}Give --side one of these.`,
  });
}
