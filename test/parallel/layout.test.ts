/** The shared memory's layout: everything has its own place, aligned, and what does not fit is staged. Nothing is allocated here. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scratchBytes } from '../../dist/src/kernels/load.js';
import {
  alignUp,
  elementBytes,
  gramGroups,
  type Layout,
  type LayoutRequest,
  memoryCeiling,
  planLayout,
  sides,
  strideOf,
  totalsPerBlock,
} from '../../dist/src/parallel/layout.js';

const request = (change: Partial<LayoutRequest> = {}): LayoutRequest => ({
  dtype: 'f32',
  stride: 16,
  hasBias: true,
  isWeighted: true,
  observed: 5000,
  counts: { rows: 300, columns: 77 },
  blocks: { rows: 7, columns: 3 },
  buffers: { rows: 2, columns: 3 },
  threads: 3,
  kernelScratch: scratchBytes(16),
  largestBlock: { rows: 60, entries: 900 },
  residency: 'auto',
  isOnDisk: false,
  terms: undefined,
  gram: undefined,
  workspace: 0,
  hasGrid: false,
  covariances: 0,
  ...change,
});

const requests = fc
  .record({
    dtype: fc.constantFrom('f32' as const, 'f64' as const),
    rank: fc.integer({ min: 1, max: 130 }),
    hasBias: fc.boolean(),
    isWeighted: fc.boolean(),
    observed: fc.nat(100000),
    rows: fc.integer({ min: 1, max: 3000 }),
    columns: fc.integer({ min: 1, max: 3000 }),
    threads: fc.integer({ min: 1, max: 9 }),
    residency: fc.constantFrom('auto' as const, 'staged' as const),
    buffers: fc.integer({ min: 2, max: 4 }),
    basis: fc.option(fc.record({ rows: fc.constantFrom(0, 5000), columns: fc.constantFrom(0, 5000) }), {
      nil: undefined,
    }),
  })
  .map(({ rank, rows, columns, buffers, basis, ...rest }) =>
    request({
      ...rest,
      gram: basis && { length: 300, basis },
      stride: strideOf(rank, rest.hasBias),
      kernelScratch: scratchBytes(strideOf(rank, rest.hasBias)),
      counts: { rows, columns },
      blocks: { rows: Math.min(rows, 20), columns: Math.min(columns, 5) },
      buffers: { rows: buffers, columns: buffers },
      largestBlock: { rows, entries: rest.observed },
    }),
  );

/** Every piece of the memory with its length in bytes. */
function piecesOf(of: LayoutRequest, layout: Layout): [name: string, address: number, bytes: number][] {
  const element = elementBytes(of.dtype);
  const pieces: [string, number, number][] = [['control', 0, 64]];
  for (const side of sides) {
    const at = layout.sides[side];
    const rows = of.counts[side];
    pieces.push([`${side} done`, at.done, of.blocks[side] * 4]);
    pieces.push([`${side} results`, at.results, of.blocks[side] * totalsPerBlock * 8]);
    pieces.push([`${side} penalties`, at.penalties, rows * 8]);
    if (of.hasBias) pieces.push([`${side} bias penalties`, at.biasPenalties, rows * 8]);
    pieces.push([`${side} status`, at.status, rows]);
    at.buffers.forEach((address, i) => {
      pieces.push([`${side} buffer ${i}`, address, rows * of.stride * element]);
    });
    if (of.gram && at.gram) {
      pieces.push([`${side} groups of sums`, at.gram.groups, of.gram.length * gramGroups * 8]);
      pieces.push([`${side} sums`, at.gram.sums, of.gram.length * 8]);
      pieces.push([`${side} basis`, at.gram.basis, of.gram.basis[side]]);
      pieces.push([`${side} weights in sums`, at.gram.weights, rows * 8]);
    }
    if (!at.resident) continue;
    pieces.push([`${side} pointers`, at.resident.pointers, (rows + 1) * 4]);
    pieces.push([`${side} indices`, at.resident.indices, of.observed * 4]);
    pieces.push([`${side} values`, at.resident.values, of.observed * element]);
    if (of.isWeighted) pieces.push([`${side} weights`, at.resident.weights, of.observed * element]);
  }
  // Shared by the sides.
  const inBasis = sides.filter((side) => of.gram?.basis[side]);
  const addresses = inBasis.map((side) => layout.sides[side].gram?.rotated as number);
  expect(new Set(addresses).size).toBeLessThanOrEqual(1);
  const most = Math.max(0, ...inBasis.map((side) => of.counts[side]));
  pieces.push(['the factor in a basis', addresses[0] ?? 0, most * of.stride * element]);
  for (let slot = 0; slot < of.threads; slot++) {
    const base = layout.scratch + slot * layout.scratchStride;
    pieces.push([`kernel scratch ${slot}`, base, of.kernelScratch]);
    // 15 words and five doubles.
    pieces.push([`job ${slot}`, base + layout.jobOffset, 104]);
    if (layout.isResident) continue;
    const { rows, entries } = of.largestBlock;
    let next = base + layout.stageOffset;
    for (const [name, bytes] of [
      ['pointers', (rows + 1) * 4],
      ['indices', entries * 4],
      ['values', entries * element],
      ['weights', of.isWeighted ? entries * element : 0],
    ] as const) {
      pieces.push([`staged ${name} ${slot}`, next, bytes]);
      next = alignUp(next + bytes);
    }
  }
  return pieces;
}

