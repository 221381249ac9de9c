/** What is refused before any work: what comes beside the data, and data of no known form. */
import ndarray from 'ndarray';
import { describe, expect, test } from 'vitest';
import { factorize } from '../../dist/src/index.js';

const A = ndarray(
  Float64Array.from({ length: 12 }, (_, i) => i % 5),
  [4, 3],
);
const fit = (options: object, data: unknown = A) => factorize(data as never, { rank: 2, ...options } as never);

test.each([null, undefined, 5, 'A', [[1]], {}])('A is %o', async (bad) => {
  await expect(factorize(bad as never, { rank: 2 })).rejects.toMatchObject({ code: 'invalid-input' });
});

test.each([null, undefined, 5, 'rank'])('options are %o', async (bad) => {
  await expect(factorize(A, bad as never)).rejects.toMatchObject({ code: 'invalid-option' });
});

test.each([
  ['onProgress', 5],
  ['onProgress', null],
  ['signal', 5],
  ['signal', null],
  ['signal', new AbortController()],
  ['workerUrl', 5],
  ['wasmUrl', null],
])('%s: %o', async (option, value) => {
  await expect(fit({ [option]: value })).rejects.toMatchObject({
    code: 'invalid-option',
    position: { option },
    rule: expect.stringMatching(`^${option} is an? `),
    remedy: expect.stringMatching(/leave .* out/),
  });
});

test.each([5, null, 'U', { V: [[1]] }, { V: null }, { U: Float64Array.of(1) }, { W: A }])('init: %o', async (init) => {
  await expect(fit({ init })).rejects.toMatchObject({ code: 'invalid-input', position: { option: 'init' } });
});

describe('labels', () => {
  const rows = ['a', 'b', 'c', 'd'];

  test('one for every row and column, or none', async () => {
    expect((await fit({ labels: { rows, columns: ['x', 'y', 'z'] } })).labels.columns).toEqual(['x', 'y', 'z']);
    expect((await fit({ labels: { rows } })).rowIndex('c')).toBe(2);
  });

  test.each([
    [{ rows: rows.slice(1) }, 'There are 3 labels of 4 rows.'],
    [{ rows, columns: rows }, 'There are 4 labels of 3 columns.'],
    [{ columns: [] }, 'There are 0 labels of 3 columns.'],
  ])('%o', async (labels, what) => {
    await expect(fit({ labels })).rejects.toMatchObject({
      code: 'shape-mismatch',
      what,
      position: { option: 'labels' },
    });
  });

  test.each([5, null, { rows: 'abcd' }, { rows: null }])('%o', async (labels) => {
    await expect(fit({ labels })).rejects.toMatchObject({ code: 'invalid-input', position: { option: 'labels' } });
  });

  test('a label that is no string, by its place', async () => {
    await expect(fit({ labels: { columns: ['x', 7, 'z'] } })).rejects.toMatchObject({
      code: 'invalid-input',
      position: { option: 'labels', index: 1 },
    });
  });

  test('before the first report of progress', async () => {
    let isBegun = false;
    const onProgress = () => {
      isBegun = true;
    };
    await expect(fit({ labels: { rows: [] }, onProgress })).rejects.toMatchObject({ code: 'shape-mismatch' });
    expect(isBegun).toBe(false);
  });
});
