/** The Gram matrix by the kernel and without, against sums written down plainly. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fullGram } from '../../dist/src/kernels/fullGram.js';
import { compileKernels } from '../../dist/src/kernels/load.js';

const ways = [
  ['reproducible', compileKernels('reproducible').module],
  ['fast', compileKernels('fast').module],
  ['without kernels', undefined],
] as const;

test.each(ways)('%s', (_name, module) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 23 }), fc.integer(), (rows, size, seed) => {
      const at = (i: number, j: number) => Math.sin(1 + seed + 13 * i + 7 * j);
      const write = (to: Float64Array, width: number) => {
        for (let i = 0; i < rows; i++) for (let j = 0; j < size; j++) to[i * width + j] = at(i, j);
      };
      const found = fullGram(rows, size, write, module);
      expect(found.length).toBe(size * size);
      for (let r = 0; r < size; r++)
        for (let c = 0; c <= r; c++) {
          let sum = 0;
          for (let i = 0; i < rows; i++) sum += at(i, r) * at(i, c);
          expect(Math.abs((found[r * size + c] as number) - sum)).toBeLessThan(1e-15 * rows * 8);
        }
    }),
    { numRuns: 60 },
  );
});

test('what was there before, and a larger one between, leave nothing behind', () => {
  const { module } = compileKernels('reproducible');
  const ones = (rows: number, size: number) => {
    const write = (to: Float64Array, width: number) => {
      for (let i = 0; i < rows; i++) to.fill(1, i * width, i * width + size);
    };
    return fullGram(rows, size, write, module);
  };
  const first = ones(3, 2);
  expect([...first]).toEqual([3, 0, 3, 3]);
  // Above what a thread keeps.
  expect(ones(400, 400)[399 * 400]).toBe(400);
  expect(ones(3, 2)).toEqual(first);
});
