/** What is exported, read back by readers that are not ours. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { exportModel, loadModel, type Model } from '../../dist/src/index.js';
import { randomModel } from '../recommend/models.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hadamard-export-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (name: string) => join(folder, name);
const text = (name: string) => readFileSync(at(name), 'utf8');
const labels = { rows: ['a', 'say "hi", b', 'line\nbreak'], columns: ['λ', ' x ', 'y,z', "o'k"] };
const request = { rows: 3, columns: 4, rank: 2, labels } as const;

/** Vectors by id, of either side. */
const lines = (name: string) =>
  text(name)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string | number; vector: number[]; bias?: number });

function vectorsOf(model: Model, side: 'U' | 'V'): number[][] {
  const { data } = model[side];
  return Array.from({ length: data.length / model.rank }, (_, i) =>
    Array.from(data.subarray(i * model.rank, (i + 1) * model.rank)),
  );
}

/** A reader of .npy of 30 characters of header that numpy would accept. */
function readNpy(name: string): { shape: string; data: Float32Array | Float64Array } {
  const bytes = readFileSync(at(name));
  const start = 10 + bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, start);
  const data = bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length);
  const [, descr, shape = ''] = /'descr': '(<f[48])'.*'shape': \((.*?)\)/.exec(header) ?? [];
  return { shape, data: descr === '<f4' ? new Float32Array(data) : new Float64Array(data) };
}

/** By the format's own description. */
function readSafetensors(name: string) {
  const bytes = readFileSync(at(name));
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const { __metadata__: metadata, ...tensors } = JSON.parse(bytes.toString('utf8', 8, start));
  const read = (tensor: string): { shape: number[]; data: number[] } => {
    const { dtype, shape, data_offsets: offsets } = tensors[tensor];
    const data = bytes.buffer.slice(bytes.byteOffset + start + offsets[0], bytes.byteOffset + start + offsets[1]);
    return { shape, data: Array.from(dtype === 'F32' ? new Float32Array(data) : new Float64Array(data)) };
  };
  return { metadata, names: Object.keys(tensors), read };
}

describe.each(['f32', 'f64'] as const)('%s', (dtype) => {
  const model = randomModel({ ...request, dtype, biases: 'both' });

  test('npy: a folder of arrays and labels', async () => {
    const done = await exportModel(model, { format: 'npy', out: at('npy') });
    expect(readdirSync(at('npy')).sort()).toEqual(
      ['column_bias.npy', 'columns.jsonl', 'columns.npy', 'row_bias.npy', 'rows.jsonl', 'rows.npy'].sort(),
    );
    expect(done.files.map((file) => existsSync(file))).toEqual(done.files.map(() => true));
    expect(done.vectors).toEqual({ rows: { count: 3, width: 2 }, columns: { count: 4, width: 2 } });
    expect(readNpy('npy/rows.npy')).toEqual({ shape: '3, 2', data: model.U.data });
    expect(readNpy('npy/columns.npy')).toEqual({ shape: '4, 2', data: model.V.data });
    expect(readNpy('npy/column_bias.npy')).toEqual({ shape: '4,', data: model.biases.columns });
    expect(
      text('npy/rows.jsonl')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(labels.rows);
  });

  test('safetensors: one file, labels in its metadata', async () => {
    await exportModel(model, { format: 'safetensors', out: at('model.safetensors') });
    const { metadata, names, read } = readSafetensors('model.safetensors');
    expect(names).toEqual(['column_bias', 'columns', 'row_bias', 'rows']);
    expect(read('rows')).toEqual({ shape: [3, 2], data: Array.from(model.U.data) });
    expect(read('columns')).toEqual({ shape: [4, 2], data: Array.from(model.V.data) });
    expect(read('row_bias')).toEqual({ shape: [3], data: Array.from(model.biases.rows ?? []) });
    expect(JSON.parse(metadata.row_labels)).toEqual(labels.rows);
    expect(JSON.parse(metadata.column_labels)).toEqual(labels.columns);
    expect(metadata).toMatchObject({ mean: '3.25', biases: 'both', rank: '2' });
  });

  test('json: labels and numbers exactly', async () => {
    await exportModel(model, { format: 'json', out: at('json') });
    const found = lines('json/columns.jsonl');
    expect(found.map(({ id }) => id)).toEqual(labels.columns);
    const exact = dtype === 'f32' ? Math.fround : (x: number) => x;
    expect(found.map(({ vector }) => vector.map(exact))).toEqual(vectorsOf(model, 'V'));
    expect(found.map(({ bias }) => exact(bias as number))).toEqual(Array.from(model.biases.columns ?? []));
  });

  test('csv: a field a latent column', async () => {
    await exportModel(model, { format: 'csv', out: at('rows.csv'), side: 'rows' });
    const [header, ...records] = parse(text('rows.csv')) as string[][];
    expect(header).toEqual(['id', 'v1', 'v2', 'bias']);
    expect(records.map(([id]) => id)).toEqual(labels.rows);
    const exact = dtype === 'f32' ? Math.fround : (x: number) => x;
    expect(records.map(([, ...numbers]) => numbers.map((number) => exact(Number(number))))).toEqual(
      vectorsOf(model, 'U').map((vector, i) => [...vector, model.biases.rows?.[i]]),
    );
  });

  test('pgvector: quoted arrays of f32', async () => {
    await exportModel(model, { format: 'pgvector', out: at('pg'), side: 'both' });
    const [header, ...records] = parse(text('pg/columns.csv')) as string[][];
    expect(header).toEqual(['id', 'embedding']);
    expect(records.map(([id]) => id)).toEqual(labels.columns);
    records.forEach(([, embedding = ''], j) => {
      expect(embedding).toMatch(/^\[[-\d.e]+,[-\d.e]+\]$/);
      expect((JSON.parse(embedding) as number[]).map(Math.fround)).toEqual(vectorsOf(model, 'V')[j]?.map(Math.fround));
    });
  });
});

test.each(['none', 'rows', 'columns', 'both'] as const)(
  'with biases of %s, inner products plus the mean are predictions',
  async (biases) => {
    const model = randomModel({ ...request, dtype: 'f64', biases });
    for (const canonical of [false, true]) {
      const { mean, vectors } = await exportModel(model, { format: 'json', out: at('all'), withBias: true, canonical });
      const width = 2 + { none: 0, rows: 1, columns: 1, both: 2 }[biases];
      expect([vectors.rows?.width, vectors.columns?.width]).toEqual([width, width]);
      const [us, vs] = [lines('all/rows.jsonl'), lines('all/columns.jsonl')];
      us.forEach(({ vector: u, bias }, i) => {
        expect(bias).toBeUndefined();
        vs.forEach(({ vector: v }, j) => {
          expect(mean + u.reduce((sum, x, c) => sum + x * (v[c] as number), 0)).toBeCloseTo(model.predict(i, j), 12);
        });
      });
    }
  },
);

test('canonical vectors are orthogonal', async () => {
  const model = randomModel({ rows: 9, columns: 7, rank: 3, dtype: 'f64' });
  await exportModel(model, { format: 'json', out: at('rows.jsonl'), side: 'rows', canonical: true });
  const us = lines('rows.jsonl').map(({ vector }) => vector as [number, number, number]);
  const product = (a: number, b: number) => us.reduce((sum, u) => sum + (u[a] as number) * (u[b] as number), 0);
  expect([product(0, 1), product(0, 2), product(1, 2)].every((x) => Math.abs(x) < 1e-12)).toBe(true);
  const { d } = model.canonical();
  [0, 1, 2].forEach((c) => {
    expect(product(c, c)).toBeCloseTo(d[c] as number, 12);
  });
});

test('numbers of f32 are written as short as they can be', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 8, maxLength: 8 }),
      async (xs) => {
        const model = randomModel({ rows: 1, columns: 1, rank: 8 });
        model.V.data.set(xs);
        await exportModel(model, { format: 'csv', out: at('one.csv'), side: 'columns' });
        const [, ...texts] = (text('one.csv').trimEnd().split('\n')[1] as string).split(',');
        texts.forEach((written, t) => {
          const x = model.V.data[t] as number;
          expect(Math.fround(Number(written)) === x).toBe(true);
          const digits = Array.from({ length: 9 }, (_, p) => x.toPrecision(p + 1));
          const shortest = digits.find((digit) => Math.fround(Number(digit)) === x) as string;
          expect(Number(written)).toBe(Number(shortest));
        });
      },
    ),
    { numRuns: 100 },
  );
});

