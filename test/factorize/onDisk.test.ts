/** Option `onDisk`: the bits of a fit in memory, errors that say what is wrong with the folder, and nothing left behind. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { type FactorizeOptions, factorize, type Model, plan } from '../../dist/src/index.js';
import { temporaryFolder } from '../cli/run.js';
import { problem, sqrtWeights, triples } from '../helpers/problem.js';

const folder = temporaryFolder();
afterAll(folder.remove);

/** Descriptors of files of fits that are open in this process. */
const openFiles = () =>
  readdirSync('/proc/self/fd').filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(join(folder.path, '.hadamard-'));
    } catch {
      return false;
    }
  });
const isLinux = process.platform === 'linux';

afterEach(() => {
  expect(readdirSync(folder.path)).toEqual([]);
  if (isLinux) expect(openFiles()).toEqual([]);
});

const weighted = problem({ m: 1200, n: 400, density: 0.05, rank: 4, isWeighted: true, offset: 3, seed: 12 });
const A = triples(weighted);
const weights = sqrtWeights(weighted);
const rates = triples(weighted, ({ value }) => Math.abs(value));
const doubled = (() => {
  const twice = <T extends Uint32Array | Float64Array>(list: T, type: { from(from: Iterable<number>): T }) =>
    type.from([...list, ...list.subarray(0, 500)]);
  const { rows, columns, values, shape } = A as typeof A & {
    values: Float64Array;
    rows: Uint32Array;
    columns: Uint32Array;
  };
  return {
    rows: twice(rows, Uint32Array),
    columns: twice(columns, Uint32Array),
    values: twice(values, Float64Array),
    shape,
  };
})();

/** What must not differ. */
function bitsOf({ fit }: Model) {
  const { digest, objective, loss, regularization, sweeps, certificate, rmse, status, q, explained, uncertainty } = fit;
  // The bound takes the observations in memory.
  const { globalBound: _bound, globalGap: _gap, globalStatement: _statement, ...certified } = certificate;
  return { digest, objective, loss, regularization, sweeps, certified, rmse, status, q, explained, uncertainty };
}

const fits: [string, Partial<FactorizeOptions>, typeof A?][] = [
  ['f32', {}],
  ['f64, weighted, biased', { dtype: 'f64', weights, biases: 'both', lambda: 0.1, lambdaScale: 'weight' }],
  ['f32, weighted, intervals', { weights, intervals: 0.9, lambda: 0.1, lambdaScale: 'count' }],
  ['gradient', { method: 'gradient', maxSweeps: 5 }],
  ['varpro without its matrix', { method: 'varpro', maxSweeps: 2 }],
  ['lbfgs', { method: 'lbfgs', maxSweeps: 4 }],
  ['als, polished', { method: 'als', polish: 'newton', lambda: 0.1, maxSweeps: 12 }],
  // Of ranks at which the grid has several bands.
  ['sgd', { method: 'sgd', lambda: 0.1, lambdaScale: 'count', rank: 48 }],
  ['sgd, weighted, biased, f64', { method: 'sgd', weights, biases: 'both', dtype: 'f64', rank: 30 }],
  ['sgd, listed twice, non-negative', { method: 'sgd', duplicates: 'sum', nonnegative: 'both', rank: 29 }, doubled],
  ['sgd, many starts', { method: 'sgd', starts: 3, maxSweeps: 4, lambda: 0.1, rank: 20 }],
  ['block-als', { method: 'block-als', lambda: 0.1, weights, biases: 'both' }],
  ['block-als, a background', { method: 'block-als', background: 0.1, lambda: 0.1 }],
  ['block-als, non-negative', { method: 'block-als', nonnegative: 'both', lambda: 0.1 }],
  ['entries listed twice, kept', { duplicates: 'keep' }, doubled],
  ['entries listed twice, summed', { duplicates: 'sum', biases: 'both' }, doubled],
  ['held out', { holdout: 0.1, patience: 3, biases: 'rows', lambda: 0.1 }],
  ['a background', { background: 0.1, lambda: 0.1, lambdaScale: 'weight' }],
  ['huber, non-negative', { loss: 'huber:0.5', nonnegative: 'both', weights }],
  ['poisson', { loss: 'poisson', nonnegative: 'both' }, rates],
  ['rows without solution', { rank: 30, maxSweeps: 3 }],
  ['many starts', { starts: 3, maxSweeps: 6 }],
  ['receptor model', { preset: 'pmf', weights: { sigma: Float64Array.from(A.values, () => 0.5) } }, rates],
  ['principal components', { preset: 'pca' }],
  ['l1 with its ε', { loss: 'l1:0.5', maxSweeps: 1 }],
];

