/** The phases of stochastic gradient descent: its grid, the rates that rows begin with, and one sub-epoch. */
import { type EntryFile, readEntries, writeEntries } from '../data/entryFile.js';
import { copyEntries, emptyLists, isFiled, readRows } from '../data/storedRows.js';
import { readTotals } from '../kernels/load.js';
import { descentBytes, gridBytes, rateAt, rateSize, writeDescent, writeGrid } from '../kernels/sgd.js';
import { type EntryAddresses, elementBytes, otherSide, realView, type Side } from '../parallel/layout.js';
import { countsOf, type FitContext, noTotals, type Phase, type PhaseCall, type Workbench } from '../parallel/phase.js';
import { keepWithin } from './historyPhases.js';
import { behindJob, checkBehindJob, factorBuffer, openJob, openRows, stageRoom } from './rowPhases.js';
import { bandEdges, type GridShape, type GridSpace, gridSize, gridSpace } from './sgdGrid.js';
import { blockVectors, combine } from './vectorPhases.js';

function shapeOf(fit: FitContext): GridShape {
  const { rank, stride, capacity } = fit;
  return { counts: countsOf(fit), observed: capacity, rank, stride };
}

function spaceOf(fit: FitContext): GridSpace {
  return gridSpace(shapeOf(fit), elementBytes(fit.dtype));
}

/** u32, [band of columns][row]: the row's first entry in the band. */
function startsOf(fit: FitContext): Uint32Array {
  const { starts, size } = spaceOf(fit);
  return new Uint32Array(fit.memory.buffer, fit.layout.workspace + starts, (size + 1) * countsOf(fit).rows);
}

/** u32, [band of columns][row]: the end of the row's entries in the band, where resident entries stand once more. */
function endsOf(fit: FitContext): Uint32Array {
  const { ends, size } = spaceOf(fit);
  return new Uint32Array(fit.memory.buffer, fit.layout.workspace + ends, size * countsOf(fit).rows);
}

checkBehindJob(gridBytes);

/**
 * Notes where the entries of each row of the block meet the bands of columns; of those in files, once more in an order in which
 * what is read at once stands together. The loss is Σ(W²r)², r the distance from what entries are on average.
 */
export const sgdGridPhase: Phase = {
  name: 'sgdGrid',
  run(workbench, call, block) {
    const { fit, kernels, view } = workbench;
    const { address, first, last } = openJob(workbench, call, block);
    const { pointers } = fit.observations.rows;
    const isResident = fit.layout.sides.rows.resident !== undefined;
    openGrid(workbench, isResident ? 0 : (pointers[first] as number));
    (fit.dtype === 'f64' ? kernels.gridRows64 : kernels.gridRows32)(address, address + behindJob, first, last);
    if (fit.grid) writeBands(fit, fit.grid, first, last);
    return { ...noTotals, loss: readTotals(view, address).loss };
  },
};

/** Tells a kernel of the grid, behind the job. */
function openGrid({ fit, scratch, view }: Workbench, start: number): void {
  const { layout, mean, level } = fit;
  const { size, starts, ends } = spaceOf(fit);
  const edges = bandEdges(fit.observations.columns.pointers, size);
  new Uint32Array(fit.memory.buffer, scratch, size + 1).set(edges);
  const { indices, values, weights } = layout.grid ?? nowhere;
  writeGrid(view, scratch + layout.jobOffset + behindJob, {
    table: layout.workspace + starts,
    ends: layout.workspace + ends,
    edges: scratch,
    bands: size,
    rows: countsOf(fit).rows,
    start,
    indices,
    values,
    weights,
    average: mean + level,
  });
}

/** Writes the rows of a block to the grid's file band by band, and their starts there in place of those in the rows. */
function writeBands(fit: FitContext, grid: EntryFile, first: number, last: number): void {
  const { start, ...from } = readRows(fit.observations.rows, first, last);
  const { rows } = countsOf(fit);
  const { size } = spaceOf(fit);
  const table = startsOf(fit);
  const to = emptyLists(grid, (fit.observations.rows.pointers[last] as number) - start);
  let at = 0;
  for (let band = 0; band < size; band++)
    for (let row = first; row < last; row++) {
      const begin = (table[band * rows + row] as number) - start;
      const end = (table[(band + 1) * rows + row] as number) - start;
      table[band * rows + row] = start + at;
      copyEntries(to, at, from, begin, end);
      at += end - begin;
    }
  writeEntries(grid, start, to);
}