test('without labels ids count from 0, and one side is a file', async () => {
  const model = randomModel({ rows: 2, columns: 3, rank: 1 });
  const done = await exportModel(model, { format: 'json', out: at('v.jsonl'), side: 'columns' });
  expect(done).toEqual({ files: [at('v.jsonl')], vectors: { columns: { count: 3, width: 1 } }, mean: 0 });
  expect(lines('v.jsonl').map(({ id }) => id)).toEqual([0, 1, 2]);
  await exportModel(model, { format: 'pgvector', out: at('v.csv'), side: 'columns' });
  expect(text('v.csv')).toMatch(/^id,embedding\n0,"\[/);
});

test('a failure leaves what was there, and nothing else', async () => {
  const model = randomModel({ rows: 2, columns: 3, rank: 1 });
  mkdirSync(at('taken/rows.csv'), { recursive: true });
  writeFileSync(at('taken/columns.csv'), 'older');
  await expect(exportModel(model, { format: 'csv', out: at('taken') })).rejects.toMatchObject({
    code: 'output-failed',
  });
  expect(readdirSync(at('taken')).sort()).toEqual(['columns.csv', 'rows.csv']);
  expect(text('taken/columns.csv')).toBe('older');
  writeFileSync(at('file'), '');
  await expect(exportModel(model, { format: 'npy', out: at('file') })).rejects.toMatchObject({
    code: 'output-refused',
    what: `${at('file')} is a file.`,
  });
  await expect(exportModel(model, { format: 'npy', out: at('file/deeper') })).rejects.toMatchObject({
    code: 'output-failed',
  });
  await expect(exportModel(model, { format: 'safetensors', out: at('no/such') })).rejects.toMatchObject({
    code: 'output-failed',
  });
  expect(readdirSync(folder).sort()).toEqual(['file', 'taken']);
});

test('refuses what is no export', async () => {
  const model = randomModel({ rows: 2, columns: 3, rank: 1 });
  const table: [object, object][] = [
    [
      { format: 'xml', out: at('x') },
      { code: 'invalid-option', position: { option: 'format' } },
    ],
    [
      { format: 'csv', out: '' },
      { code: 'invalid-option', position: { option: 'out' } },
    ],
    [
      { format: 'csv', out: at('x'), side: 'top' },
      { code: 'invalid-option', position: { option: 'side' } },
    ],
  ];
  for (const [options, failure] of table)
    await expect(exportModel(model, options as never)).rejects.toMatchObject(failure);
});

test('a model folder is no place for vectors', async () => {
  const model = randomModel(request);
  const out = at('model');
  await model.save(out);
  for (const format of ['npy', 'json', 'csv', 'pgvector'] as const)
    await expect(exportModel(model, { format, out })).rejects.toMatchObject({ code: 'output-refused' });
  expect((await loadModel(out)).labels).toEqual(model.labels);
});
