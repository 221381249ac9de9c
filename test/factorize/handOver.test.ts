/** Option `handOver`: the lists of triples are free once they are sorted; the same bits, and errors that say as much. */
import { describe, expect, test } from 'vitest';
import type { Triples } from '../../dist/src/data/input.js';
import { listEntries } from '../../dist/src/data/listing.js';
import { joinedLater } from '../../dist/src/data/pieces.js';
import { type FactorizeOptions, factorize } from '../../dist/src/index.js';
import { temporaryFolder } from '../cli/run.js';
import { problem, sqrtWeights, triples } from '../helpers/problem.js';

const of = problem({ m: 300, n: 120, density: 0.2, isWeighted: true, seed: 4 });
const A = triples(of);
const copyOf = ({ rows, columns, values, shape }: Triples): Triples => ({
  rows: rows.slice(),
  columns: columns.slice(),
  values: values.slice(),
  shape,
});
const lengthsOf = ({ rows, columns, values }: Triples) => [rows.length, columns.length, values.length];

const ways: [string, (folder: string) => Partial<FactorizeOptions>][] = [
  ['in memory', () => ({})],
  ['weighted', () => ({ weights: sqrtWeights(of) })],
  ['on disk', (folder) => ({ onDisk: folder })],
  ['with a share held out', () => ({ holdout: 0.2 })],
  ['summed', () => ({ duplicates: 'sum' })],
];

describe.each(ways)('%s', (_name, more) => {
  test('the same bits, and the lists are empty', async () => {
    const folder = temporaryFolder();
    const options = { rank: 3, lambda: 0.1, maxSweeps: 5, ...more(folder.path) };
    const kept = copyOf(A);
    const expected = await factorize(kept, options);
    expect(lengthsOf(kept)).toEqual(lengthsOf(A));
    const given = copyOf(A);
    const weights = options.weights && { sqrtWeight: Float64Array.from(sqrtWeights(of).sqrtWeight) };
    const { fit } = await factorize(given, { ...options, weights, handOver: true });
    expect(fit.digest).toBe(expected.fit.digest);
    expect(lengthsOf(given)).toEqual([0, 0, 0]);
    if (weights) expect(weights.sqrtWeight.length).toBe(0);
    folder.remove();
  });

  test('an entry that is listed twice is told with both places', async () => {
    const folder = temporaryFolder();
    const options = { rank: 3, lambda: 0.1, ...more(folder.path), weights: undefined, duplicates: 'refuse' } as const;
    const doubled = (): Triples => ({
      rows: Uint32Array.of(2, 0, 1, 2),
      columns: Uint32Array.of(1, 0, 1, 1),
      values: Float64Array.of(1, 2, 3, 4),
      shape: [3, 2],
    });
    const told = (handOver: boolean) =>
      factorize(doubled(), { ...options, handOver }).catch(({ code, position, what }) => ({ code, position, what }));
    expect(await told(false)).toMatchObject({ code: 'duplicate-entry', position: { row: 2, column: 1 } });
    expect(await told(true)).toEqual(await told(false));
    folder.remove();
  });
});

