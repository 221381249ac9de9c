/** Workers that die: the sweep is finished with the same bits, twice on the same block is an error, and nothing is left running. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FactorizeOptions, factorize, type MatrixInput } from '../../dist/src/index.js';
import { fitProblem } from '../helpers/fitProblem.mjs';

const { A, options } = fitProblem;
const workerUrl = new URL('../helpers/dyingWorker.cjs', import.meta.url).href;

interface Death {
  how: 'exit' | 'throw' | 'memory';
  phase: string;
  side: 'rows' | 'columns';
  blocks: number[];
  times: number;
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hadamard-death-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  delete process.env.HADAMARD_TEST_DEATH;
});

const deaths = () => readdirSync(folder).sort();

function fit(death: Partial<Death>, more: Partial<FactorizeOptions> = {}, of: MatrixInput = A) {
  process.env.HADAMARD_TEST_DEATH = JSON.stringify({
    ...{ how: 'exit', phase: 'solve', side: 'columns', blocks: [5], times: 1, folder },
    ...death,
  });
  return factorize(of, { ...options, inline: 'never', threads: 2, workerUrl, ...more });
}

describe('a worker that dies while many entries are sorted', () => {
  const count = 2 ** 21 + 1000;
  const listed = {
    rows: Uint32Array.from({ length: count }, (_, t) => (t * 7919) % 5003),
    columns: Uint32Array.from({ length: count }, (_, t) => Math.floor(t / 5003)),
    values: Float32Array.from({ length: count }, (_, t) => Math.sin(t)),
    shape: [5003, 500] as const,
  };
  const few = { rank: 2, lambda: 1, maxSweeps: 1, weights: undefined, certificate: 'first-order' } as const;

  test('into rows, where they stand, is told', async () => {
    await expect(fit({ phase: 'sortRows', side: 'rows', blocks: [1] }, few, listed)).rejects.toMatchObject({
      code: 'worker-died',
      what: expect.stringContaining('sorted'),
    });
    expect(deaths()).toEqual(['1-1']);
  });

  test('into columns costs a block', async () => {
    const found = await fit({ phase: 'sortColumns', side: 'columns', blocks: [0] }, few, listed);
    expect(deaths()).toEqual(['0-1']);
    const { digest } = (await factorize(listed, { ...options, ...few, threads: 1 })).fit;
    expect(found.fit.digest).toBe(digest);
  });
});

const expected = async (more: Partial<FactorizeOptions> = {}) =>
  (await factorize(A, { ...options, threads: 1, ...more })).fit;

describe('a lost block is redone', () => {
  const table: [string, Partial<Death>, Partial<FactorizeOptions>][] = [
    ['process.exit while V is solved', {}, {}],
    ['an exception while U is solved', { how: 'throw', side: 'rows' }, {}],
    ['the only worker', { blocks: [0] }, { threads: 1 }],
    ['the last block', { side: 'rows', blocks: [-1] }, { threads: 3 }],
    ['several blocks of one phase, one after the other', { blocks: [1, 4, 7, 9] }, { threads: 1 }],
    ['several workers at once', { blocks: [0, 1, 2] }, { threads: 3 }],
    ['in the certificate', { phase: 'gradient', side: 'rows' }, {}],
    ['in a gradient', { phase: 'gradient' }, { method: 'gradient' }],
    ['on disk', { side: 'rows' }, { onDisk: tmpdir() }],
    ['in a move, staged', { phase: 'move', side: 'rows' }, { method: 'gradient', residency: 'staged', rank: 300 }],
  ];
  test.each(table)('%s', async (_name, death, more) => {
    const { digest, objective, blocks, certificate } = await expected(more);
    expect(Math.min(blocks.rows, blocks.columns)).toBeGreaterThan(9);
    const blocksOf = (death.blocks ?? [5]).map((block) =>
      block < 0 ? blocks[death.side ?? 'columns'] + block : block,
    );
    const model = await fit({ ...death, blocks: blocksOf }, more);
    expect(deaths()).toEqual(blocksOf.map((block) => `${block}-1`).sort());
    expect(model.fit).toMatchObject({ digest, objective, certificate });
  });
});

/** Vectors too long for the calling thread: 500×300 numbers. */
describe.each(['als', 'block-als', 'sgd'] as const)('long vectors and a grid: %s', (method) => {
  const long = { method, rank: 300, maxSweeps: 5, tolerance: 0, certificate: 'first-order' } as const;

  test('the same bits by every number of threads', async () => {
    const { digest } = await expected(long);
    for (const threads of [2, 3])
      expect((await factorize(A, { ...options, ...long, inline: 'never', threads })).fit.digest).toBe(digest);
  });

  const phases = method === 'sgd' ? ['sgdStart', 'sgdGrid', 'sgdPlace', 'sgdRates'] : ['advance', 'extrapolate'];
  test.each(phases)('a block lost in %s', async (phase) => {
    const { digest } = await expected(long);
    const side = method === 'sgd' ? 'rows' : 'columns';
    const model = await fit({ phase, side, blocks: [1] }, long);
    expect(deaths()).toEqual(['1-1']);
    expect(model.fit.digest).toBe(digest);
  });
});