test('no two pieces overlap, all begin at a multiple of 64 and lie within the pages', () => {
  fc.assert(
    fc.property(requests, (of) => {
      const layout = planLayout(of);
      const pieces = piecesOf(of, layout).sort((a, b) => a[1] - b[1]);
      let end = 0;
      let before = 'the start';
      for (const [name, address, bytes] of pieces) {
        if (bytes === 0) continue;
        expect(address % 64, name).toBe(0);
        expect(address, `${name} after ${before}`).toBeGreaterThanOrEqual(end);
        end = address + bytes;
        before = name;
      }
      expect(end).toBeLessThanOrEqual(layout.pages * 65536);
      expect(layout.bytes.memory).toBe(layout.pages * 65536);
      expect(layout.isResident).toBe(of.residency === 'auto');
    }),
  );
});

describe('4 GiB', () => {
  // 2·(4 + 4 + 4) bytes an entry: 24 bytes.
  const large = (observed: number, more: Partial<LayoutRequest> = {}) =>
    planLayout(
      request({
        observed,
        counts: { rows: 1e6, columns: 1e5 },
        largestBlock: { rows: 5000, entries: 500000 },
        ...more,
      }),
    );

  test('observations that fit are resident, one entry too many and they are staged', () => {
    let [low, high] = [1e6, 1e9];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (large(middle).isResident) low = middle;
      else high = middle;
    }
    expect(large(low).bytes.memory).toBeLessThanOrEqual(memoryCeiling);
    expect(low * 24).toBeGreaterThan(0.9 * memoryCeiling);
    const staged = large(high);
    expect(staged.isResident).toBe(false);
    expect(staged.sides.rows.resident).toBeUndefined();
    expect(staged.bytes.memory).toBeLessThan(1e9);
    expect(staged.bytes.outside).toBeGreaterThan(high * 24);
    expect(staged.bytes.outside).toBeLessThan(high * 24 + 20e6);
  });

  test('addresses stay below 2³² and numbers exact with billions of entries', () => {
    const layout = large(20e9, { dtype: 'f64' });
    expect(layout.isResident).toBe(false);
    expect(layout.bytes.observations).toBe(2 * 20e9 * 20 + (1e6 + 1e5 + 2) * 12);
    expect(layout.scratch + 3 * layout.scratchStride).toBeLessThan(2 ** 32);
  });
});

test('stride: rank and a bias slot, rounded up to 4', () => {
  expect([1, 3, 4, 5, 50, 100].map((rank) => strideOf(rank, false))).toEqual([4, 4, 4, 8, 52, 100]);
  expect([1, 3, 4, 5, 50, 100].map((rank) => strideOf(rank, true))).toEqual([4, 4, 8, 8, 52, 104]);
});
