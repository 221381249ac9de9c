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

test.each([null, undefined, 5, 'rank', []])('options are %o', async (bad) => {
  await expect(factorize(A, bad as never)).rejects.toMatchObject({
    code: 'invalid-option',
    what: bad === undefined ? 'rank is required.' : expect.stringMatching(/^The options are /),
  });
});

describe.each([
  ['bounds', 'rows'],
  ['hold', 'U'],
  ['background', 'weight'],
  ['validation', 'data'],
])('%s', (option, part) => {
  test.each([null, 'x', [], () => 1, true])('%o', async (value) => {
    await expect(fit({ [option]: value })).rejects.toMatchObject({ code: 'invalid-option', position: { option } });
  });

  test('a part of another name', async () => {
    const name = `${part}s`;
    const refused = { code: 'invalid-option', position: { option }, what: `${option} has a part "${name}".` };
    await expect(fit({ [option]: { [name]: 1 } })).rejects.toMatchObject(refused);
  });
});

test.each([5, true])('hold and bounds are %o', async (value) => {
  for (const option of ['hold', 'bounds'])
    await expect(fit({ [option]: value })).rejects.toMatchObject({ code: 'invalid-option', position: { option } });
});

test.each([0, true, null, 'ab', [1], [0, 1, 2], {}, [0, '1']])('bounds of rows are %o', async (rows) => {
  await expect(fit({ bounds: { rows } })).rejects.toMatchObject({
    code: 'invalid-option',
    position: { option: 'bounds' },
  });
});

test.each([
  ['onProgress', 5],
  ['onProgress', null],
  ['signal', 5],
  ['signal', null],
  ['signal', new AbortController()],
  ['signal', {}],
  ['signal', { addEventListener: () => undefined }],
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

test.each(['nonsense', 'file:///nowhere/', new URL('../', import.meta.url).href])(
  'no kernels at %s',
  async (wasmUrl) => {
    await expect(fit({ wasmUrl })).rejects.toMatchObject({
      code: 'invalid-option',
      position: { option: 'wasmUrl' },
      what: expect.stringContaining(wasmUrl),
    });
  },
);

test.each(['nonsense', 'file://there/x.js', 'https://example.org/x.js'])('no workers at %s', async (workerUrl) => {
  await expect(fit({ workerUrl, inline: 'never', threads: 1 })).rejects.toMatchObject({
    code: 'worker-died',
    what: expect.stringContaining(workerUrl),
  });
});

test('what has lost its memory, or never had enough', async () => {
  const detached = () => {
    const data = new Float64Array(12);
    structuredClone(data, { transfer: [data.buffer] });
    return data;
  };
  const refused = { code: 'invalid-input', message: expect.stringMatching(/detached|elements/) };
  const values = detached();
  const empty = new Uint32Array(0);
  await expect(fit({}, ndarray(values, [4, 3]))).rejects.toMatchObject(refused);
  await expect(fit({}, { rows: empty, columns: empty, values, shape: [4, 3] })).rejects.toMatchObject(refused);
  await expect(fit({ init: { V: ndarray(values, [3, 2]) } })).rejects.toMatchObject({
    ...refused,
    position: { option: 'init' },
  });
  const position = { option: 'weights' };
  for (const weight of [ndarray(values, [4, 3]), ndarray(new Float64Array(6).fill(1), [4, 3])])
    await expect(fit({ weights: { weight } })).rejects.toMatchObject({ ...refused, position });
});

test('weights are refused before the first report of progress', async () => {
  const onProgress = () => expect.fail('It began.');
  await expect(fit({ weights: { weight: new Float64Array(5) }, onProgress })).rejects.toMatchObject({
    code: 'shape-mismatch',
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

  test.each([5, null, [], { rows: 'abcd' }, { rows: null }, { rows, column: rows }])('%o', async (labels) => {
    await expect(fit({ labels })).rejects.toMatchObject({ code: 'invalid-input', position: { option: 'labels' } });
  });

  test('a label that is no string, by its place', async () => {
    await expect(fit({ labels: { columns: ['x', 7, 'z'] } })).rejects.toMatchObject({
      code: 'invalid-input',
      position: { option: 'labels', index: 1 },
    });
  });

  test.each([
    [['a', 'b', 'a', 'c'], 2, 'Label 2 of the rows is "a", as is one before.'],
    [['a', 'b', 'c', '\ud800'], 3, 'Label 3 of the rows holds a lone surrogate, which is no text.'],
    [['a', '\udc00\ud800', 'b', 'c'], 1, 'Label 1 of the rows holds a lone surrogate, which is no text.'],
  ])('a label that is there twice, or is no text: %j', async (odd, index, what) => {
    const refused = { code: 'invalid-input', what, position: { option: 'labels', index } };
    await expect(fit({ labels: { rows: odd } })).rejects.toMatchObject(refused);
    expect((await fit({ labels: { rows: ['\u{1f600}', '\ufffd', 'a', ''] } })).rowIndex('\ufffd')).toBe(1);
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
