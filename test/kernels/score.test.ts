/** The scoring kernel of both builds against plain float64: whatever is within the margin of the best is listed. */
import { setFlagsFromString } from 'node:v8';
import { describe, expect, test } from 'vitest';
import { compileKernels, instantiateKernels } from '../../dist/src/kernels/load.js';
import { scoreStateBytes, visitListed, writeScoreJob } from '../../dist/src/kernels/score.js';
import { uniform } from '../helpers/random.js';

// Node 20 has relaxed SIMD behind a flag.
if (process.versions.node.startsWith('20.')) setFlagsFromString('--experimental-wasm-relaxed-simd');

interface Case {
  rows: number;
  columns: number;
  size: number;
  top: number;
  capacity: number;
  /** Scores are rounded to multiples of it, so that many are alike. */
  step?: number;
  excludedShare?: number;
  margin?: number;
}

const guard = 0xa5;

async function score(build: 'reproducible' | 'fast', given: Case) {
  const { rows, columns, size, top, capacity, step, excludedShare = 0, margin = 1e-4 } = given;
  const { module } = compileKernels(build);
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
  const kernels = instantiateKernels(module, memory);
  const { buffer } = memory;
  const next = uniform(rows * 1000 + columns);
  const random = () => (step ? Math.round((next() - 0.5) / step) * step : next() - 0.5);
  let free = 65536;
  const guards: number[] = [];
  const reserve = (bytes: number) => {
    const address = free;
    new Uint8Array(buffer, address + bytes, 64).fill(guard);
    guards.push(address + bytes);
    free = Math.ceil((free + bytes + 64) / 64) * 64;
    return address;
  };
  const U = Float32Array.from({ length: rows * size }, random);
  const V = Float32Array.from({ length: columns * size }, random);
  const quads = Math.ceil(rows / 4);
  const panels = Math.ceil(columns / 8);
  const factors = new Float32Array(buffer, reserve(quads * 4 * size * 4), quads * 4 * size);
  U.forEach((value, t) => {
    const [row, c] = [Math.floor(t / size), t % size];
    factors[Math.floor(row / 4) * 4 * size + c * 4 + (row % 4)] = value;
  });
  const packed = new Float32Array(buffer, reserve(panels * 8 * size * 4), panels * 8 * size);
  V.forEach((value, t) => {
    const [column, c] = [Math.floor(t / size), t % size];
    packed[Math.floor(column / 8) * 8 * size + c * 8 + (column % 8)] = value;
  });
  const margins = new Float64Array(buffer, reserve(rows * 8), rows).fill(margin);
  const excluded = Array.from({ length: rows }, () =>
    Array.from({ length: columns }, (_, j) => j).filter(() => next() < excludedShare),
  );
  const pointers = new Uint32Array(buffer, reserve((rows + 1) * 4), rows + 1);
  excluded.forEach((list, row) => {
    pointers[row + 1] = (pointers[row] as number) + list.length;
  });
  const positions = new Uint32Array(buffer, reserve((pointers[rows] as number) * 4), pointers[rows]);
  positions.set(excluded.flat());
  const stateBytes = scoreStateBytes(top, capacity);
  const states = reserve(quads * 4 * stateBytes);
  const view = new DataView(buffer);
  writeScoreJob(view, 1024, {
    size,
    quads,
    rows,
    columns,
    factors: factors.byteOffset,
    panels: packed.byteOffset,
    top,
    capacity,
    margins: margins.byteOffset,
    pointers: pointers.byteOffset,
    excluded: positions.byteOffset,
    states,
    stateBytes,
    scratch: 2048,
  });
  kernels.scoreRows32(1024);
  for (const address of guards) expect(new Uint8Array(buffer, address, 64).every((byte) => byte === guard)).toBe(true);
  return Array.from({ length: rows }, (_, row) => {
    const exact = Array.from({ length: columns }, (_, j) => {
      let sum = 0;
      for (let c = 0; c < size; c++) sum += (U[row * size + c] as number) * (V[j * size + c] as number);
      return excluded[row]?.includes(j) ? Number.NEGATIVE_INFINITY : sum;
    });
    const listed: number[] = [];
    const isWhole = visitListed(view, states + row * stateBytes, top, (position) => listed.push(position));
    return { exact, listed, isWhole };
  });
}

const cases: [string, Case][] = [
  ['one row, one column', { rows: 1, columns: 1, size: 1, top: 1, capacity: 220 }],
  ['tails of quads and panels', { rows: 7, columns: 83, size: 5, top: 4, capacity: 232 }],
  ['fewer columns than asked for', { rows: 4, columns: 9, size: 3, top: 20, capacity: 296 }],
  ['several groups of panels', { rows: 10, columns: 2001, size: 66, top: 10, capacity: 256 }],
  ['lists that fill up and are cleared', { rows: 9, columns: 3000, size: 4, top: 3, capacity: 24 }],
  ['excluded columns', { rows: 5, columns: 500, size: 8, top: 6, capacity: 240, excludedShare: 0.4 }],
  ['nearly all excluded', { rows: 3, columns: 300, size: 8, top: 5, capacity: 236, excludedShare: 0.99 }],
  ['ties', { rows: 6, columns: 400, size: 2, top: 5, capacity: 400, step: 0.25 }],
  ['a thousand asked for', { rows: 4, columns: 4000, size: 6, top: 1000, capacity: 4216 }],
];

describe.each(['reproducible', 'fast'] as const)('%s', (build) => {
  test.each(cases)('%s', async (_name, given) => {
    const { top, margin = 1e-4, capacity } = given;
    for (const { exact, listed, isWhole } of await score(build, given)) {
      expect(isWhole).toBe(true);
      const finite = exact.filter(Number.isFinite).sort((a, b) => b - a);
      const least = finite[Math.min(top, finite.length) - 1] ?? Number.POSITIVE_INFINITY;
      const wanted = exact.flatMap((value, j) => (Number.isFinite(value) && value >= least ? [j] : []));
      expect(listed).toEqual([...listed].sort((a, b) => a - b));
      expect(wanted.filter((j) => !listed.includes(j))).toEqual([]);
      // And little else: f32 is off by much less than the margin here.
      for (const j of listed) expect(exact[j]).toBeGreaterThanOrEqual(finite.length < top ? -1e9 : least - 2 * margin);
      expect(listed.length).toBeLessThanOrEqual(capacity);
    }
  });

  test('says when more columns are alike than it can list', async () => {
    const [row] = await score(build, { rows: 1, columns: 999, size: 3, top: 2, capacity: 64, margin: 10 });
    expect(row?.isWhole).toBe(false);
  });
});
