/** The phases of stochastic gradient descent: its grid, the rates that rows begin with, and one sub-epoch. */
import { isFiled, isWeighted } from '../data/storedRows.js';
import { readTotals, writeJob } from '../kernels/load.js';
import { descentBytes, rateAt, rateSize, writeDescent } from '../kernels/sgd.js';
import { elementBytes, otherSide, realView, type Side } from '../parallel/layout.js';
import {
  countsOf,
  type FitContext,
  noTotals,
  type Phase,
  type PhaseCall,
  type Totals,
  type Workbench,
} from '../parallel/phase.js';
import { behindJob, checkBehindJob, openJob } from './rowPhases.js';
import { bandEdges, type GridShape, type GridSpace, gridSize, gridSpace } from './sgdGrid.js';

function shapeOf(fit: FitContext): GridShape {
  const { rank, stride, capacity, observations } = fit;
  return { counts: countsOf(fit), observed: capacity, rank, stride, isWeighted: isWeighted(observations.rows) };
}

function spaceOf(fit: FitContext): GridSpace {
  return gridSpace(shapeOf(fit), elementBytes(fit.dtype));
}

/** A phase that is done band of rows by band of rows; where there are fewer blocks of rows than bands, each takes several. */
function bandPhase(name: string, run: (workbench: Workbench, call: PhaseCall, band: Band) => Totals): Phase {
  return {
    name,
    run(workbench, call, block) {
      const { fit } = workbench;
      const size = gridSize(shapeOf(fit));
      const edges = bandEdges(fit.observations.rows.pointers, size);
      const step = fit.blocks[call.side].length - 1;
      const sums = { ...noTotals };
      for (let band = block; band < size; band += step) {
        const found = run(workbench, call, { band, first: edges[band] as number, last: edges[band + 1] as number });
        for (const key of Object.keys(sums) as (keyof Totals)[]) sums[key] += found[key];
      }
      return sums;
    },
  };
}

interface Band {
  readonly band: number;
  readonly first: number;
  readonly last: number;
}

/**
 * Places the entries of each band of rows block by block. The sums are Σ(W²r)² (loss), ΣW²r² (penalty) and ΣW² (ownSquared),
 * r the distance from the mean.
 */
export const sgdGridPhase: Phase = bandPhase('sgdGrid', ({ fit }, _, { first, last }) => {
  const { rows: stored } = fit.observations;
  if (isFiled(stored)) throw new Error('Stochastic steps work on resident observations.');
  const { pointers, indices, values, weights } = stored;
  const space = spaceOf(fit);
  const { size } = space;
  const edges = bandEdges(fit.observations.columns.pointers, size);
  const rows = countsOf(fit).rows;
  const { buffer } = fit.memory;
  const addressOf = (at: number) => fit.layout.workspace + at;
  const table = new Uint32Array(buffer, addressOf(space.ends), (size + 1) * rows);
  const sums = { ...noTotals };
  for (let row = first; row < last; row++) {
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
  const placed = new Uint32Array(buffer, addressOf(space.indices), indices.length);
  const placedValues = realView(fit.dtype, buffer, addressOf(space.values), indices.length);
  const placedWeights = weights && realView(fit.dtype, buffer, addressOf(space.weights), indices.length);
  let to = pointers[first] as number;
  for (let band = 0; band < size; band++)
    for (let row = first; row < last; row++) {
      const end = table[(band + 1) * rows + row] as number;
      for (let t = table[band * rows + row] as number; t < end; t++, to++) {
        placed[to] = indices[t] as number;
        placedValues[to] = values[t] as number;
        if (placedWeights) placedWeights[to] = (weights as ArrayLike<number>)[t] as number;
      }
      table[band * rows + row] = to;
    }
  return sums;
});

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

/** Writes the job of a band of rows over the entries that were placed. */
function openBand(workbench: Workbench, call: PhaseCall): number {
  const { fit, view } = workbench;
  const { address, fields } = openJob(workbench, call, 0);
  const { indices, values, weights } = spaceOf(fit);
  const { workspace } = fit.layout;
  const placed = {
    indices: workspace + indices,
    values: workspace + values,
    weights: fields.weights && workspace + weights,
  };
  writeJob(view, address, { ...fields, ...placed });
  return address;
}

/**
 * Sub-epoch `descent.round`: the blocks (b, (b + round) mod P) of rows `own` and columns `otherExtra`, to `out` and `other`,
 * rates with them. Nothing that is read is written, so a lost block can be redone.
 */
export const sgdPhase: Phase = bandPhase('sgd', (workbench, call, { band, first, last }) => {
  const { fit, kernels, view } = workbench;
  const { descent, side } = call;
  if (!descent || call.otherExtra === undefined) throw new Error('The phase was not told what to descend from.');
  const { layout, observations } = fit;
  const { size, ends, rates } = spaceOf(fit);
  const other = otherSide(side);
  const column = (band + descent.round) % size;
  const edges = bandEdges(observations[other].pointers, size);
  const rows = countsOf(fit)[side];
  const table = new Uint32Array(fit.memory.buffer, layout.workspace + ends, size * rows);
  const ratesAt = (of: Side, buffer: number) => layout.workspace + (rates[of][buffer] as number);
  const [ownLower, ownUpper] = fit.terms?.bounds[side] ?? unbounded;
  const [otherLower, otherUpper] = fit.terms?.bounds[other] ?? unbounded;
  const address = openBand(workbench, call);
  writeDescent(view, address + behindJob, {
    start: (column === 0 ? observations[side].pointers[first] : table[(column - 1) * rows + last - 1]) ?? 0,
    ends: layout.workspace + ends + 4 * column * rows,
    ownRates: ratesAt(side, descent.from),
    outRates: ratesAt(side, descent.to),
    otherRates: ratesAt(other, descent.to),
    otherFrom: layout.sides[other].buffers[call.otherExtra] as number,
    otherRatesFrom: ratesAt(other, descent.from),
    otherFirst: edges[column] as number,
    otherLast: edges[column + 1] as number,
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
  kernels[fit.dtype === 'f64' ? 'sgdRows64' : 'sgdRows32'](address, address + behindJob, first, last);
  return noTotals;
});

/**
 * Loss and penalty at `own`, block by block, so that the other side's rows stay in cache. A point that is returned has been
 * through the exact half-sweep, which measures it in float64.
 */
export const sgdLossPhase: Phase = bandPhase('sgdLoss', (workbench, call, { first, last }) => {
  const { fit, kernels, view } = workbench;
  const { size, ends } = spaceOf(fit);
  const address = openBand(workbench, call);
  const kernel = kernels[fit.dtype === 'f64' ? 'sgdLossRows64' : 'sgdLossRows32'];
  kernel(address, fit.layout.workspace + ends, size, countsOf(fit).rows, first, last);
  return readTotals(view, address);
});

const unbounded = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