describe('the same bits as in memory', () => {
  test.each(fits)('%s', async (_name, given, data = A) => {
    const options = { rank: 5, maxSweeps: 8, seed: 3, ...given };
    const expected = bitsOf(await factorize(data, { ...options, threads: 1, residency: 'staged' }));
    const model = await factorize(data, { ...options, threads: 3, inline: 'never', onDisk: folder.path });
    expect(bitsOf(model)).toEqual(expected);
    expect(model.fit).toMatchObject({ resident: false, onDisk: true });
  });

  test.each(['als', 'sgd', 'block-als'] as const)('%s, as where the observations are resident', async (method) => {
    const options = { rank: 20, maxSweeps: 5, lambda: 0.1, method };
    const resident = await factorize(A, options);
    expect(resident.fit).toMatchObject({ resident: true });
    expect(resident.fit).not.toHaveProperty('onDisk');
    for (const way of [{ threads: 1 }, { threads: 2, inline: 'never' }] as const) {
      const { fit } = await factorize(A, { ...options, ...way, onDisk: folder.path });
      expect(fit.digest).toBe(resident.fit.digest);
    }
  });
});

test('a global bound is left out, and it is said why', async () => {
  const { fit } = await factorize(A, { rank: 2, maxSweeps: 3, lambda: 1, onDisk: folder.path });
  expect(fit.certificate).not.toHaveProperty('globalBound');
  expect(fit.certificate.globalStatement).toContain('on disk');
});

test('the plan tells bytes of memory and disk, and files do not count against the limit', () => {
  const shape = { shape: [480_000, 18_000] as const, observed: 200_000_000 };
  const inMemory = plan(shape, { rank: 32, lambda: 1, memoryLimit: 2 ** 33 });
  const onDisk = plan(shape, { rank: 32, lambda: 1, onDisk: folder.path, memoryLimit: 2 ** 33 });
  expect(inMemory.bytes.disk).toBe(0);
  // Two orientations of index, value and, while they are sorted, owner.
  expect(onDisk.bytes.disk).toBe(2 * 200_000_000 * 12);
  expect(onDisk.bytes.total).toBeLessThan(inMemory.bytes.total - 2.5e9);
  expect(() => plan(shape, { rank: 32, lambda: 1, memoryLimit: 2 ** 31 })).toThrow(/needs/);
  expect(plan(shape, { rank: 32, lambda: 1, onDisk: folder.path, memoryLimit: 2 ** 31 }).bytes.total).toBeLessThan(
    2 ** 31,
  );
});

