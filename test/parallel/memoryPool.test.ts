/** Allocations that fail are typed errors with the number of bytes, and leave nothing behind. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { factorize, plan } from '../../dist/src/index.js';
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
  what: expect.stringMatching(/^\d+ bytes could not be allocated: Array buffer allocation failed\.$/),
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

describe('counting', () => {
  test('is refused where the counts of a shape alone pass the limit, with the numbers', async () => {
    const wide = { ...A, shape: [4e9, 2] as const };
    const refused = {
      code: 'not-enough-memory',
      what: 'A fit of 4000000000×2 needs at least 122071 MiB: counts 91553 MiB, factors 30518 MiB.',
      position: { option: 'memoryLimit' },
    };
    await expect(factorize(wide, { rank: 2 })).rejects.toMatchObject(refused);
    // Where the machine has that much, the factors still pass the end of a WebAssembly memory.
    await expect(factorize(wide, { rank: 2, memoryLimit: 1e12 })).rejects.toMatchObject({
      ...refused,
      rule: 'The limit is 4096 MiB.',
    });
    expect(() => plan(wide, { rank: 2 })).toThrow(expect.objectContaining(refused));
  });

  test('that finds no room is a typed error', async () => {
    vi.stubGlobal('Uint32Array', Full);
    await expect(factorize(A, { rank: 2 })).rejects.toMatchObject(tooLittle);
  });
});

test('other errors go through', () => {
  const other = () => {
    throw new TypeError('other');
  };
  expect(() => allocate(8, other)).toThrow(TypeError);
});
