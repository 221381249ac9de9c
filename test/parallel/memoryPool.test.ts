/** Allocations that fail are typed errors with the number of bytes, and leave nothing behind. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { factorize } from '../../dist/src/index.js';
import { acquireMemory, allocate } from '../../dist/src/parallel/memoryPool.js';
import { share } from '../../dist/src/session/share.js';
import { problem, triples } from '../helpers/problem.js';

afterEach(() => void vi.unstubAllGlobals());

class Full {
  constructor() {
    throw new RangeError('Array buffer allocation failed');
  }
}
const A = triples(problem({ m: 60, n: 40, density: 0.5 }));
const tooLittle = {
  code: 'not-enough-memory',
  what: expect.stringMatching(/^\d+ bytes of shared memory could not be allocated: Array buffer allocation failed\.$/),
  position: { option: 'memoryLimit' },
};

describe('a failed allocation', () => {
  test('of WebAssembly memory', async () => {
    vi.stubGlobal('WebAssembly', Object.create(WebAssembly, { Memory: { value: Full } }));
    const onWorker = vi.fn();
    process.on('worker', onWorker);
    expect(() => acquireMemory(4000)).toThrow(expect.objectContaining({ ...tooLittle, cause: expect.any(RangeError) }));
    expect(() => acquireMemory(4000)).toThrow(/^262144000 bytes/);
    await expect(factorize(A, { rank: 2, inline: 'never', threads: 2 })).rejects.toMatchObject(tooLittle);
    process.off('worker', onWorker);
    expect(onWorker).not.toHaveBeenCalled();
  });

  test('of the storage of staged observations', async () => {
    vi.stubGlobal('SharedArrayBuffer', Full);
    await expect(factorize(A, { rank: 2, residency: 'staged' })).rejects.toMatchObject(tooLittle);
  });

  test('of what a session shares', async () => {
    vi.stubGlobal('SharedArrayBuffer', Full);
    await expect(share({ A })).rejects.toMatchObject(tooLittle);
  });
});

test('other errors go through', () => {
  const other = () => {
    throw new TypeError('other');
  };
  expect(() => allocate(8, other)).toThrow(TypeError);
});