describe('errors', () => {
  const fitTo = (onDisk: string, more: Partial<FactorizeOptions> = {}) =>
    factorize(A, { rank: 5, maxSweeps: 4, lambda: 0.1, onDisk, ...more });

  test('a folder that is not there', async () => {
    const missing = join(folder.path, 'missing');
    await expect(fitTo(missing)).rejects.toMatchObject({
      code: 'not-found',
      position: { option: 'onDisk', file: missing },
      message: expect.stringContaining(missing),
    });
  });

  test.runIf(isLinux)('a folder that takes no files', async () => {
    await expect(fitTo('/proc')).rejects.toMatchObject({ position: { option: 'onDisk', file: '/proc' } });
    await expect(fitTo(fileURLToPath(import.meta.url))).rejects.toMatchObject({ code: 'not-found' });
  });

  test('a disk without room is told before anything is written', async () => {
    const shape = { shape: [1000, 1000] as const, observed: 1000 };
    expect(plan(shape, { rank: 1, onDisk: folder.path }).bytes.disk).toBe(24_000);
    // A script whose statfs says that there is next to nothing left.
    const script = join(folder.path, 'full.mjs');
    writeFileSync(
      script,
      `import fs from 'node:fs/promises'; import { syncBuiltinESMExports } from 'node:module';
       fs.statfs = async () => ({ bavail: 3, bsize: 1024 }); syncBuiltinESMExports();
       const { factorize } = await import(process.argv[2]);
       const A = { rows: Uint32Array.of(0, 1, 2), columns: Uint32Array.of(0, 1, 2), values: Float64Array.of(1, 2, 3), shape: [3, 3] };
       const big = { rows: new Uint32Array(500).map((_, t) => t), columns: new Uint32Array(500), values: new Float64Array(500).fill(1), shape: [500, 1] };
       for (const data of [A, big])
         await factorize(data, { rank: 1, onDisk: process.argv[3] }).then(() => console.log('fitted'), (error) => console.log(error.code, error.what));`,
    );
    const index = new URL('../../dist/src/index.js', import.meta.url).href;
    const said = execFileSync(process.execPath, [script, index, folder.path], { encoding: 'utf8' });
    truncateSync(script);
    execFileSync('rm', [script]);
    expect(said).toMatch(/^fitted\nnot-enough-disk The observations take 1 MiB .* and .* has 1 MiB\.\n$/);
  });

  test.runIf(isLinux)('a disk that is full all the same', async () => {
    // A limit of the system on the size of a file stands for a full disk: 64 blocks of 1024 bytes.
    const script = `import(process.argv[1]).then(async ({ factorize }) => {
      const N = 50000, list = (f) => Uint32Array.from({ length: N }, (_, t) => f(t));
      const A = { rows: list((t) => t % 500), columns: list((t) => Math.floor(t / 500)), values: new Float64Array(N).fill(1), shape: [500, 100] };
      await factorize(A, { rank: 2, onDisk: process.argv[2] }).catch((error) => console.log(error.code, error.position.option));
    });`;
    const index = new URL('../../dist/src/index.js', import.meta.url).href;
    const said = execFileSync(
      'bash',
      ['-c', 'ulimit -f 64; exec "$0" -e "$1" "$2" "$3"', process.execPath, script, index, folder.path],
      { encoding: 'utf8' },
    );
    expect(said).toBe('not-enough-disk onDisk\n');
  });

  test.runIf(isLinux).each([1, 2])('a file that is cut under the fit, %i threads', async (threads) => {
    const fit = fitTo(folder.path, {
      threads,
      inline: threads === 1 ? 'auto' : 'never',
      maxSweeps: 50,
      tolerance: 0,
      onProgress({ phase }) {
        if (phase === 'sweep') for (const descriptor of openFiles()) truncateSync(`/proc/self/fd/${descriptor}`, 1000);
      },
    });
    await expect(fit).rejects.toMatchObject({
      code: 'malformed-file',
      position: { option: 'onDisk', file: folder.path, byte: expect.any(Number) },
      message: expect.stringContaining(folder.path),
    });
  });

  test('l1 without its ε needs all values at once', async () => {
    await expect(fitTo(folder.path, { loss: 'l1', lambda: 0 })).rejects.toMatchObject({ code: 'incompatible-options' });
  });

  test('an entry listed twice is told as in memory', async () => {
    const told = (more: Partial<FactorizeOptions>) =>
      factorize(doubled, { rank: 2, ...more }).catch(({ code, position, message }) => ({ code, position, message }));
    expect(await told({ onDisk: folder.path })).toEqual(await told({}));
  });

  test('an abort leaves nothing', async () => {
    const cancel = new AbortController();
    const fit = fitTo(folder.path, { signal: cancel.signal });
    cancel.abort();
    await expect(fit).rejects.toMatchObject({ name: 'AbortError' });
    const later = new AbortController();
    const { fit: report } = await fitTo(folder.path, {
      signal: later.signal,
      maxSweeps: 500,
      tolerance: 0,
      onProgress: ({ sweep }) => sweep === 2 && later.abort(),
    });
    expect(report.status).toBe('cancelled');
  });
});
