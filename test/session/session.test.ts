import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import ndarray from 'ndarray';
import { describe, expect, it } from 'vitest';
import { factorize, isHadamardError, openSession } from '../../dist/src/index.js';

const shape: [number, number] = [60, 40];
const dense = () => {
  const values = Float64Array.from({ length: 60 * 40 }, (_, t) => Math.sin(t) + ((t * 7) % 11) / 5);
  values[17] = Number.NaN;
  return ndarray(values, shape);
};
const options = { rank: 3, lambda: 0.1, dtype: 'f64', maxSweeps: 20 } as const;
/** Half a second of sweeps at the least with {@link endless}, so that an abort arrives on the way. */
const large = () =>
  ndarray(
    Float64Array.from({ length: 600 * 400 }, (_, t) => Math.sin(t * t)),
    [600, 400],
  );
const endless = { ...options, rank: 20, tolerance: 0, maxSweeps: 1_000_000, acceleration: 'none' } as const;
const settled = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('openSession', () => {
  it('gives the same bits as factorize, and leaves the caller’s array as it was', async () => {
    await using session = openSession({ threads: 2 });
    const A = dense();
    const before = Float64Array.from(A.data);
    const there = await session.factorize(A, { ...options, inline: 'never' });
    const here = await factorize(A, { ...options, inline: 'never', threads: 3 });
    expect(there.fit.digest).toBe(here.fit.digest);
    expect(there.V.get(3, 1)).toBe(here.V.get(3, 1));
    expect(A.data).toEqual(before);
  });

  it('takes weights, init and a transposed view', async () => {
    await using session = openSession({ threads: 1 });
    const A = dense();
    const weights = { sigma: ndarray(new Float64Array(60 * 40).fill(0.5), [60, 40]) };
    const init = {
      V: ndarray(
        Float64Array.from({ length: 120 }, (_, i) => (i % 5) - 2),
        [40, 3],
      ),
    };
    const there = await session.factorize(A, { ...options, weights, init });
    const here = await factorize(A, { ...options, weights, init });
    expect(there.fit.digest).toBe(here.fit.digest);
    const transposed = await session.factorize(A.transpose(1, 0), options);
    expect(transposed.fit.rows).toBe(40);
  });

  it('queues concurrent fits, reports progress, and refuses what passes the queue', async () => {
    await using session = openSession({ threads: 1, queue: 1 });
    const sweeps: number[] = [];
    const first = session.factorize(dense(), { ...options, onProgress: ({ sweep }) => sweeps.push(sweep) });
    const second = session.factorize(dense(), { ...options, seed: 2 });
    const third = await settled(session.factorize(dense(), options));
    expect(third).toMatchObject({ code: 'queue-full', position: { option: 'queue' } });
    const [a, b] = await Promise.all([first, second]);
    expect(a.fit.digest).not.toBe(b.fit.digest);
    expect(sweeps.at(-1)).toBe(a.fit.sweeps);
    expect(session.pending).toBe(0);
  });

  it('carries typed errors with their position', async () => {
    await using session = openSession({ threads: 1 });
    const error = await settled(
      session.factorize(
        { rows: new Uint32Array([9]), columns: new Uint32Array([0]), values: new Float64Array([1]), shape: [2, 2] },
        options,
      ),
    );
    expect(isHadamardError(error) && [error.code, error.position]).toEqual([
      'index-out-of-range',
      { row: 9, column: 0, index: 0 },
    ]);
  });

  it('refuses what is no input or option, with a typed error', async () => {
    await using session = openSession({ threads: 1 });
    const fit = (...args: unknown[]) => settled(session.factorize(...(args as [never, never])));
    expect(await fit(null, options)).toMatchObject({ code: 'invalid-input' });
    expect(await fit(dense(), null)).toMatchObject({ code: 'invalid-option', what: 'The options are null.' });
    expect(await fit(dense(), { ...options, init: { V: [[1]] } })).toMatchObject({ code: 'invalid-input' });
    expect(await fit(dense(), { ...options, weights: { sigma: null } })).toMatchObject({ code: 'invalid-input' });
    expect(await fit(dense(), { ...options, weights: null })).toMatchObject({ code: 'ambiguous-weights' });
    expect(await fit(dense(), { ...options, labels: { rows: ['a'] } })).toMatchObject({ code: 'shape-mismatch' });
    expect(await fit(dense(), { ...options, onProgress: 5 })).toMatchObject({ position: { option: 'onProgress' } });
    expect(await fit(dense(), { ...options, signal: {} })).toMatchObject({ position: { option: 'signal' } });
    const A = dense();
    structuredClone(A.data, { transfer: [A.data.buffer as ArrayBuffer] });
    expect(await fit(A, options)).toMatchObject({ code: 'invalid-input', what: expect.stringContaining('detached') });
    expect(await fit(dense(), { ...options, weights: { weight: A } })).toMatchObject({ code: 'invalid-input' });
    expect(await fit(dense(), { ...options, init: { U: A } })).toMatchObject({ code: 'invalid-input' });
    expect(await fit({ shape: [3, 3] }, options)).toMatchObject({ code: 'invalid-input' });
    expect(session.pending).toBe(0);
    expect((await session.factorize(dense(), options)).fit.rows).toBe(60);
  });

  it.each([
    null,
    5,
    { queue: -1 },
    { queue: 1.5 },
    { queue: '2' },
    { threads: 0 },
    { thread: 3 },
    { rank: 2 },
    { sessionUrl: 5 },
    { sessionUrl: 'nonsense' },
    { sessionUrl: 'https://example.org/session.js' },
    { workerUrl: 'nonsense' },
    { wasmUrl: null },
  ])('is not opened with %o', (bad) => {
    expect(() => openSession(bad as never)).toThrow(
      expect.objectContaining({
        code: 'invalid-option',
        position: bad && typeof bad === 'object' ? { option: Object.keys(bad)[0] } : {},
      }),
    );
  });

  it('says why its thread does not start, to the first fit and to every later one', async () => {
    await using session = openSession({ sessionUrl: new URL('nowhere.js', import.meta.url).href });
    for (let i = 0; i < 2; i++)
      expect(await settled(session.factorize(dense(), options))).toMatchObject({
        code: 'session-closed',
        what: expect.stringContaining('nowhere.js'),
      });
  });

  it.each(['throws', 'rejects'])('lives on when a callback %s, and rejects that fit alone', async (how) => {
    await using session = openSession({ threads: 1 });
    const error = new Error('progress');
    for (const phase of ['prepare', 'sweep', 'certify']) {
      const failing = session.factorize(dense(), {
        ...options,
        onProgress: (progress) => {
          if (progress.phase !== phase) return;
          if (how === 'throws') throw error;
          return Promise.reject(error) as never;
        },
      });
      const next = session.factorize(dense(), options);
      expect(await settled(failing)).toBe(error);
      expect((await next).fit.status).not.toBe('cancelled');
    }
  });

  it('hears every report before the answer, however late the host comes to them', async () => {
    await using session = openSession({ threads: 1 });
    for (let i = 0; i < 20; i++) {
      const phases = new Set<string>();
      await session.factorize(dense(), {
        ...options,
        onProgress: ({ phase, sweep }) => {
          phases.add(phase);
          // The thread is done long before the host looks again.
          if (sweep === 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
        },
      });
      expect([...phases]).toEqual(['prepare', 'sweep', 'certify']);
    }
  });

  it('starts workers anew after a fit that could start none, and for fits that want other ones', async () => {
    await using session = openSession();
    const fit = (more: object) => session.factorize(dense(), { ...options, inline: 'never', ...more } as never);
    const { digest } = (await fit({ threads: 2 })).fit;
    const workerUrl = new URL('nowhere.js', import.meta.url).href;
    for (let i = 0; i < 2; i++)
      expect(await settled(fit({ threads: 2, workerUrl }))).toMatchObject({ code: 'worker-died' });
    for (const threads of [2, 3, 1]) expect((await fit({ threads })).fit).toMatchObject({ digest, threads });
  });

  it('counts the work of each fit alone', async () => {
    await using session = openSession({ threads: 1 });
    const fit = (maxSweeps: number) =>
      session.factorize(dense(), { ...options, rank: 20, inline: 'never', tolerance: 0, maxSweeps });
    const long = await fit(500);
    const worked = long.fit.seconds.fit * (long.fit.utilization[0] as number);
    // Were the first fit's work still counted, the second would be busy for all of its much shorter time.
    const short = await fit(1);
    expect(worked).toBeGreaterThan(short.fit.seconds.fit);
    expect(short.fit.utilization).toHaveLength(1);
    expect(short.fit.utilization[0]).toBeGreaterThan(0);
    expect(short.fit.utilization[0]).toBeLessThan(1);
  });

  it('takes what an objective is composed of, matrices included', async () => {
    await using session = openSession({ threads: 1 });
    const V = ndarray(Float64Array.of(1, Number.NaN, 1, Number.NaN, 1, Number.NaN), [3, 2]);
    const A = ndarray(Float64Array.of(1, 2, 3, 2, 4, 5), [2, 3]);
    const composed = {
      rank: 2,
      hold: { V },
      background: { weight: { rows: [1, 2], columns: [1, 1, 1] } },
      lambda: 0.1,
    };
    const model = await session.factorize(A, composed);
    expect(model.V.get(2, 0)).toBe(1);
    expect(model.fit.digest).toBe((await factorize(A, { ...composed, threads: 1 })).fit.digest);
  });

  it('resolves as cancelled when aborted on its way, and rejects when aborted before', async () => {
    await using session = openSession({ threads: 1 });
    const controller = new AbortController();
    const model = await session.factorize(large(), {
      ...endless,
      onProgress: ({ phase }) => phase === 'sweep' && controller.abort(),
      signal: controller.signal,
    });
    expect(model.fit.status).toBe('cancelled');
    const error = await settled(session.factorize(dense(), { ...options, signal: AbortSignal.abort() }));
    expect((error as Error).name).toBe('AbortError');
    // The reason is the cause, also of a fit that the thread has begun or that waits there.
    const [first, late] = [new AbortController(), new AbortController()];
    let waiting: Promise<unknown> | undefined;
    await session.factorize(large(), {
      ...options,
      rank: 20,
      tolerance: 0,
      maxSweeps: 1_000_000,
      acceleration: 'none',
      signal: first.signal,
      onProgress: ({ phase }) => {
        if (phase !== 'sweep') return;
        if (waiting) {
          late.abort('enough');
          first.abort();
        }
        waiting ??= settled(session.factorize(dense(), { ...options, signal: late.signal }));
      },
    });
    expect(await waiting).toBeInstanceOf(DOMException);
    expect(await waiting).toMatchObject({ name: 'AbortError', cause: 'enough' });
  });

  it('rejects what is pending at close, and everything after', async () => {
    const session = openSession({ threads: 1 });
    const pending = settled(session.factorize(dense(), { ...options, maxSweeps: 1_000_000, tolerance: 0 }));
    await session.close();
    expect(isHadamardError(await pending)).toBe(true);
    const after = await settled(session.factorize(dense(), options));
    expect(isHadamardError(after) && after.code).toBe('session-closed');
  });

  it('lets a script that forgets to close it exit', async () => {
    const script = `
      import ndarray from 'ndarray';
      import { openSession } from '${new URL('../../dist/src/index.js', import.meta.url).href}';
      const session = openSession({ threads: 2 });
      const A = ndarray(Float64Array.from({ length: 400 }, (_, i) => i % 7), [20, 20]);
      const model = await session.factorize(A, { rank: 2, inline: 'never', onProgress: () => {} });
      console.log(model.fit.sweeps);`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 20_000,
    });
    expect(Number(stdout)).toBeGreaterThan(0);
  });
});
