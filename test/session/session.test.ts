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
    expect(await fit(dense(), null)).toMatchObject({ code: 'invalid-option', position: { option: 'rank' } });
    expect(await fit(dense(), { ...options, init: { V: [[1]] } })).toMatchObject({ code: 'invalid-input' });
    expect(await fit(dense(), { ...options, weights: { sigma: null } })).toMatchObject({ code: 'invalid-input' });
    expect(await fit(dense(), { ...options, weights: null })).toMatchObject({ code: 'ambiguous-weights' });
    expect(await fit(dense(), { ...options, labels: { rows: ['a'] } })).toMatchObject({ code: 'shape-mismatch' });
    expect(session.pending).toBe(0);
    for (const bad of [null, 5, { queue: -1 }, { queue: 1.5 }, { queue: '2' }, { threads: 0 }])
      expect(() => openSession(bad as never)).toThrow(expect.objectContaining({ code: 'invalid-option' }));
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
  });

  it("rejects a waiting fit with the signal's own reason", async () => {
    await using session = openSession({ threads: 1 });
    const running = new AbortController();
    const waiting = new AbortController();
    const reason = new Error('no longer wanted');
    const second: Promise<unknown>[] = [];
    await session.factorize(large(), {
      ...endless,
      signal: running.signal,
      onProgress: () => {
        if (second.length > 0) return;
        second.push(settled(session.factorize(dense(), { ...options, signal: waiting.signal })));
        setTimeout(() => waiting.abort(reason), 50);
        setTimeout(() => running.abort(), 100);
      },
    });
    expect(await second[0]).toBe(reason);
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
