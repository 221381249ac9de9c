/** Files that commands write: packed as their name ends, whole or not there. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import * as zlib from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { foldInFile } from '../../dist/src/cli/foldIn.js';
import { imputeTable } from '../../dist/src/cli/impute.js';
import { predict } from '../../dist/src/cli/predict.js';
import { recommend } from '../../dist/src/cli/recommend.js';
import { failure, hasZstd } from '../formats/files.js';
import { sampleModel } from '../model/sample.js';
import { noise, npy, start, temporaryFolder } from './run.js';

/** Of a later Node than the types are of. */
const { zstdDecompressSync } = zlib as unknown as { zstdDecompressSync: (bytes: Buffer) => Buffer };

const folder = temporaryFolder();
afterAll(folder.remove);
const at = (name: string) => join(folder.path, name);

beforeAll(async () => {
  await sampleModel({ labels: { rows: [...'abcde'], columns: [...'wxyz'] } }).save(at('model'));
  writeFileSync(at('rows.csv'), 'a,w,1\na,x,2\nb,y,3\n');
  writeFileSync(at('table.csv'), 'row,w,x,y,z\na,1,,2,3\nb,2,1,,1\n');
});

describe('packed as the name ends', () => {
  /** Each writes a result to `out`. */
  const writers: Record<string, (out: string, model?: string) => Promise<number>> = {
    predict: (out, model = at('model')) => predict(model, at('rows.csv'), { out, quiet: true }),
    recommend: (out, model = at('model')) => recommend(model, { all: true, out, quiet: true }),
    'fold-in': (out, model = at('model')) => foldInFile(model, at('rows.csv'), { out, quiet: true }),
    impute: (out, model = at('model')) => imputeTable(at('table.csv'), { model, out, quiet: true }),
  };

  test.each(Object.entries(writers))('%s', async (name, write) => {
    const written = async (ending: string) => {
      expect(await write(at(`${name}${ending}`))).toBe(0);
      return readFileSync(at(`${name}${ending}`));
    };
    const plain = await written('.csv');
    expect(plain.toString()).toContain(',');
    expect(zlib.gunzipSync(await written('.csv.gz'))).toEqual(plain);
    expect(zlib.gunzipSync(await written('.tsv.gz')).toString()).toContain('\t');
    if (hasZstd) expect(zstdDecompressSync(await written('.csv.zst'))).toEqual(plain);
    // Before any work: not even the model is looked for.
    else expect(await failure(write(at('never.csv.zst'), 'nowhere'))).toMatchObject({ code: 'unsupported-format' });
  });

  test('bounds of impute too', async () => {
    const packed = {
      rank: 1,
      lambda: 0.1,
      maxSweeps: 5,
      intervals: '0.5',
      out: at('some.csv.gz'),
      quiet: true,
    } as const;
    writeFileSync(
      at('larger.csv'),
      ['row,a,b,c', ...[...'defghi'].map((row, i) => `${row},${i},1,${i % 2 || ''}`)].join('\n'),
    );
    await imputeTable(at('larger.csv'), packed);
    const names = ['some.csv.gz', 'some.lower.csv.gz', 'some.upper.csv.gz'];
    expect(readdirSync(folder.path).filter((name) => name.startsWith('some.'))).toEqual(names);
    for (const name of names) expect(zlib.gunzipSync(readFileSync(at(name))).toString()).toMatch(/^row,a,b,c\n/);
  });
});

test('an interrupt leaves no part of a file', async () => {
  const others = () => readdirSync(folder.path).filter((name) => /^\.?never/.test(name));
  writeFileSync(at('large.npy'), npy(noise(3e5, 1), 600, 500));
  const { process: child, ended } = start(['convert', 'large.npy', 'never.csv.gz'], folder.path);
  while (others().length === 0 && child.exitCode === null) await setTimeout(2);
  expect(others()).toEqual([expect.stringContaining('.new-')]);
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 130, stdout: '', stderr: expect.stringContaining('Cancelled') });
  expect(others()).toEqual([]);
});
