/** The global certificate of a fit in hand; see certificate/globalBound.ts. */
import { certifyGlobally, type GlobalCertificate } from '../certificate/globalBound.js';
import { residualsOf } from '../certificate/relaxationBound.js';
import type { Orientation } from '../data/observations.js';
import { isFiled } from '../data/storedRows.js';
import type { Position } from '../methods/method.js';
import { factorBuffer, penaltyOf } from '../methods/rowPhases.js';
import { type Side, sides } from '../parallel/layout.js';
import { countOf, type FitContext } from '../parallel/phase.js';
import { bitsAt, streams } from '../starts/random.js';
import type { ObjectiveSpec } from './composition.js';

export const boundBits =
  (seed: number) =>
  (index: number): number =>
    bitsAt(seed, streams.bound, index, 0);

export interface Fitted {
  readonly objective: number;
  readonly spec: ObjectiveSpec;
  readonly seed: number;
  readonly sweeps: number;
}

/**
 * Computed by this thread alone, in float64 and in a fixed order, and therefore only where it is cheap beside the fit: its
 * multiplications, counted, are at most a 64th of those of the sweeps, 2²⁸ at the most (2²⁰ are always spent).
 */
export function boundOfFit(
  fit: FitContext,
  point: Position,
  { objective, spec, seed, sweeps }: Fitted,
): GlobalCertificate {
  const { rank, observations } = fit;
  const list = (side: Side, name: 'penalties' | 'biasPenalties') =>
    new Float64Array(fit.memory.buffer, fit.layout.sides[side][name], countOf(fit, side));
  const biasList = (side: Side) => (fit.isBiasFitted[side] ? list(side, 'biasPenalties') : undefined);
  const { rows: byRow, columns: byColumn } = observations;
  if (isFiled(byRow) || isFiled(byColumn))
    return { globalStatement: 'global bound not computed: the observations are on disk; hadamard verify computes it' };
  let known: Float64Array | undefined;
  const residuals = () => {
    known ??= residualsAt(fit, byRow, point);
    return known;
  };
  const observed = byRow.pointers.at(-1) as number;
  const budget = Math.max(2 ** 20, Math.min(2 ** 28, (sweeps * observed * rank * (rank + 3)) / 64));
  return certifyGlobally(
    {
      byRow,
      byColumn,
      rank,
      mean: fit.mean,
      residuals,
      penalties: { rows: list('rows', 'penalties'), columns: list('columns', 'penalties') },
      biasPenalties: { rows: biasList('rows'), columns: biasList('columns') },
      bits: boundBits(seed),
      module: fit.module,
      objective: () => (spec.background ? objective : exactObjective(fit, byRow, point, residuals())),
      ...boundedParts({
        loss: spec.loss.name,
        hasBackground: spec.background !== undefined,
        freeColumns: spec.freeColumns,
        bounds: spec.bounds,
        isHeld: spec.hold.rows !== undefined || spec.hold.columns !== undefined,
        hasL1: spec.l1.rows + spec.l1.columns > 0,
      }),
    },
    budget,
  );
}

/** Without a background: kernels in f32 sum residuals that are rounded, and a gap may be smaller than that. */
function exactObjective(fit: FitContext, { weights }: Orientation, point: Position, residuals: Float64Array): number {
  let sum = 0;
  for (let t = 0; t < residuals.length; t++) {
    const r = residuals[t] as number;
    const z = weights ? (weights[t] as number) * r : r;
    sum += z * z;
  }
  for (const side of sides) sum = penaltyOf(fit, side, factorBuffer(fit, side, point[side]), sum);
  return sum;
}

/** In float64. */
function residualsAt(fit: FitContext, byRow: Orientation, point: Position): Float64Array {
  // Widened once, not at each entry.
  const U = new Float64Array(factorBuffer(fit, 'rows', point.rows));
  const V = new Float64Array(factorBuffer(fit, 'columns', point.columns));
  const { rank, stride, hasBias, mean } = fit;
  return residualsOf(byRow, mean, (row, column) => {
    const a = row * stride;
    const b = column * stride;
    let sum = hasBias ? (U[a + rank] as number) + (V[b + rank] as number) : 0;
    for (let c = 0; c < rank; c++) sum += (U[a + c] as number) * (V[b + c] as number);
    return sum;
  });
}

/** What of an objective the bound is for, and what it is blind to. */
export function boundedParts(of: {
  readonly loss: string;
  readonly hasBackground: boolean;
  readonly freeColumns: number;
  readonly bounds: { readonly rows: readonly (number | null)[]; readonly columns: readonly (number | null)[] };
  readonly isHeld: boolean;
  readonly hasL1: boolean;
}): { isQuadratic: boolean; noRelaxation: string | undefined; constraints: string[] } {
  const isLimit = (bound: number | null) => bound !== null && Number.isFinite(bound);
  const all = [...of.bounds.rows, ...of.bounds.columns].filter(isLimit);
  return {
    isQuadratic: of.loss === 'quadratic',
    noRelaxation: of.hasBackground
      ? 'unlisted entries count (a background)'
      : of.freeColumns > 0
        ? 'the free columns carry no penalty'
        : undefined,
    constraints: [
      ...(all.length === 0 ? [] : [all.every((bound) => bound === 0) ? 'signs' : 'bounds']),
      ...(of.isHeld ? ['held entries'] : []),
      ...(of.hasL1 ? ['the L1 penalty'] : []),
      // A background is a sum of squares of entries that the blocks do not see.
      ...(of.hasBackground ? ['the background'] : []),
    ],
  };
}
