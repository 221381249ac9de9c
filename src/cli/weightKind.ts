/** What the flag --weights-are says. */
import { HadamardError } from '../index.js';
import { didYouMean } from '../suggest.js';
import type { WeightKind } from './problem.js';

const kinds: Readonly<Record<string, WeightKind>> = {
  weight: 'weight',
  'sqrt-weight': 'sqrtWeight',
  sqrt: 'sqrtWeight',
  sigma: 'sigma',
};

/** @throws HadamardError `ambiguous-weights`, `invalid-option` */
export function weightKindOf({
  weights,
  weightsAre,
}: {
  readonly weights?: string;
  readonly weightsAre?: string;
}): WeightKind | undefined {
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
