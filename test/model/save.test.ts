import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadModel } from '../../dist/src/model/load.js';
import { sampleModel } from './sample.js';

let place: string;
let out: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'hadamard-save-'));
  out = join(place, 'model');
});
afterEach(() => {
  chmodSync(place, 0o755);
  rmSync(place, { recursive: true, force: true });
});

const hostile = ['plain', 'line\nbreak', '"quoted", and comma', ' space ', '\u2028 \u0000 \\ λ 🜁', '', '{"a":1}'];

describe('save and load', () => {
  test.each(['none', 'rows', 'columns', 'both'] as const)('give the same model back, biases %s', async (biases) => {
    for (const dtype of ['f32', 'f64'] as const) {
      const model = sampleModel({
        biases,
        dtype,
        rows: hostile.length,
        labels: { rows: hostile, columns: ['a', 'b', 'c', 'd'] },
      });
      await model.save(out);
      const loaded = await loadModel(out);
      expect(loaded.U.data).toEqual(model.U.data);
      expect(loaded.V.data).toEqual(model.V.data);
      expect(loaded.U.shape).toEqual(model.U.shape);
      expect(loaded.biases).toEqual(model.biases);
      expect(loaded.labels).toEqual(model.labels);
      expect(loaded.fit).toEqual(model.fit);
      expect(loaded.rowIndex('line\nbreak')).toBe(1);
    }
  });

  test('write the files the format names, and those only', async () => {
    await sampleModel().save(out);
    expect(readdirSync(out).sort()).toEqual(['U.npy', 'V.npy', 'model.json']);
    await sampleModel({
      biases: 'both',
      labels: { rows: ['1', '2', '3', '4', '5'], columns: ['a', 'b', 'c', 'd'] },
    }).save(out);
    expect(readdirSync(out).sort()).toEqual([
      'U.npy',
      'V.npy',
      'column_bias.npy',
      'columns.jsonl',
      'model.json',
      'row_bias.npy',
      'rows.jsonl',
    ]);
    expect(readdirSync(place)).toEqual(['model']);
    const described = JSON.parse(readFileSync(join(out, 'model.json'), 'utf8'));
    expect(described).toMatchObject({ format: 'hadamard-model', version: 2, shape: [5, 4], rank: 2, dtype: 'f64' });
  });

  test('leave a digest that the bytes of the .npy files confirm', async () => {
    await sampleModel({ biases: 'both' }).save(out);
    const hash = createHash('sha256');
    for (const name of ['U.npy', 'V.npy', 'row_bias.npy', 'column_bias.npy']) {
      const bytes = readFileSync(join(out, name));
      hash.update(bytes.subarray(10 + bytes.readUInt16LE(8)));
    }
    expect(JSON.parse(readFileSync(join(out, 'model.json'), 'utf8')).fit.digest).toBe(hash.digest('hex'));
  });

  test('make the folders above, and write through a link to the folder behind it', async () => {
    await sampleModel().save(join(place, 'a', 'b', 'model'));
    await loadModel(join(place, 'a', 'b', 'model'));
    symlinkSync(join(place, 'a', 'b', 'model'), out);
    await sampleModel({ seed: 2 }).save(out);
    expect((await loadModel(join(place, 'a', 'b', 'model'))).fit.seed).toBe(2);
  });
});

test.each([undefined, null, 5, '', new URL('file:///tmp')])('%o is no path to save to or load from', async (path) => {
  const refused = { code: 'invalid-option', position: { option: 'directory' } };
  await expect(sampleModel().save(path as never)).rejects.toMatchObject(refused);
  await expect(loadModel(path as never)).rejects.toMatchObject(refused);
});

describe('load refuses', () => {
  async function expectMalformed(file: string) {
    await expect(loadModel(out)).rejects.toMatchObject({
      code: 'malformed-model',
      position: { file: join(out, file) },
    });
  }
  beforeEach(() =>
    sampleModel({ biases: 'both', labels: { rows: ['1', '2', '3', '4', '5'], columns: ['a', 'b', 'c', 'd'] } }).save(
      out,
    ),
  );

  test('a folder without a model', async () => {
    await expect(loadModel(join(place, 'nothing'))).rejects.toMatchObject({ code: 'not-found' });
    await expect(loadModel(place)).rejects.toMatchObject({ code: 'not-found' });
  });

  test.each(['U.npy', 'V.npy', 'row_bias.npy', 'column_bias.npy', 'rows.jsonl', 'columns.jsonl'])(
    'a missing or shortened %s',
    async (file) => {
      const bytes = readFileSync(join(out, file));
      writeFileSync(join(out, file), bytes.subarray(0, bytes.length - 4));
      await expectMalformed(file);
      rmSync(join(out, file));
      await expect(loadModel(out)).rejects.toMatchObject({ what: `${join(out, file)} cannot be used. It is missing.` });
    },
  );

  test.each([undefined, null, 5, '', new URL('file:///tmp')])('%o, which is no path, as save does', async (bad) => {
    await expect(loadModel(bad as never)).rejects.toMatchObject({ code: 'invalid-option' });
    await expect(sampleModel().save(bad as never)).rejects.toMatchObject({ code: 'invalid-option' });
  });

  test('numbers that were changed', async () => {
    const bytes = readFileSync(join(out, 'V.npy'));
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1;
    writeFileSync(join(out, 'V.npy'), bytes);
    await expectMalformed('V.npy');
  });

  test('factors of another size or type', async () => {
    const other = join(place, 'other');
    await sampleModel({ rows: 6, dtype: 'f32' }).save(other);
    cpSync(join(other, 'U.npy'), join(out, 'U.npy'));
    await expectMalformed('U.npy');
  });

  test.each([
    ['broken JSON', (text: string) => text.slice(0, -10)],
    ['a newer version', (text: string) => text.replace('"version": 2', '"version": 3')],
    ['another format', (text: string) => text.replace('hadamard-model', 'other')],
    ['null', () => 'null'],
    ['a missing field', (text: string) => text.replace('"rank"', '"knar"')],
  ])('a model.json with %s', async (_, change) => {
    const file = join(out, 'model.json');
    writeFileSync(file, change(readFileSync(file, 'utf8')));
    await expectMalformed('model.json');
  });
});

test('to load, predict and recommend starts no worker, and a fit that does is seen', async () => {
  await sampleModel().save(out);
  const code = `
    let workers = 0;
    process.on('worker', () => workers++);
    const { factorize, loadModel } = await import('${new URL('../../dist/src/index.js', import.meta.url).href}');
    const model = await loadModel('${out}');
    model.predict(1, 2);
    model.predict([0, 1], [1, 2]);
    model.recommend(0);
    console.log(workers);
    const A = { rows: Uint32Array.of(0, 1), columns: Uint32Array.of(0, 1), values: Float64Array.of(1, 2), shape: [2, 2] };
    await factorize(A, { rank: 1, threads: 2, inline: 'never' });
    console.log(workers);
  `;
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', code]);
  expect(String(printed).trim().split('\n')).toEqual(['0', '2']);
});