/**
 * Resident entries once more, block by block of the grid: bands of rows where the rows' own stand, then bands of columns, then
 * rows. A block then reads on, where in the rows it would touch a stretch of each.
 */
export const sgdPlacePhase: Phase = bandPhase('sgdPlace', (workbench, call, { first, last }) => {
  const { fit, kernels } = workbench;
  const { resident } = fit.layout.sides.rows;
  if (!fit.layout.grid || !resident || first === last) return;
  const { address } = openRows(workbench, call, first, last, resident);
  openGrid(workbench, 0);
  const place = fit.dtype === 'f64' ? kernels.placeRows64 : kernels.placeRows32;
  place(address, address + behindJob, first, last, fit.observations.rows.pointers[first] as number);
});

/**
 * Where a descent starts, from V as it was drawn in buffer 0: what entries are on average stands in the first column, `step` times
 * V beside it. A row without entries is 0.
 */
export const sgdStartPhase: Phase = {
  name: 'sgdStart',
  run(workbench, call, block) {
    const { fit } = workbench;
    const { side, out, step: share } = call;
    if (out === null || share === undefined) throw new Error('The phase was not told how to start.');
    const { rank, stride } = fit;
    const isRows = side === 'rows';
    const vectors = blockVectors(fit, side, block);
    const drawn = [vectors.ofBuffer(0), isRows ? 0 : share] as const;
    combine(workbench, [drawn], 0, vectors.ofBuffer(out), vectors.count);
    const start = factorBuffer(fit, side, out);
    const { pointers } = fit.observations[side];
    const first = (isRows ? 1 : Math.sign(fit.level)) * Math.sqrt(Math.abs(fit.level));
    const given = factorBuffer(fit, side, 0);
    for (let row = vectors.first; row < vectors.last; row++) {
      const at = row * stride;
      if (pointers[row] === pointers[row + 1]) start.fill(0, at, at + rank);
      else start[at] = (start[at] as number) + first;
      // A start may have biases alone.
      if (fit.hasBias) start[at + rank] = given[at + rank] as number;
    }
    keepWithin(fit, call, vectors);
    return noTotals;
  },
};

interface Band {
  readonly band: number;
  readonly first: number;
  readonly last: number;
}

