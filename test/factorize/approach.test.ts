/** auto on large problems: epochs of sgd before sweeps, blocks of coordinates at large ranks; the same bits whoever runs it. */
import { describe, expect, test } from 'vitest';
import { chooseApproach, chooseMethod } from '../../dist/src/factorize/methods.js';
import { factorize } from '../../dist/src/index.js';
import { checkOptions } from '../../dist/src/options.js';
import { evenRuns } from '../../dist/src/parallel/partition.js';
import { temporaryFolder } from '../cli/run.js';
import { problem, triples } from '../helpers/problem.js';

const large = problem({ m: 900, n: 500, density: 0.33, rank: 6, offset: 1, noise: 0.3, seed: 8 });
const A = triples(large);
const options = {
  rank: 64,
  lambda: 0.05,
  lambdaScale: 'count',
  dtype: 'f32',
  seed: 3,
  certificate: 'first-order',
} as const;

describe('an approach', () => {
  test('has the same bits on any number of threads, and f never rises', async () => {
    const [one, ...others] = await Promise.all(
      [1, 2, 3].map((threads) => factorize(A, { ...options, threads, inline: 'never', maxSweeps: 13 })),
    );
    expect(one?.fit.method).toMatchObject({ name: 'als', reason: expect.stringMatching(/after [1-9] epochs of sgd/) });
    expect(one?.fit.sweeps).toBe(13);
    expect(one?.fit.certificate.monotone).toBe(true);
    for (const other of others) expect(other.fit.digest).toBe(one?.fit.digest);
  });

  test('ends where sweeps alone do, within 1 %, after fewer of them', async () => {
    const far = { ...options, tolerance: 1e-4 };
    const [auto, als] = [await factorize(A, far), await factorize(A, { ...far, method: 'als' })];
    expect(auto.fit.status).toBe('converged');
    expect(auto.fit.objective).toBeLessThan(1.01 * als.fit.objective);
  });

  test('has the same bits where the observations are staged or on disk', async () => {
    const folder = temporaryFolder();
    const few = { ...options, maxSweeps: 4 };
    const { digest } = (await factorize(A, few)).fit;
    for (const where of [{ residency: 'staged' }, { onDisk: folder.path }] as const) {
      const { fit } = await factorize(A, { ...few, ...where });
      expect(fit).toMatchObject({ digest, resident: false });
      expect(fit.method.reason).toContain('sgd');
    }
    folder.remove();
  });

  test('is all of a fit that is asked for no more sweeps', async () => {
    const { fit } = await factorize(A, { ...options, maxSweeps: 2 });
    expect(fit).toMatchObject({ sweeps: 2, status: 'budget', reason: 'sweeps' });
    expect(fit.method.reason).toContain('after 2 epochs of sgd');
  });

  test('is left out from a given start, where memory is short or a method is asked for', async () => {
    const given = await factorize(A, { ...options, maxSweeps: 1, method: 'als' });
    expect(given.fit.method.reason).toBe('asked for');
    const { fit } = await factorize(A, { ...options, maxSweeps: 1, init: given });
    expect(fit.method.reason).not.toContain('sgd');
    const memoryLimit = given.fit.memoryBytes.planned + 1;
    const short = await factorize(A, { ...options, maxSweeps: 1, memoryLimit });
    expect(short.fit.method.reason).not.toContain('sgd');
  });

  test('is made where a sweep is 3.5 times as dear as an epoch, of a large problem', () => {
    const lengths = { rows: evenRuns(50_000, 4e6), columns: evenRuns(10_000, 4e6) };
    const counts = { rows: 50_000, columns: 10_000 };
    const of = { counts, observed: 4e6, lengths, isComposed: false, hasBackground: false, mayPrecondition: true };
    const approach = (rank: number) =>
      chooseApproach(checkOptions({ rank, lambda: 0.1 }), of, { name: 'als', reason: '' }, 'f32')?.method.name;
    expect([9, 12, 16].map((rank) => approach(rank))).toEqual([undefined, 'sgd', 'sgd']);
  });
});

describe('blocks of coordinates are taken', () => {
  const shape = (rows: number, more: object = {}) => ({
    counts: { rows, columns: 500 },
    observed: rows * 100,
    lengths: { rows: evenRuns(rows, rows * 100), columns: evenRuns(500, rows * 100) },
    isComposed: false,
    hasBackground: false,
    mayPrecondition: true,
    ...more,
  });
  const background = { isComposed: true, hasBackground: true };
  const f64 = { dtype: 'f64' };
  const name = (rank: number, of: object, more: object = {}) =>
    chooseMethod(checkOptions({ rank, lambda: 0.1, ...more }), of as ReturnType<typeof shape>).name;

  test.each([
    ['from rank 256 in f64', name(256, shape(5000), f64), 'block-als'],
    ['and where there is no room for a basis', name(256, shape(5000, { mayPrecondition: false })), 'block-als'],
    ['not below', name(255, shape(5000), f64), 'als'],
    ['not where steps on rows are conditioned', name(256, shape(5000)), 'als'],
    ['nor beside biases', name(256, shape(5000), { biases: 'both' }), 'als'],
    ['with a background from rank 128 in f64', name(128, shape(5000, background), f64), 'block-als'],
    ['and beside biases', name(128, shape(5000, background), { biases: 'both' }), 'block-als'],
    ['not where rows are solved in the eigenbasis', name(256, shape(5000, background)), 'als'],
    ['not beyond squares', name(256, shape(5000, { isComposed: true }), f64), 'als'],
    ['not in a small problem', name(256, shape(20), f64), 'als'],
    ['not without a ridge', name(256, shape(5000), { ...f64, lambda: 0 }), 'als'],
    ['not when another is asked for', name(256, shape(5000), { ...f64, method: 'als' }), 'als'],
  ])('%s', (_, chosen, expected) => {
    expect(chosen).toBe(expected);
  });
});