describe('entries in pieces, as readers hand them over', () => {
  /** Pieces of three entries, in float32 where that holds them exactly, or in thousandths. */
  const pieced = ({ rows, columns, values, shape }: Triples, isRepeatable: boolean) => {
    const pieces = Array.from({ length: Math.ceil(values.length / 3) }, (_, i) => {
      const part = values.slice(3 * i, 3 * i + 3) as Float64Array;
      const isSingle = part.every((value) => Math.fround(value) === value);
      const isDecimal = part.every((value) => Math.round(value * 1000) / 1000 === value);
      return {
        rows: Uint32Array.from(rows.slice(3 * i, 3 * i + 3)),
        columns: Uint32Array.from(columns.slice(3 * i, 3 * i + 3)),
        held: isSingle
          ? Float32Array.from(part)
          : isDecimal
            ? Int32Array.from(part, (value) => Math.round(value * 1000))
            : part,
        divisor: !isSingle && isDecimal ? 1000 : 1,
      };
    });
    return { pieces: [...pieces], A: joinedLater(pieces, shape, isRepeatable) };
  };
  const rounded: Triples = {
    ...copyOf(A),
    values: A.values.map(
      (value, t) => [value, Math.fround(value), Math.round(1000 * value) / 1000][(t % 14) >> 2] ?? value,
    ),
  };
  const sorted = listEntries(rounded, undefined, 'refuse');
  const orders: [string, Triples][] = [
    ['as listed', rounded],
    ['row by row', { rows: sorted.rows, columns: sorted.columns, values: sorted.values, shape: A.shape }],
  ];

  test.each(orders)('%s: the same bits, and each piece is free', async (_name, listed) => {
    const folder = temporaryFolder();
    for (const more of [{}, { onDisk: folder.path }]) {
      const options = { rank: 3, lambda: 0.1, maxSweeps: 5, ...more };
      const { digest } = (await factorize(listed, options)).fit;
      for (const isRepeatable of [true, false]) {
        const given = pieced(listed, isRepeatable);
        expect((await factorize(given.A, { ...options, handOver: true })).fit.digest).toBe(digest);
        expect(given.pieces.map(({ rows }) => rows.length).filter((length) => length > 0)).toEqual([]);
      }
      // Who keeps them has them all.
      const kept = pieced(listed, true).A;
      expect((await factorize(kept, options)).fit.digest).toBe(digest);
      expect(copyOf(kept)).toEqual(copyOf(listed));
    }
    folder.remove();
  });

  test('are read as often as sorting them without a kernel takes, and freed the last time', async () => {
    const [m, n, count] = [3001, 700, 2 ** 21 + 10];
    const rows = () => Uint32Array.from({ length: count }, (_, t) => t % m);
    const columns = () => Uint32Array.from({ length: count }, (_, t) => Math.floor(t / m));
    const values = () => Float64Array.from({ length: count }, (_, t) => Math.sin(t));
    const options = { rank: 1, lambda: 0.1, maxSweeps: 1, residency: 'staged' } as const;
    const listed: Triples = { rows: rows(), columns: columns(), values: values(), shape: [m, n] };
    const { digest } = (await factorize(listed, options)).fit;
    const piece = { rows: rows(), columns: columns(), held: values(), divisor: 1 };
    const A = joinedLater([piece], [m, n], true);
    expect((await factorize(A, { ...options, handOver: true })).fit.digest).toBe(digest);
    expect(piece.rows.length).toBe(0);
  });

  test('weights, a part held out and validation entries see one list', async () => {
    const { sqrtWeight } = sqrtWeights(of);
    for (const more of [{ weights: { sqrtWeight } }, { holdout: 0.2 }]) {
      const options = { rank: 3, lambda: 0.1, maxSweeps: 5, ...more };
      const { digest } = (await factorize(rounded, options)).fit;
      expect((await factorize(pieced(rounded, true).A, options)).fit.digest).toBe(digest);
    }
  });

  test('what is listed twice is told without places where the pieces are gone', async () => {
    const doubled = (isRepeatable: boolean) =>
      pieced(
        {
          rows: Uint32Array.of(2, 0, 1, 2),
          columns: Uint32Array.of(1, 0, 1, 1),
          values: Float64Array.of(1, 2, 3, 4),
          shape: [3, 2],
        },
        isRepeatable,
      ).A;
    const options = { rank: 1, lambda: 0.1, handOver: true };
    await expect(factorize(doubled(true), options)).rejects.toMatchObject({
      code: 'duplicate-entry',
      what: 'Entry (2, 1) is listed more than once.',
      position: { row: 2, column: 1 },
    });
    await expect(factorize(doubled(false), options)).rejects.toMatchObject({ position: { first: 0, index: 3 } });
  });
});

test('what cannot be given up stays: shared memory, and other forms', async () => {
  const shared: Triples = { ...copyOf(A), values: new Float64Array(new SharedArrayBuffer(A.values.byteLength)) };
  shared.values.set(A.values);
  await factorize(shared, { rank: 2, maxSweeps: 2, lambda: 0.1, handOver: true });
  expect(lengthsOf(shared)).toEqual([0, 0, A.values.length]);
  const memory = new WebAssembly.Memory({ initial: 2 });
  const inside: Triples = { ...copyOf(A), values: new Float64Array(memory.buffer, 0, A.values.length) };
  inside.values.set(A.values);
  await factorize(inside, { rank: 2, maxSweeps: 2, lambda: 0.1, handOver: true });
  expect(lengthsOf(inside)).toEqual([0, 0, A.values.length]);
});

test('CSR', async () => {
  const row = (t: number) => Math.floor(t / 40);
  const csr = () => ({
    rowPointers: Uint32Array.from({ length: 61 }, (_, i) => 40 * i),
    columnIndices: Uint32Array.from({ length: 2400 }, (_, t) => (7 * t + row(t)) % 50),
    values: Float64Array.from({ length: 2400 }, (_, t) => Math.sin(t)),
    shape: [60, 50] as const,
  });
  const options = { rank: 3, lambda: 0.1, maxSweeps: 5 };
  const { digest } = (await factorize(csr(), options)).fit;
  const given = csr();
  expect((await factorize(given, { ...options, handOver: true })).fit.digest).toBe(digest);
  expect([given.rowPointers, given.columnIndices, given.values].map(({ length }) => length)).toEqual([0, 0, 0]);
});

test('a start that is made after a trial still has A', async () => {
  const small = problem({ m: 30, n: 20, density: 0.5, seed: 4 });
  const options = { rank: 2, tolerance: 1e-12, maxSweeps: 60 };
  const expected = await factorize(triples(small), options);
  expect(expected.fit.method.name).toBe('varpro');
  expect((await factorize(triples(small), { ...options, handOver: true })).fit.digest).toBe(expected.fit.digest);
});

test('it is true or false', async () => {
  await expect(factorize(A, { rank: 2, handOver: 'yes' as never })).rejects.toMatchObject({
    code: 'invalid-option',
    position: { option: 'handOver' },
  });
});
