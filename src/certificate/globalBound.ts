/** The global certificate: a lower bound of f over all factors, and how far above it f stands, as a true sentence. */
import { type BlockBound, blockBound, blockCost, hasDuplicates, hasLikeRows } from './blockBound.js';
import {
  type BoundProblem,
  type RelaxationBound,
  relaxationBound,
  relaxationCost,
  whyNoRelaxation,
} from './relaxationBound.js';
import { failureProbability, shortfall } from './spectralNorm.js';

export interface GlobalCertificate {
  /** No U, V (and biases) of this rank have an objective below this; absent where there is no bound. */
  readonly globalBound?: number;
  /** (f − bound)/bound, so that f is at most 1 + gap times the global optimum; where the bound is above 0. */
  readonly globalGap?: number;
  /** What is known, with the reason where that is nothing. */
  readonly globalStatement: string;
}

export interface BoundRequest extends BoundProblem {
  /** f at these factors, summed in float64: asked for where there is a bound. */
  readonly objective: () => number;
  /** Whether the loss is ΣW²r². */
  readonly isQuadratic: boolean;
  /** Why the convex relaxation is not that of the objective, such as a background. */
  readonly noRelaxation?: string | undefined;
  /** What holds the factors beside the ridge, such as bounds: the bound knows nothing of it. */
  readonly constraints: readonly string[];
}

/** @param budget multiplications that may be spent, counted beforehand. */
export function certifyGlobally(request: BoundRequest, budget: number): GlobalCertificate {
  if (!request.isQuadratic) return none('the loss is not quadratic');
  if (request.byRow.pointers.at(-1) === 0) return none('nothing is observed');
  if (isMetByRank(request)) return { globalBound: 0, globalStatement: metByRank(request) };
  const why = request.noRelaxation ?? whyNoRelaxation(request);
  const relaxationTakes = why === undefined ? relaxationCost(request) : 0;
  const blocksTake = blockCost(request);
  if (Math.min(relaxationTakes || Number.POSITIVE_INFINITY, blocksTake) > budget) {
    if (why !== undefined && !hasLikeRows(request)) return none(`${why}, and ${noBlock(request)}`);
    return {
      globalStatement:
        why === undefined
          ? 'global bound not computed: it is costly beside this fit; hadamard verify computes it'
          : `global bound not computed: ${why}, and to see whether fully observed parts have one is costly beside this fit; hadamard verify looks`,
    };
  }
  const relaxation = why === undefined && relaxationTakes <= budget ? relaxationBound(request) : undefined;
  const blocks = relaxationTakes + blocksTake <= budget ? blockBound(request) : undefined;
  const best = Math.max(relaxation?.bound ?? 0, blocks?.bound ?? 0);
  if (!(best > 0)) return none(why === undefined ? 'it is not above 0' : `${why}, and ${noBlock(request)}`);
  // f is at least the bound: what is above it is rounding in the sum of f.
  const objective = request.objective();
  const bound = Math.min(best, objective);
  const gap = (objective - bound) / bound;
  const source =
    blocks && blocks.bound === best
      ? blocksInWords(blocks, request)
      : relaxationInWords(relaxation as RelaxationBound, request);
  return { globalBound: bound, globalGap: gap, globalStatement: `${distanceInWords(gap)}: ${source}` };
}

/** Whether factors of this rank reproduce every entry at no cost: any matrix is one of rank min(m, n). */
function isMetByRank({ byRow, byColumn, rank, penalties, constraints }: BoundRequest): boolean {
  const smaller = Math.min(byRow.pointers.length, byColumn.pointers.length) - 1;
  const isFree = (list: ArrayLike<number>) => Array.prototype.every.call(list, (value: number) => value === 0);
  return (
    rank >= smaller &&
    constraints.length === 0 &&
    isFree(penalties.rows) &&
    isFree(penalties.columns) &&
    !hasDuplicates(byRow)
  );
}

const metByRank = ({ byRow, byColumn, rank }: BoundRequest) =>
  `the global optimum is 0: factors of rank ${rank} give any ${byRow.pointers.length - 1}×${byColumn.pointers.length - 1} matrix, and λ is 0`;

function none(reason: string): GlobalCertificate {
  return { globalStatement: `no bound of the global optimum: ${reason}` };
}

const noBlock = ({ rank }: BoundRequest) =>
  `no part that is fully observed with W² = r_i·c_j has a rank above that of the model (${rank})`;

/** True for every f and optimum that the gap allows: numbers are rounded to the safe side. A statement begins with it. */
export function distanceInWords(gap: number): string {
  if (gap > 0.5) return `f is at most ${upwards(1 + gap)} times the global optimum`;
  return `within ${upwards(Math.max(100 * gap, 1e-6))} % of the global optimum`;
}

/** Two digits, rounded up. */
function upwards(value: number): string {
  const text = value.toPrecision(2);
  if (Number(text) >= value) return plain(text);
  const unit = 10 ** (Math.floor(Math.log10(value)) - 1);
  return plain((Number(text) + unit).toPrecision(2));
}

const plain = (text: string) => String(Number(text));

function relaxationInWords({ sigma }: RelaxationBound, { rank, constraints }: BoundRequest): string {
  const lines = ['no factors of any rank have f below the bound, by the convex relaxation of the ridge'];
  if (sigma.from === 'lanczos')
    lines.push(
      `its norm from ${sigma.steps} Lanczos steps, ${100 * shortfall} % added: too low with probability at most ${failureProbability}`,
    );
  // What the norm is at the least.
  const least = sigma.bound * Math.sqrt(1 - 2 * shortfall);
  if (constraints.length > 0) lines.push(blindTo(constraints));
  else if (least > 1)
    lines.push(
      `σ = ${sigma.bound.toPrecision(3)} > 1, so one more column would lower f, and at rank ${rank} the bound may be out of reach`,
    );
  return lines.join('; ');
}

function blocksInWords({ isExact, blocks, covered }: BlockBound, { rank, constraints }: BoundRequest): string {
  const lines =
    isExact && constraints.length === 0
      ? [`the optimum of rank ${rank} is known from singular values (nothing missing, W² = r_i·c_j)`]
      : [
          `no factors of rank ${rank} have f below the bound, by singular values of ${blocks === 1 ? 'a part' : `${blocks} parts`} fully observed with W² = r_i·c_j, ${(100 * covered).toPrecision(3)} % of the entries`,
        ];
  if (constraints.length > 0) lines.push(blindTo(constraints));
  return lines.join('; ');
}

const blindTo = (constraints: readonly string[]) =>
  `the bound knows nothing of ${constraints.join(' and ')}, so it is seldom tight`;