/** A phase that is done band of rows by band of rows; where there are fewer blocks of rows than bands, each takes several. */
function bandPhase(name: string, run: (workbench: Workbench, call: PhaseCall, band: Band) => void): Phase {
  return {
    name,
    run(workbench, call, block) {
      const { fit } = workbench;
      const size = gridSize(shapeOf(fit));
      const edges = bandEdges(fit.observations.rows.pointers, size);
      const step = fit.blocks[call.side].length - 1;
      for (let band = block; band < size; band += step)
        run(workbench, call, { band, first: edges[band] as number, last: edges[band + 1] as number });
      return noTotals;
    },
  };
}

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
export const sgdPhase: Phase = bandPhase('sgd', (workbench, call, { band, first: firstRow, last: lastRow }) => {
  const { fit, kernels, view } = workbench;
  const { descent, side } = call;
  if (!descent || call.otherExtra === undefined) throw new Error('The phase was not told what to descend from.');
  const { layout, observations } = fit;
  const { size, ends, rates } = spaceOf(fit);
  const other = otherSide(side);
  const column = (band + descent.round) % size;
  const edges = bandEdges(observations[other].pointers, size);
  const ratesAt = (of: Side, buffer: number) => layout.workspace + (rates[of][buffer] as number);
  const [ownLower, ownUpper] = fit.terms?.bounds[side] ?? unbounded;
  const [otherLower, otherUpper] = fit.terms?.bounds[other] ?? unbounded;
  const descend = (first: number, last: number, entries: EntryAddresses, start: number, endsAt: number) => {
    const { address } = openRows(workbench, call, first, last, entries);
    writeDescent(view, address + behindJob, {
      start,
      ends: endsAt,
      ownRates: ratesAt(side, descent.from),
      outRates: ratesAt(side, descent.to),
      otherRates: ratesAt(other, descent.to),
      otherFrom: layout.sides[other].buffers[call.otherExtra as number] as number,
      otherRatesFrom: ratesAt(other, descent.from),
      otherFirst: edges[column] as number,
      otherLast: edges[column + 1] as number,
      isFirst: first === firstRow ? 1 : 0,
      isLast: last === lastRow ? 1 : 0,
      otherBiasFree: fit.isBiasFitted[other] ? 1 : 0,
      isBounded: [ownLower, ownUpper, otherLower, otherUpper].some(Number.isFinite) ? 1 : 0,
      scale: descent.scale,
      step: descent.step,
      lead: descent.lead,
      biasStep: descent.biasStep,
      ownLower,
      ownUpper,
      otherLower,
      otherUpper,
    });
    kernels[fit.dtype === 'f64' ? 'sgdRows64' : 'sgdRows32'](address, address + behindJob, first, last);
  };
  if (firstRow === lastRow) {
    descend(firstRow, lastRow, nowhere, 0, 0);
    return;
  }
  if (layout.grid) {
    const rows = countsOf(fit)[side];
    const start = column === 0 ? observations[side].pointers[firstRow] : endsOf(fit)[(column - 1) * rows + lastRow - 1];
    descend(firstRow, lastRow, layout.grid, start as number, layout.workspace + ends + 4 * column * rows);
    return;
  }
  const boundaries = fit.blocks[side];
  for (let block = 0; block + 1 < boundaries.length; block++) {
    const first = Math.max(firstRow, boundaries[block] as number);
    const last = Math.min(lastRow, boundaries[block + 1] as number);
    if (first >= last) continue;
    const entries = stageBand(workbench, column, block, first, last);
    descend(first, last, entries, 0, entries.pointers + 4);
  }
});

/** Where there are no rows. */
const nowhere: EntryAddresses = { pointers: 0, indices: 0, values: 0, weights: 0 };

/** Brings what rows first … last−1 of a block of rows have in a band of columns into this task's scratch. */
function stageBand(workbench: Workbench, band: number, block: number, first: number, last: number): EntryAddresses {
  const { fit } = workbench;
  const from = fit.observations.rows;
  const table = startsOf(fit);
  const { rows } = countsOf(fit);
  const { size } = spaceOf(fit);
  if (isFiled(from)) {
    if (!fit.grid) throw new Error('There is no file in the order of the grid.');
    const [begin, end] = [fit.blocks.rows[block] as number, fit.blocks.rows[block + 1] as number];
    const start = table[band * rows + first] as number;
    // Behind a block's last row in a band comes its first in the next band.
    const next = band + 1 < size ? (table[(band + 1) * rows + begin] as number) : (from.pointers[end] as number);
    const stop = last < end ? (table[band * rows + last] as number) : next;
    const { addresses, pointers, lists } = stageRoom(workbench, from, first, last, stop - start);
    for (let row = first; row < last; row++) pointers[row - first] = (table[band * rows + row] as number) - start;
    pointers[last - first] = stop - start;
    readEntries(fit.grid, start, lists);
    return addresses;
  }
  let count = 0;
  for (let row = first; row < last; row++)
    count += (table[(band + 1) * rows + row] as number) - (table[band * rows + row] as number);
  const { addresses, pointers, lists } = stageRoom(workbench, from, first, last, count);
  let at = 0;
  for (let row = first; row < last; row++) {
    const [begin, end] = [table[band * rows + row] as number, table[(band + 1) * rows + row] as number];
    pointers[row - first] = at;
    copyEntries(lists, at, from, begin, end);
    at += end - begin;
  }
  pointers[last - first] = at;
  return addresses;
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