describe('a second death on the same block', () => {
  test.each(['exit', 'throw'] as const)('fails the fit: %s', async (how) => {
    await expect(fit({ how, times: 2, blocks: [6] })).rejects.toMatchObject({
      code: 'worker-died',
      position: { index: 6 },
      message: expect.stringContaining(how === 'throw' ? 'Shot in a test.' : 'block 6 of the columns in phase solve'),
    });
    expect(deaths()).toEqual(['6-1', '6-2']);
  });

  test('and the next fit is well', async () => {
    await expect(fit({ times: 2 })).rejects.toMatchObject({ code: 'worker-died' });
    const model = await factorize(A, { ...options, inline: 'never', threads: 2 });
    expect(model.fit.digest).toBe((await expected()).digest);
  });
});

test('a worker that cannot be loaded is an error, not a wait', async () => {
  await expect(fit({}, { workerUrl: new URL('../helpers/nowhere.mjs', import.meta.url).href })).rejects.toMatchObject({
    code: 'worker-died',
    position: { option: 'workerUrl' },
  });
});

test.each([1, 2])(
  'workers that end themselves as they are loaded, %d of them, are an error as well',
  async (threads) => {
    const exiting = new URL('../helpers/exitingWorker.cjs', import.meta.url).href;
    await expect(fit({}, { workerUrl: exiting, threads })).rejects.toMatchObject({
      code: 'worker-died',
      position: { option: 'workerUrl' },
    });
  },
);

describe('the process ends by itself', () => {
  function run(
    mode: string,
    death: Partial<Death> = {},
    nodeOptions: string[] = [],
  ): Promise<{ said: unknown; seconds: number }> {
    const script = fileURLToPath(new URL('../helpers/fitScript.mjs', import.meta.url));
    const env = {
      ...process.env,
      HADAMARD_TEST_DEATH: JSON.stringify({
        how: 'exit',
        phase: 'solve',
        side: 'columns',
        blocks: [5],
        times: 1,
        folder,
        ...death,
      }),
    };
    const started = performance.now();
    return new Promise((resolve, reject) => {
      // Killed, and so failed, if it does not.
      execFile(
        process.execPath,
        [...nodeOptions, script, mode],
        { env, timeout: 20_000, killSignal: 'SIGKILL' },
        (error, stdout) => {
          if (error) reject(error);
          else resolve({ said: JSON.parse(stdout), seconds: (performance.now() - started) / 1000 });
        },
      );
    });
  }

  const table: [string, object, Partial<Death>?][] = [
    ['success', { status: 'budget' }],
    ['inline', { status: 'budget' }],
    ['time limit', { status: 'budget' }],
    ['failure', { code: 'invalid-option' }],
    ['bad data', { code: 'invalid-value' }],
    ['abort', { name: 'AbortError' }],
    ['cancel', { status: 'cancelled' }],
    ['throwing progress', { message: 'progress' }],
    ['worker dies', { status: 'budget' }],
    ['worker dies', { code: 'worker-died' }, { times: 2 }],
    ['no such worker', { code: 'worker-died' }],
  ];
  test.each(table)('%s: %o', async (mode, outcome, death) => {
    const { said, seconds } = await run(mode, death);
    expect(said).toMatchObject(outcome);
    expect(seconds).toBeLessThan(10);
  });

  test('a worker out of memory: redone, same digest', async () => {
    const { said } = await run('worker dies', { how: 'memory' }, ['--max-old-space-size=96']);
    expect(said).toMatchObject({ digest: (await expected()).digest });
    expect(deaths()).toEqual(['5-1']);
  });
});
