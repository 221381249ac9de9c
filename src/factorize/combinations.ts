/** Which parts of an objective do not go together, and why: the refusals and the table in docs/objectives.md. */
import { HadamardError } from '../errors.js';
import type { Composition } from './composition.js';

export interface Refusal {
  /** The two parts, as docs and messages name them. */
  readonly parts: readonly [string, string];
  readonly option: string;
  readonly code: 'incompatible-options' | 'scale-unbounded';
  readonly why: string;
  readonly instead: string;
  /** @internal */
  readonly applies: (of: Composition) => boolean;
}

const sides = ['rows', 'columns'] as const;
const other = { rows: 'columns', columns: 'rows' } as const;

function isPenalised({ objective, lambda, rank }: Composition, side: 'rows' | 'columns'): boolean {
  return (lambda[side] > 0 || objective.l1[side] > 0) && objective.freeColumns < rank;
}

/** What keeps a factor from growing while the other shrinks. */
function isBounded(of: Composition, side: 'rows' | 'columns'): boolean {
  const [lower, upper] = of.objective.bounds[side];
  const isBoxed = Number.isFinite(lower) && Number.isFinite(upper);
  return isPenalised(of, side) || isBoxed || isHeld(of, side);
}

/** Whether every latent column that carries a penalty on the other side is held as a whole: one held entry pins no scale. */
function isHeld({ objective, rank }: Composition, side: 'rows' | 'columns'): boolean {
  const held = objective.hold[side];
  if (!held) return false;
  const [rows = 0] = held.shape;
  for (let row = 0; row < rows; row++)
    for (let c = objective.freeColumns; c < rank; c++) if (Number.isNaN(held.get(row, c))) return false;
  return true;
}

/** Steps on both factors together, which do not keep to bounds. */
const isDescent = (method: string) => method === 'gradient' || method === 'lbfgs';

/** What stochastic steps can minimise. */
function isDescended({ loss, background, bounds, l1, freeColumns, hold }: Composition['objective']): boolean {
  return (
    loss.name === 'quadratic' &&
    background === undefined &&
    freeColumns === 0 &&
    sides.every((side) => l1[side] === 0 && hold[side] === undefined && bounds[side][0] <= 0 && bounds[side][1] >= 0)
  );
}

