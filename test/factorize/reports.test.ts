/** A handler of progress that fails, at once or later, fails the fit and nothing else. */
import ndarray from 'ndarray';
import { expect, test } from 'vitest';
import { factorize, openSession, type Progress } from '../../dist/src/index.js';

const A = ndarray(
  Float64Array.from({ length: 30 }, (_, i) => (i * 7) % 5),
  [6, 5],
);
const options = { rank: 2, lambda: 0.1, tolerance: 0, maxSweeps: 20, threads: 1 } as const;

test.each(['prepare', 'sweep', 'certify'] as const)('that throws or rejects at %s', async (at) => {
  const failed = new Error('no room for the log');
  const seen: Progress['phase'][] = [];
  const fail = (progress: Progress) => {
    seen.push(progress.phase);
    if (progress.phase === at) throw failed;
  };
  await expect(factorize(A, { ...options, onProgress: fail })).rejects.toBe(failed);
  seen.length = 0;
  await expect(factorize(A, { ...options, onProgress: async (progress) => fail(progress) })).rejects.toBe(failed);
  // It ends with the next report, if not before.
  expect(seen.filter((phase) => phase === at)).toHaveLength(1);
});

test('as in a session', async () => {
  await using session = openSession({ threads: 1 });
  const failed = new Error('no room for the log');
  const onProgress = async () => {
    throw failed;
  };
  await expect(session.factorize(A, { ...options, onProgress })).rejects.toBe(failed);
});

test('one that never settles holds nothing up', async () => {
  const model = await factorize(A, { ...options, onProgress: () => new Promise<void>(() => undefined) });
  expect(model.fit.sweeps).toBe(20);
});
