/**
 * The phases of variable projection: what every eliminated row brings, block rows of the reduced Hessian, and a damped
 * Newton step from it. One side is eliminated, the other stays.
 */
import { even, type ReducedFields, reducedBytes, writeReduced } from '../kernels/reduced.js';
import { alignUp, otherSide, type PerSide, type Side } from '../parallel/layout.js';
import {
  countsOf,
  type FitContext,
  noTotals,
  type Phase,
  type PhaseCall,
  unknownsOf,
  type Workbench,
} from '../parallel/phase.js';
import { addGauge, gaugeOf } from './reducedGauge.js';
import { checkBehindJob, factorBuffer, kernelPhase } from './rowPhases.js';

/** What the sizes of variable projection follow from. */
export interface ReducedShape {
  readonly counts: PerSide<number>;
  readonly observed: number;
  readonly rank: number;
  readonly isBiasFitted: PerSide<boolean>;
}

/** The side with more rows is eliminated: what is left is the smaller problem. */
export function eliminatedSide(counts: PerSide<number>): Side {
  return counts.rows >= counts.columns ? 'rows' : 'columns';
}

/** Where everything stands, in bytes from the start of the method's work space. */
export function reducedSpace(shape: ReducedShape) {
  const eliminatedRows = shape.counts[eliminatedSide(shape.counts)];
  const side = otherSide(eliminatedSide(shape.counts));
  const eliminated = unknownsOf(shape, otherSide(side));
  const staying = unknownsOf(shape, side);
  const unknowns = shape.counts[side] * staying;
  // The factorization works on tiles of 4.
  const order = Math.ceil(unknowns / 4) * 4;
  let next = 0;
  const reserve = (doubles: number): number => {
    const address = next;
    next = alignUp(next + 8 * doubles);
    return address;
  };
  return {
    eliminated,
    staying,
    unknowns,
    order,
    z: reserve(shape.observed * even(eliminated)),
    y: reserve(shape.observed * even(shape.rank)),
    c: reserve(shape.observed),
    inverses: reserve(eliminatedRows * shape.rank * even(shape.rank)),
    hessian: reserve(order * order),
    damped: reserve(order * order),
    step: reserve(order),
    bytes: next,
  };
}

function shapeOfFit(fit: FitContext): ReducedShape {
  return {
    counts: countsOf(fit),
    observed: fit.capacity,
    rank: fit.rank,
    isBiasFitted: fit.isBiasFitted,
  };
}

checkBehindJob(reducedBytes);

function writeFields({ fit, view }: Workbench, address: number, call: PhaseCall): void {
  const shape = shapeOfFit(fit);
  const { workspace, sides } = fit.layout;
  const space = reducedSpace(shape);
  const { resident } = sides[eliminatedSide(shape.counts)];
  if (!resident) throw new Error('Variable projection works on resident observations.');
  const fields: ReducedFields = {
    z: workspace + space.z,
    y: workspace + space.y,
    c: workspace + space.c,
    inverses: workspace + space.inverses,
    hessian: workspace + space.hessian,
    order: space.order,
    count: space.unknowns / space.staying,
    eliminated: space.eliminated,
    staying: space.staying,
    pointers: resident.pointers,
    indices: resident.indices,
    isExact: call.isExact ? 1 : 0,
  };
  writeReduced(view, address, fields);
}

/** For every eliminated row at `own`: the projections of its entries, and its inverse normal equations. */
export const projectPhase: Phase = kernelPhase('project', 'projectRows64', writeFields);

/** Block rows of the reduced half-Hessian, upper half, `own` being the side that stays. */
export const reducedHessianPhase: Phase = kernelPhase('reducedHessian', 'reducedRows64', writeFields);

/**
 * Solves (H + damping·μI + gauge) δ = −½∂f/∂V for the buffer `own`, its gradient being in buffer `extra`, and writes
 * `own` + δ (δ alone where there is no `own`) to `out`; μ is the mean of H's diagonal. `loss` is 0, or NaN where the matrix is
 * not positive definite. `isFactored`: with the matrix of the last call, as it stood there.
 *
 * The gauge: where nothing is penalised f does not change along V → VB (and V → V + 1tᵀ where the other side has biases), so
 * H has those directions in its null space; μQQᵀ ⊗ I, Q a basis of [V, 1], makes it regular and leaves δ as it is.
 */
export const reducedStepPhase: Phase = {
  name: 'reducedStep',
  run(workbench, call, block) {
    if (block > 0) return noTotals;
    const { fit, kernels } = workbench;
    const space = reducedSpace(shapeOfFit(fit));
    const { order, staying, unknowns } = space;
    const step = new Float64Array(fit.memory.buffer, fit.layout.workspace + space.step, order).fill(0);
    const gradient = factorBuffer(fit, call.side, call.extra as number);
    const place = (row: number, a: number) => row * fit.stride + (a < fit.rank ? a : fit.rank);
    for (let i = 0; i < unknowns; i++)
      step[i] = -0.5 * (gradient[place(Math.floor(i / staying), i % staying)] as number);
    const base = fit.layout.workspace;
    if (call.isFactored) kernels.solveFactored64(base + space.damped, order, base + space.step);
    else {
      damp(fit, call, space);
      if (!kernels.factorAndSolve64(base + space.damped, order, base + space.step))
        return { ...noTotals, loss: Number.NaN };
    }
    const out = factorBuffer(fit, call.side, call.out as number);
    if (call.own === null) out.fill(0);
    else out.set(factorBuffer(fit, call.side, call.own));
    for (let i = 0; i < unknowns; i++) {
      const at = place(Math.floor(i / staying), i % staying);
      out[at] = (out[at] as number) + (step[i] as number);
    }
    return noTotals;
  },
};

/** H + damping·μI + gauge, padded by rows of the identity, to where it is factored. */
function damp(fit: FitContext, call: PhaseCall, space: ReturnType<typeof reducedSpace>): void {
  const { order, staying, unknowns } = space;
  const matrixAt = (offset: number) =>
    new Float64Array(fit.memory.buffer, fit.layout.workspace + offset, order * order);
  const hessian = matrixAt(space.hessian);
  const damped = matrixAt(space.damped);
  damped.set(hessian);
  let trace = 0;
  for (let i = 0; i < unknowns; i++) trace += hessian[i * order + i] as number;
  const mean = trace / unknowns || 1;
  for (let i = 0; i < unknowns; i++)
    damped[i * order + i] = (damped[i * order + i] as number) + mean * (call.step as number);
  for (let i = unknowns; i < order; i++) {
    for (let j = 0; j <= i; j++) damped[j * order + i] = 0;
    damped[i * order + i] = 1;
  }
  if (call.gauge === undefined || call.gauge === 'none') return;
  const own = factorBuffer(fit, call.side, call.own as number);
  addGauge(damped, { order, width: staying, scale: mean, ...gaugeOf(fit, call.side, own, call.gauge) });
}
