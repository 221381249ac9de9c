/** Weak and bad species, the total variable and an extra uncertainty, named on the command line. */
import type { WeightsInput } from '../data/input.js';
import { adjustUncertainties } from '../data/uncertainties.js';
import { HadamardError } from '../errors.js';
import { didYouMean } from '../suggest.js';
import type { Problem } from './problem.js';

export interface ReceptorRules {
  /** Column labels; indices from 0 where A has none. */
  readonly weak: readonly string[];
  readonly bad: readonly string[];
  readonly total: string | undefined;
  readonly extra: number | undefined;
}

/** @throws HadamardError `not-found` for a column, `invalid-option` where there are no weights to change. */
export function withReceptorRules({ A, weights, labels }: Problem, rules: ReceptorRules): WeightsInput | undefined {
  const { weak, bad, total, extra } = rules;
  if (weak.length === 0 && bad.length === 0 && total === undefined && extra === undefined) return weights;
  if (weights === undefined)
    throw new HadamardError({
      code: 'invalid-option',
      what: 'There are no weights that species rules could change.',
      position: { option: 'weights' },
      rule: '--weak, --bad, --total and --extra-uncertainty change the uncertainties of the entries.',
      remedy: 'Add --weights <file> --weights-are sigma.',
    });
  const index = new Map(labels?.columns.map((label, i) => [label, i]));
  const columnOf = (name: string, option: string) => {
    const column = labels ? index.get(name) : Number(name);
    if (column !== undefined && Number.isInteger(column)) return column;
    throw new HadamardError({
      code: 'not-found',
      what: `There is no column "${name}".`,
      position: { option },
      rule: labels
        ? `Columns have labels, such as "${labels.columns[0]}".`
        : 'Columns have no labels; they count from 0.',
      remedy: `${didYouMean(name, labels?.columns ?? [])}Correct the name.`,
    });
  };
  return adjustUncertainties(A, weights, {
    weak: weak.map((name) => columnOf(name, 'weak')),
    bad: bad.map((name) => columnOf(name, 'bad')),
    total: total === undefined ? undefined : columnOf(total, 'total'),
    extra,
  });
}
