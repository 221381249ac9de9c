/** A model folder that was damaged, tampered with, or written by another version. */
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadModel } from '../../dist/src/model/load.js';
import { Model } from '../../dist/src/model/model.js';
import { sampleModel } from './sample.js';

let place: string;
let out: string;
beforeEach(async () => {
  place = mkdtempSync(join(tmpdir(), 'hadamard-integrity-'));
  out = join(place, 'model');
  await richModel().save(out, { canonical: true });
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

/** With every file that there may be. */
function richModel(): Model {
  const labels = { rows: ['1', '2', '3', '4', 'ü'], columns: ['a', 'b', 'c', 'd'] };
  const { U, V, biases, fit } = sampleModel({ biases: 'both', labels });
  const options = { ...fit.options, background: { weight: 'separable' as const, value: 0 } };
  const background = { rows: Float64Array.of(1, 2, 3, 4, 5), columns: Float64Array.of(1, 2, 3, 4) };
  return new Model({ U, V, biases, labels, background, fit: { ...fit, options } });
}

const files = [
  'U.npy',
  'V.npy',
  'background_columns.npy',
  'background_rows.npy',
  'canonical/U.npy',
  'canonical/V.npy',
  'canonical/d.npy',
  'column_bias.npy',
  'columns.jsonl',
  'model.json',
  'row_bias.npy',
  'rows.jsonl',
];

const listed = () =>
  (readdirSync(out, { recursive: true }) as string[]).filter((name) => statSync(join(out, name)).isFile()).sort();

const expectMalformed = (file: string, what = /./) =>
  expect(loadModel(out)).rejects.toMatchObject({
    code: 'malformed-model',
    position: { file: join(out, file) },
    what: expect.stringMatching(what),
  });

/** What the tests change of it. */
interface Description {
  version: number;
  files?: Record<string, string>;
  checksum?: string;
  biases: object;
  fit: { options: object };
}

/** model.json with something else in it, and a checksum that says that it is right. */
function rewrite(change: (description: Description) => void, isSealed = true): void {
  const file = join(out, 'model.json');
  const description = JSON.parse(readFileSync(file, 'utf8'));
  change(description);
  if (isSealed) description.checksum = '0'.repeat(64);
  const text = `${JSON.stringify(description, null, 1)}\n`;
  writeFileSync(file, isSealed ? text.replace('0'.repeat(64), sha256(text)) : text);
}

const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex');

test('a folder holds these files, each with the checksum that sha256sum says, and comes back whole', async () => {
  expect(listed()).toEqual(files);
  const { files: hashes } = JSON.parse(readFileSync(join(out, 'model.json'), 'utf8'));
  expect(hashes).toEqual(
    Object.fromEntries(
      files.filter((name) => name !== 'model.json').map((name) => [name, sha256(readFileSync(join(out, name)))]),
    ),
  );
  expect((await loadModel(out)).background).toEqual(richModel().background);
});

test.each(files)('one flipped bit anywhere in %s is found, and the file named', async (name) => {
  const file = join(out, name);
  const bytes = readFileSync(file);
  const step = Math.max(1, Math.floor(bytes.length / 60));
  for (let at = 0; at < bytes.length; at += step) {
    const flipped = Buffer.from(bytes);
    flipped[at] = (bytes[at] as number) ^ (1 << (at % 8));
    writeFileSync(file, flipped);
    await expectMalformed(name);
  }
  writeFileSync(file, bytes);
  await loadModel(out);
});

describe('a folder of another version', () => {
  test('that is newer is refused, both versions named', async () => {
    rewrite((description) => Object.assign(description, { version: 3 }));
    await expectMalformed('model.json', /version 3; this hadamard reads versions up to 2/);
  });

  test.each([0, -1, 1.5, '2', null])('%o is refused', async (version) => {
    rewrite((description) => Object.assign(description, { version }));
    await expectMalformed('model.json');
  });

  test('1, which has no checksums, is loaded', async () => {
    rewrite((description) => {
      Object.assign(description, { version: 1 });
      delete description.files;
      delete description.checksum;
    }, false);
    const { U, background } = await loadModel(out);
    expect(U.data).toEqual(richModel().U.data);
    expect(background).toBeUndefined();
  });
});

describe('a path that escapes', () => {
  test.each(['../secret.npy', '/etc/hostname', 'canonical/../../secret.npy', 'notes.txt', '__proto__'])(
    'is refused in the list of files: %s',
    async (name) => {
      writeFileSync(join(place, 'secret.npy'), 'secret');
      rewrite((description) =>
        Object.defineProperty(description.files ?? {}, name, { value: sha256('secret'), enumerable: true }),
      );
      await expectMalformed('model.json', /names a file/);
    },
  );

  test('is refused where a file is a link out of the folder, also to the same bytes', async () => {
    for (const name of ['U.npy', 'rows.jsonl', 'canonical/d.npy']) {
      renameSync(join(out, name), join(place, 'moved'));
      symlinkSync(join(place, 'moved'), join(out, name));
      await expectMalformed(name, /link out of the folder/);
      rmSync(join(out, name));
      renameSync(join(place, 'moved'), join(out, name));
    }
    await loadModel(out);
  });

  test('is refused where model.json is a link', async () => {
    renameSync(join(out, 'model.json'), join(place, 'moved.json'));
    symlinkSync(join(place, 'moved.json'), join(out, 'model.json'));
    await expect(loadModel(out)).rejects.toMatchObject({ position: { file: join(out, 'model.json') } });
  });

  test('is none where the folder itself is reached by a link', async () => {
    symlinkSync(out, join(place, 'link'));
    expect((await loadModel(join(place, 'link'))).rank).toBe(2);
  });

  test('is no way to a folder in place of a file', async () => {
    rmSync(join(out, 'V.npy'));
    mkdirSync(join(out, 'V.npy'));
    await expectMalformed('V.npy', /no file/);
  });
});

describe('numbers of model.json are looked at before they are used', () => {
  test.each<[string, (description: Description) => void]>([
    ['a λ below 0', ({ fit }) => Object.assign(fit.options, { lambdaRows: -1 })],
    ['a λ that is none', ({ fit }) => Object.assign(fit.options, { lambdaColumns: null })],
    ['a loss that is none', ({ fit }) => Object.assign(fit.options, { loss: 'constructor' })],
    ['bounds of three', ({ fit }) => Object.assign(fit.options, { bounds: { rows: [0, 1, 2] } })],
    ['a background below 0', ({ fit }) => Object.assign(fit.options, { background: { weight: -1, value: 0 } })],
    ['another rank in its options', ({ fit }) => Object.assign(fit.options, { rank: 3 })],
    ['no options', ({ fit }) => Object.assign(fit, { options: null })],
    ['a mean that is no number', (description) => Object.assign(description.biases, { mean: '1' })],
    ['a shape of 10¹⁸', (description) => Object.assign(description, { shape: [1e18, 4] })],
    ['a checksum that is none', (description) => Object.assign(description.files ?? {}, { 'U.npy': 'abc' })],
    ['no checksum of U', (description) => void delete description.files?.['U.npy']],
    ['no checksums', (description) => void delete description.files],
  ])('%s', async (_name, change) => {
    rewrite(change);
    await expect(loadModel(out)).rejects.toMatchObject({ code: 'malformed-model' });
  });

  test('names that are special in JavaScript do nothing', async () => {
    const file = join(out, 'model.json');
    const hostile = '"__proto__": { "polluted": 1 }, "constructor": { "prototype": { "polluted": 1 } }, ';
    const text = readFileSync(file, 'utf8')
      .replace(/"checksum": "[0-9a-f]{64}"/, `"checksum": "${'0'.repeat(64)}"`)
      .replace('"fit": {', `${hostile}"fit": { ${hostile}`)
      .replace('"options": {', `"options": { ${hostile}`);
    writeFileSync(file, text.replace('0'.repeat(64), sha256(text)));
    await loadModel(out);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  test('an edit without its checksum is refused', async () => {
    rewrite((description) => Object.assign(description, { rank: 2 }), false);
    await loadModel(out);
    rewrite(({ fit }) => Object.assign(fit, { seed: 7 }), false);
    await expectMalformed('model.json', /checksum/);
  });
});

test.each([
  ['twice', ['1', '2', '1', '4', '5'], 2],
  ['half a surrogate pair', ['1', '2', '3', '4', '\ud800'], 4],
])('a label that is %s is refused by save and by load', async (_, rows, index) => {
  const { U, V, biases, fit, labels } = richModel();
  await expect(new Model({ U, V, biases, fit, labels: { ...labels, rows } }).save(out)).rejects.toMatchObject({
    code: 'invalid-input',
    position: { option: 'labels', index },
  });
  const text = rows.map((label) => `${JSON.stringify(label)}\n`).join('');
  writeFileSync(join(out, 'rows.jsonl'), text);
  rewrite(({ files = {} }) => Object.assign(files, { 'rows.jsonl': sha256(text) }));
  await expectMalformed('rows.jsonl', new RegExp(`Label ${index} `));
});
