/** The phases of stochastic gradient descent: its grid, the rates that rows begin with, and one sub-epoch. */
import { isFiled } from '../data/storedRows.js';
import { readTotals } from '../kernels/load.js';
import { descentBytes, rateAt, rateSize, writeDescent } from '../kernels/sgd.js';
import { elementBytes, otherSide, realView, type Side } from '../parallel/layout.js';
import { countsOf, type FitContext, noTotals, type Phase, type PhaseCall, type Workbench } from '../parallel/phase.js';
import { behindJob, checkBehindJob, openJob } from './rowPhases.js';
import { bandEdges, type GridShape, type GridSpace, gridSize, gridSpace } from './sgdGrid.js';

function shapeOf(fit: FitContext): GridShape {
  const { rank, stride, capacity } = fit;
  return { counts: countsOf(fit), observed: capacity, rank, stride };
}

function spaceOf(fit: FitContext): GridSpace {
  return gridSpace(shapeOf(fit), elementBytes(fit.dtype));
}

/**
 * Notes where the entries of each row of the block meet the bands of columns. The sums are Σ(W²r)² (loss), ΣW²r² (penalty)
 * and ΣW² (ownSquared), r the distance from the mean.
 */
export const sgdGridPhase: Phase = {
  name: 'sgdGrid',
  run({ fit }, call, block) {
    const { rows: stored } = fit.observations;
    if (isFiled(stored)) throw new Error('Stochastic steps work on resident observations.');
    const { pointers, indices, values, weights } = stored;
    const { starts, size } = spaceOf(fit);
    const edges = bandEdges(fit.observations.columns.pointers, size);
    const rows = countsOf(fit).rows;
    const table = new Uint32Array(fit.memory.buffer, fit.layout.workspace + starts, (size + 1) * rows);
    const boundaries = fit.blocks[call.side];
    const sums = { ...noTotals };
    for (let row = boundaries[block] as number; row < (boundaries[block + 1] as number); row++) {
      const end = pointers[row + 1] as number;
      let t = pointers[row] as number;
      for (let band = 0; band <= size; band++) {
        const edge = edges[band] as number;
        for (; t < end && (indices[t] as number) < edge; t++) {
          const squared = weights ? (weights[t] as number) ** 2 : 1;
          const z = squared * ((values[t] as number) - fit.mean);
          sums.loss += z * z;
          sums.penalty += z * ((values[t] as number) - fit.mean);
          sums.ownSquared += squared;
        }
        table[band * rows + row] = t;
      }
    }
    return sums;
  },
};

/** The rates that this side's rows begin with, to rates 0: `step` squared gradients, and λ_i/n_i in units of residuals. */
export const sgdRatesPhase: Phase = {
  name: 'sgdRates',
  run({ fit }, call, block) {
    const { side, descent } = call;
    if (!descent) throw new Error('The phase was not told the sizes of steps.');
    const { pointers } = fit.observations[side];
    const rates = ratesOf(fit, side, descent.to);
    const { penalties, biasPenalties } = fit.layout.sides[side];
    const rows = countsOf(fit)[side];
    const listOf = (address: number) => (address ? new Float64Array(fit.memory.buffer, address, rows) : undefined);
    const lambdas = listOf(penalties);
    const biasLambdas = listOf(biasPenalties);
    const boundaries = fit.blocks[side];
    for (let row = boundaries[block] as number; row < (boundaries[block + 1] as number); row++) {
      const count = Math.max(1, (pointers[row + 1] as number) - (pointers[row] as number));
      const share = (list: Float64Array | undefined) => (((list?.[row] as number) ?? 0) / count) * descent.scale;
      rates.fill(0, row * rateSize, (row + 1) * rateSize);
      rates[row * rateSize + rateAt.squares] = descent.squares;
      rates[row * rateSize + rateAt.share] = share(lambdas);
      rates[row * rateSize + rateAt.biasSquares] = descent.biasSquares;
      rates[row * rateSize + rateAt.biasShare] = share(biasLambdas);
    }
    return noTotals;
  },
};

function ratesOf(fit: FitContext, side: Side, buffer: number) {
  const address = fit.layout.workspace + (spaceOf(fit).rates[side][buffer] as number);
  return realView(fit.dtype, fit.memory.buffer, address, countsOf(fit)[side] * rateSize);
}

checkBehindJob(descentBytes);

/**
 * Sub-epoch `descent.round`: the blocks (b, (b + round) mod P) of rows `own` and columns `otherExtra`, to `out` and `other`,
 * rates with them. Nothing that is read is written, so a lost block can be redone.
 */
export const sgdPhase: Phase = {
  name: 'sgd',
  run(workbench, call, block) {
    const size = gridSize(shapeOf(workbench.fit));
    // Where there are fewer blocks of rows than bands, each takes several.
    const step = workbench.fit.blocks[call.side].length - 1;
    for (let band = block; band < size; band += step) descendBand(workbench, call, band);
    return noTotals;
  },
};

function descendBand(workbench: Workbench, call: PhaseCall, band: number): void {
  const { fit, kernels, view } = workbench;
  const { descent, side } = call;
  if (!descent || call.otherExtra === undefined) throw new Error('The phase was not told what to descend from.');
  const { layout, observations } = fit;
  const { size, starts, rates } = spaceOf(fit);
  const other = otherSide(side);
  const column = (band + descent.round) % size;
  const edges = {
    rows: bandEdges(observations[side].pointers, size),
    columns: bandEdges(observations[other].pointers, size),
  };
  const startsAt = (c: number) => layout.workspace + starts + 4 * c * countsOf(fit)[side];
  const ratesAt = (of: Side, buffer: number) => layout.workspace + (rates[of][buffer] as number);
  const [ownLower, ownUpper] = fit.terms?.bounds[side] ?? unbounded;
  const [otherLower, otherUpper] = fit.terms?.bounds[other] ?? unbounded;
  const { address } = openJob(workbench, call, 0);
  writeDescent(view, address + behindJob, {
    starts: startsAt(column),
    ends: startsAt(column + 1),
    ownRates: ratesAt(side, descent.from),
    outRates: ratesAt(side, descent.to),
    otherRates: ratesAt(other, descent.to),
    otherFrom: layout.sides[other].buffers[call.otherExtra] as number,
    otherRatesFrom: ratesAt(other, descent.from),
    otherFirst: edges.columns[column] as number,
    otherLast: edges.columns[column + 1] as number,
    otherBiasFree: fit.isBiasFitted[other] ? 1 : 0,
    isBounded: [ownLower, ownUpper, otherLower, otherUpper].some(Number.isFinite) ? 1 : 0,
    scale: descent.scale,
    step: descent.step,
    biasStep: descent.biasStep,
    ownLower,
    ownUpper,
    otherLower,
    otherUpper,
  });
  kernels[fit.dtype === 'f64' ? 'sgdRows64' : 'sgdRows32'](
    address,
    address + behindJob,
    edges.rows[band] as number,
    edges.rows[band + 1] as number,
  );
}

const unbounded = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

/** Loss and penalty at `own`. A point that is returned has been through the exact half-sweep, which measures it in float64. */
export const sgdLossPhase: Phase = {
  name: 'sgdLoss',
  run(workbench, call, block) {
    const { fit, kernels, view } = workbench;
    const { address, first, last } = openJob(workbench, call, block);
    kernels[fit.dtype === 'f64' ? 'sgdLossRows64' : 'sgdLossRows32'](address, first, last);
    return readTotals(view, address);
  },
};
