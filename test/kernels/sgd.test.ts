/** The kernel of stochastic gradient steps against its twin, tails, guards and bounds included. */
import { setFlagsFromString } from 'node:v8';
import { describe, expect, test } from 'vitest';
import {
  type Arithmetic,
  compileKernels,
  type Dtype,
  instantiateKernels,
  writeJob,
} from '../../dist/src/kernels/load.js';
import { descendRow, type ReferenceDescent, type ReferenceProblem } from '../../dist/src/kernels/reference.js';
import { rateAt, rateSize, writeDescent } from '../../dist/src/kernels/sgd.js';
import { behindJob } from '../../dist/src/methods/rowPhases.js';
import { jobBytes } from '../../dist/src/parallel/layout.js';
import { uniform } from '../helpers/random.js';

/** Node 20 has relaxed SIMD behind a flag, which counts from here on; later ones have it anyway. */
if (process.versions.node.startsWith('20.')) setFlagsFromString('--experimental-wasm-relaxed-simd');

interface Request {
  readonly dtype: Dtype;
  readonly rank: number;
  readonly lengths: readonly number[];
  readonly biases?: 'none' | 'rows' | 'columns' | 'both';
  readonly isWeighted?: boolean;
  readonly bounds?: readonly [number, number];
  /** λ̂ at the most. */
  readonly share?: number;
  readonly arithmetic?: Arithmetic;
}

const guard = 0xa5;
const free = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