export const refusals: readonly Refusal[] = [
  {
    parts: ['a penalty on one side only', 'the other side free'],
    option: 'lambda',
    code: 'scale-unbounded',
    why: 'U/t and V·t give the same predictions, so the penalty would be driven to zero and t to infinity.',
    instead: 'Penalise the other factor as well, box it (bounds), or hold it as a whole.',
    applies: (of) => sides.some((side) => isPenalised(of, side) && !isBounded(of, other[side])),
  },
  {
    parts: ['loss huber, l1 or logistic', 'background'],
    option: 'background',
    code: 'incompatible-options',
    why: 'Unlisted entries are summed by a Gram matrix, which only squares (and the linear part of poisson) allow.',
    instead: 'Use loss quadratic or poisson, or list the entries with their weights.',
    applies: ({ objective }) =>
      objective.background !== undefined && objective.loss.name !== 'quadratic' && objective.loss.name !== 'poisson',
  },
  {
    parts: ['loss poisson', 'a background value other than 0'],
    option: 'background',
    code: 'incompatible-options',
    why: 'Only for a count of 0 is the loss linear in the prediction, and so its sum over unlisted entries exact.',
    instead: 'Leave the value at 0.',
    applies: ({ objective }) => objective.loss.name === 'poisson' && (objective.background?.value ?? 0) !== 0,
  },
  {
    parts: ['loss poisson', 'factors below 0'],
    option: 'bounds',
    code: 'incompatible-options',
    why: 'A Poisson rate is positive, which u·v is for all entries only when both factors are non-negative.',
    instead: 'Leave nonnegative and bounds alone, or keep the bounds at 0 and above.',
    applies: ({ objective }) =>
      objective.loss.name === 'poisson' && sides.some((side) => objective.bounds[side][0] < 0),
  },
  {
    parts: ['loss poisson', 'biases'],
    option: 'biases',
    code: 'incompatible-options',
    why: 'A bias may be negative, and so would rates be.',
    instead: 'Leave biases out: a latent column takes up the level of rows and columns.',
    applies: ({ objective, biases }) => objective.loss.name === 'poisson' && biases !== 'none',
  },
  {
    parts: ['loss logistic', 'no ridge penalty'],
    option: 'lambda',
    code: 'incompatible-options',
    why: 'Where a row can be told apart without error its loss falls for ever as the factors grow.',
    instead: 'Give lambda (and biasLambda) above 0, and no free columns.',
    applies: ({ objective, lambda, biases, biasLambda }) =>
      objective.loss.name === 'logistic' &&
      (lambda.rows === 0 ||
        lambda.columns === 0 ||
        objective.freeColumns > 0 ||
        (biases !== 'none' && biasLambda === 0)),
  },
  {
    parts: ['method gradient or lbfgs', 'loss poisson'],
    option: 'method',
    code: 'incompatible-options',
    why: 'A Poisson rate is positive, and a gradient step does not keep to bounds.',
    instead: 'Use method als.',
    applies: ({ objective, method }) => isDescent(method) && objective.loss.name === 'poisson',
  },
  {
    parts: ['method gradient or lbfgs', 'L1, bounds or held entries'],
    option: 'method',
    code: 'incompatible-options',
    why: 'A gradient step does not keep to corners and bounds.',
    instead: 'Use method als.',
    applies: ({ objective, method }) =>
      isDescent(method) &&
      sides.some(
        (side) =>
          objective.l1[side] > 0 ||
          objective.hold[side] !== undefined ||
          objective.bounds[side].some((bound) => Number.isFinite(bound)),
      ),
  },
  {
    parts: ['method sgd', 'more than weighted squares, a ridge, biases and bounds around 0'],
    option: 'method',
    code: 'incompatible-options',
    why: 'A step is taken for one listed entry, of the slope of its square, and its rows are padded with zeros.',
    instead: 'Use method als.',
    applies: ({ objective, method }) => method === 'sgd' && !isDescended(objective),
  },
  {
    parts: ['method sgd', 'polish'],
    option: 'polish',
    code: 'incompatible-options',
    why: 'Newton steps would take the memory where the grid of sgd stands.',
    instead: 'Use method als with polish, from the model that sgd has come to (init).',
    applies: ({ method, polish }) => method === 'sgd' && polish !== 'none',
  },
  {
    parts: ['method block-als', 'a loss other than quadratic'],
    option: 'method',
    code: 'incompatible-options',
    why: 'A block of coordinates has one exact minimum beside the others only where losses are squares.',
    instead: 'Use method als.',
    applies: ({ objective, method }) => method === 'block-als' && objective.loss.name !== 'quadratic',
  },
  {
    parts: ['method varpro, or polish', 'more than weighted squares, a ridge and biases'],
    option: 'method',
    code: 'incompatible-options',
    why: 'A row has one exact solution, and that a smooth one, only where its losses are squares and nothing bounds or holds it.',
    instead: 'Use method als, or lbfgs where the objective is smooth, without polish.',
    applies: ({ objective, method, polish }) => (method === 'varpro' || polish !== 'none') && objective.isComposed,
  },
  {
    parts: ['method varpro, or polish', 'dtype f32'],
    option: 'dtype',
    code: 'incompatible-options',
    why: 'Second-order steps lose in f32 what they are taken for.',
    instead: 'Leave dtype out: it is f64 then.',
    applies: ({ method, polish, dtype }) => (method === 'varpro' || polish !== 'none') && dtype === 'f32',
  },
  {
    parts: ['start rank-by-rank', 'a penalty, or more than weighted squares and biases'],
    option: 'start',
    code: 'incompatible-options',
    why: 'Its columns begin under a ridge that falls to 0, and so does what they lead to.',
    instead: 'Use start random.',
    applies: ({ objective, lambda, start }) =>
      start === 'rank-by-rank' && (objective.isComposed || lambda.rows + lambda.columns > 0),
  },
];

/** @throws HadamardError `incompatible-options` or `scale-unbounded` */
export function checkCombination(of: Composition): void {
  const refusal = refusals.find(({ applies }) => applies(of));
  if (!refusal) return;
  const [first, second] = refusal.parts;
  throw new HadamardError({
    code: refusal.code,
    what: `${first[0]?.toUpperCase()}${first.slice(1)} does not go with ${second}.`,
    position: { option: refusal.option },
    rule: refusal.why,
    remedy: refusal.instead,
  });
}