/** Runs a block of all rows but the first and last, and the other side's rows 1 … others−2, by kernel and by twin. */
async function compare(request: Request): Promise<void> {
  const { dtype, rank, lengths, biases = 'none', isWeighted = false, bounds = free, share = 0.3, arithmetic } = request;
  const { module } = compileKernels(arithmetic ?? 'reproducible');
  const memory = new WebAssembly.Memory({ initial: 20, maximum: 20, shared: true });
  const kernels = instantiateKernels(module, memory);
  const { buffer } = memory;
  const bytes = new Uint8Array(buffer).fill(guard);
  const Real = dtype === 'f32' ? Float32Array : Float64Array;
  const size = Real.BYTES_PER_ELEMENT;
  const next = uniform(rank * 31 + lengths.length);
  const used: [number, number][] = [];
  let address = 1024;
  const reserve = (length: number) => {
    const at = address;
    used.push([at, at + length]);
    address = Math.ceil((address + length) / 64) * 64 + 64;
    return at;
  };
  const hasBias = biases !== 'none';
  const stride = Math.ceil((rank + (hasBias ? 1 : 0)) / 4) * 4;
  const rows = lengths.length;
  const others = Math.max(...lengths) + 4;
  const pointers = [0];
  for (const length of lengths) pointers.push((pointers.at(-1) as number) + length);
  const observed = pointers[rows] as number;
  const reals = (length: number, make: (i: number) => number) => {
    const at = reserve(length * size);
    const view = new Real(buffer, at, length);
    for (let i = 0; i < length; i++) view[i] = make(i);
    return { at, view };
  };
  const words = (list: readonly number[]) => {
    const at = reserve(list.length * 4);
    new Uint32Array(buffer, at, list.length).set(list);
    return at;
  };
  const indices = lengths.flatMap((length, i) =>
    Array.from({ length }, (_, c) => 1 + ((c * 3 + i) % (others - 2))).sort((a, b) => a - b),
  );
  const distinct = indices.map((j, t) => (indices[t - 1] === j ? Math.min(j, others - 2) : j));
  const values = reals(observed, () => 2 * next() - 1);
  const weights = isWeighted ? reals(observed, () => 0.2 + next()) : undefined;
  const factor = (count: number, isFree: boolean) =>
    reals(count * stride, (i) =>
      i % stride < rank || (isFree && i % stride === rank) ? next() - (bounds === free ? 0.3 : 0) : 0,
    );
  const isFree = { rows: biases === 'rows' || biases === 'both', columns: biases === 'columns' || biases === 'both' };
  const U = factor(rows, isFree.rows);
  const V = factor(others, isFree.columns);
  const rate = (count: number) =>
    reals(count * rateSize, (i) => {
      const at = i % rateSize;
      return at === rateAt.squares || at === rateAt.biasSquares ? 0.5 + next() : share * next();
    });
  const ownRates = rate(rows);
  const otherRates = rate(others);
  const out = reals(rows * stride, () => 7);
  const moved = reals(others * stride, () => 7);
  const outRates = reals(rows * rateSize, () => 7);
  const movedRates = reals(others * rateSize, () => 7);
  const pointerAt = words(pointers);
  const job = reserve(jobBytes);
  const scratch = reserve(stride * 16 + 256);
  const descent = { scale: 0.7, step: 0.2, lead: 0.3, biasStep: 0.3 };
  const view = new DataView(buffer);
  const fields = {
    ...{
      rank,
      stride,
      hasBias: hasBias ? 1 : 0,
      ownBiasFree: isFree.rows ? 1 : 0,
      out: out.at,
      own: U.at,
      other: moved.at,
    },
    ...{ pointers: pointerAt, indices: words(distinct), values: values.at, weights: weights?.at ?? 0 },
    ...{ penalties: 0, biasPenalties: 0, scratch, status: 0, isLossWanted: 0, mean: hasBias ? 0.25 : 0 },
  };
  writeJob(view, job, fields);
  writeDescent(view, job + behindJob, {
    ...{
      start: pointers[1] as number,
      ends: pointerAt + 4,
      ownRates: ownRates.at,
      outRates: outRates.at,
      otherRates: movedRates.at,
    },
    ...{ otherFrom: V.at, otherRatesFrom: otherRates.at, otherFirst: 1, otherLast: others - 1, isFirst: 1, isLast: 1 },
    ...{ otherBiasFree: isFree.columns ? 1 : 0, isBounded: bounds === free ? 0 : 1, ...descent },
    ...{ ownLower: bounds[0], ownUpper: bounds[1], otherLower: bounds[0], otherUpper: bounds[1] },
  });
  const given = [U, V, ownRates, otherRates].map((each) => each.view.slice());
  const referenceRates = (view: ArrayLike<number>, count: number) =>
    Array.from({ length: count }, (_, i) => {
      const read = (at: number) => view[i * rateSize + at] as number;
      return {
        ...{ squares: read(rateAt.squares), share: read(rateAt.share) },
        ...{ biasSquares: read(rateAt.biasSquares), biasShare: read(rateAt.biasShare) },
      };
    });
  const twin: ReferenceDescent = {
    ...{ own: Float64Array.from(U.view), other: Float64Array.from(V.view), ...descent },
    ...{ ownRates: referenceRates(ownRates.view, rows), otherRates: referenceRates(otherRates.view, others) },
    ...{ otherBiasFree: isFree.columns, ownBounds: bounds, otherBounds: bounds, batch: 16 / size },
  };
  const problem: ReferenceProblem = {
    ...{
      rank,
      stride,
      hasBias,
      ownBiasFree: isFree.rows,
      mean: fields.mean,
      other: twin.other,
      pointers,
      indices: distinct,
    },
    ...{ values: values.view, weights: weights?.view, penalties: [], biasPenalties: [] },
  };
  kernels[dtype === 'f32' ? 'sgdRows32' : 'sgdRows64'](job, job + behindJob, 1, rows - 1);
  for (let row = 1; row < rows - 1; row++)
    descendRow(problem, twin, row, pointers[row] as number, pointers[row + 1] as number);

  // What is read is as it was, what is not of the block is untouched, and nothing is written beside.
  [U, V, ownRates, otherRates].forEach((each, i) => {
    expect(each.view).toEqual(given[i]);
  });
  for (const [list, count, width] of [
    [out, rows, stride],
    [moved, others, stride],
    [outRates, rows, rateSize],
    [movedRates, others, rateSize],
  ] as const)
    for (const row of [0, count - 1])
      expect([...list.view.subarray(row * width, (row + 1) * width)].every((x) => x === 7)).toBe(true);
  let at = 1024;
  for (const [from, to] of used) {
    expect(bytes.subarray(at, from).every((byte) => byte === guard)).toBe(true);
    at = to;
  }
  const digits = dtype === 'f32' ? 5e-5 : 1e-12;
  const expectNear = (found: ArrayLike<number>, wanted: ArrayLike<number>, first: number, last: number) => {
    for (let i = first; i < last; i++)
      expect(Math.abs((found[i] as number) - (wanted[i] as number))).toBeLessThan(
        digits * (1 + Math.abs(wanted[i] as number)),
      );
  };
  expectNear(out.view, twin.own, stride, (rows - 1) * stride);
  expectNear(moved.view, twin.other, stride, (others - 1) * stride);
  const squaresOf = (view: ArrayLike<number>, count: number, slot: number) =>
    Array.from({ length: count }, (_, i) => view[i * rateSize + slot] as number);
  expectNear(
    squaresOf(outRates.view, rows, rateAt.squares),
    twin.ownRates.map((r) => r.squares),
    1,
    rows - 1,
  );
  expectNear(
    squaresOf(movedRates.view, others, rateAt.squares),
    twin.otherRates.map((r) => r.squares),
    1,
    others - 1,
  );
  expectNear(
    squaresOf(movedRates.view, others, rateAt.biasSquares),
    twin.otherRates.map((r) => r.biasSquares),
    1,
    others - 1,
  );
  if (bounds !== free)
    for (const x of [...out.view.subarray(stride, (rows - 1) * stride)].filter((_, i) => i % stride < rank))
      expect(x).toBeGreaterThanOrEqual(bounds[0]);
}

const lengths = [3, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 17, 4];
const ranks = [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 33, 64];

describe.each(['f32', 'f64'] as const)('%s', (dtype) => {
  test.each(ranks)('rank %i', (rank) => compare({ dtype, rank, lengths }));
  test.each(ranks)('rank %i, weights and biases', (rank) =>
    compare({ dtype, rank, lengths, isWeighted: true, biases: 'both' }),
  );
  test.each(['rows', 'columns'] as const)('biases of the %s alone', (biases) =>
    compare({ dtype, rank: 7, lengths, biases }),
  );
  test.each(['none', 'both'] as const)('non-negative, biases %s', (biases) =>
    compare({ dtype, rank: 6, lengths, biases, bounds: [0, Number.POSITIVE_INFINITY] }),
  );
  test.each([
    ['long rows', [3, 71, 65, 3]],
    ['often met columns', Array.from({ length: 60 }, () => 6)],
  ])('a penalty that takes all of %s', (_, lengths) => compare({ dtype, rank: 64, lengths, share: 1e3 }));
  test('relaxed arithmetic', () => compare({ dtype, rank: 17, lengths, arithmetic: 'fast' }));
});
