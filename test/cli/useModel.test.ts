/** `hadamard similar`, `inspect` and `export` as people and programs call them. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Model, similar } from '../../dist/src/index.js';
import { randomModel } from '../recommend/models.js';
import { failureOf, run, temporaryFolder } from './run.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder.path, name);
const cli = (...args: string[]) => run(args, folder.path);
const labels = { rows: ['ann', 'line\nbreak', 'say "hi"', 'λ'], columns: ['Toy Story', 'y,z', '"'] };
const model = randomModel({ rows: 4, columns: 3, rank: 2, biases: 'both', labels });
const plain = randomModel({ rows: 4, columns: 3, rank: 2, dtype: 'f64' });

beforeAll(async () => {
  const run = {
    command: 'fit',
    inputs: ['my ratings.csv'],
    options: { rank: 2, lambdaScale: 'count', biases: 'both' },
  };
  await new Model({ ...model, run }).save(at('model'), { canonical: true });
  await plain.save(at('plain'));
});
afterAll(folder.remove);

describe('similar', () => {
  test('prints a table, or one line of JSON', async () => {
    const table = await cli('similar', 'model', '--column', 'Toy Story', '--top', '2');
    expect(table).toMatchObject({ code: 0, stderr: '' });
    expect(table.stdout.split('\n')[0]).toMatch(/column +cosine/);
    const json = await cli('similar', 'model', '--row', 'λ', '--top', '2', '--measure', 'euclidean', '--json');
    expect(JSON.parse(json.stdout)).toEqual({
      schema: 1,
      row: 'λ',
      measure: 'euclidean',
      by: 'profile',
      ...similar(model, { row: 3, top: 2, measure: 'euclidean' }),
    });
    const numbered = await cli('similar', 'plain', '--row', '1', '--by', 'factor');
    expect(numbered.stdout).toContain('row (from 0)');
    expect(numbered.stderr).toBe('Only 3 of the 10 asked for: the model has 4 rows.\n');
  });

  test('refuses what is no request', async () => {
    const table: [string[], object][] = [
      [[], { code: 'invalid-option', position: { option: 'row' } }],
      [['--row', 'ann', '--column', 'y,z'], { code: 'invalid-option', position: { option: 'row' } }],
      [['--column', 'ann'], { code: 'not-found', position: { option: 'column' } }],
      [['--row', 'ann', '--measure', 'x'], { code: 'invalid-option', position: { option: 'measure' } }],
      [['--row', 'ann', '--top', 'x'], { code: 'invalid-option', position: { option: 'top' } }],
    ];
    for (const [args, failure] of table) {
      const ended = await cli('similar', 'model', ...args, '--json');
      expect(ended).toMatchObject({ code: 2, stdout: '' });
      expect(failureOf(ended)).toMatchObject(failure);
    }
  });
});

describe('inspect', () => {
  test('says what a model is, for people', async () => {
    const { code, stdout, stderr } = await cli('inspect', 'model');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const text of [
      '4 × 3, rank 2, f32; labels of rows and columns',
      'f = Σ W²(A − p)²',
      'converged: a stationary point',
      "hadamard fit 'my ratings.csv' --rank 2 --lambda-scale count --biases both",
      'canonical/U.npy',
      model.fit.digest,
      'largest loadings, by singular vector of UVᵀ',
      'Toy Story',
    ])
      expect(stdout.replace(/\s+/g, ' ')).toContain(text);
    // Of many flags each has a line, so that none is broken where the text is.
    const run = { command: 'fit', inputs: ['line\nbreak.csv'], options: { rank: 2, table: true, seed: 1, lambda: -1 } };
    await new Model({ ...plain, run }).save(at('spelled'));
    expect((await cli('inspect', 'spelled')).stdout).toMatch(
      /fit \$'line\\nbreak\.csv' \\\n +--rank 2 \\\n +--table \\\n +--seed 1 \\\n +--lambda=-1\n/,
    );
    expect((await cli('inspect', 'plain')).stdout).toContain('no labels: rows and columns count from 0');
  });

  test('and for programs', async () => {
    const { stdout } = await cli('inspect', 'model', '--top', '1', '--json');
    expect(stdout.split('\n')).toHaveLength(2);
    const said = JSON.parse(stdout);
    expect(said).toMatchObject({
      schema: 1,
      shape: [4, 3],
      rank: 2,
      dtype: 'f32',
      biases: { kind: 'both', mean: 3.25 },
      labels: { rows: true, columns: true },
      isCanonical: true,
      run: { command: 'fit', inputs: ['my ratings.csv'] },
      digest: model.fit.digest,
    });
    const sizes = Object.fromEntries(
      said.files.map(({ file, bytes }: { file: string; bytes: number }) => [file, bytes]),
    );
    expect(sizes['U.npy']).toBe(statSync(at('model/U.npy')).size);
    expect(said.latent.map(({ largest }: { largest: unknown[] }) => largest.length)).toEqual([1, 1]);
  });

  test('refuses a model whose bytes have changed, and a number that is none', async () => {
    await plain.save(at('damaged'));
    const bytes = readFileSync(at('damaged/V.npy'));
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1;
    writeFileSync(at('damaged/V.npy'), bytes);
    expect(failureOf(await cli('inspect', 'damaged', '--json')).code).toBe('malformed-model');
    expect(failureOf(await cli('inspect', 'plain', '--top', '0', '--json'))).toMatchObject({
      code: 'invalid-option',
      position: { option: 'top' },
    });
  });
});

describe('export', () => {
  test('writes a folder or a file, and says what', async () => {
    const folderOf = await cli('export', 'model', '--format', 'npy', '--out', 'vectors');
    expect(folderOf).toMatchObject({ code: 0, stderr: '' });
    expect(folderOf.stdout).toContain('4 rows × 2');
    expect(folderOf.stdout).toContain('inner product + 3.25 + the biases');
    expect(readdirSync(at('vectors'))).toHaveLength(6);
    const json = await cli(
      ...[
        'export',
        'model',
        '--format',
        'pgvector',
        '--side',
        'columns',
        '--with-bias',
        '--out',
        'items.csv',
        '--json',
      ],
    );
    expect(JSON.parse(json.stdout)).toEqual({
      schema: 1,
      format: 'pgvector',
      files: ['items.csv'],
      vectors: { columns: { count: 3, width: 4 } },
      mean: 3.25,
    });
    expect((parse(readFileSync(at('items.csv'))) as string[][]).map(([id]) => id)).toEqual(['id', ...labels.columns]);
  });

  test('refuses what is no export', async () => {
    mkdirSync(at('folder'));
    const table: [string[], object][] = [
      [['--format', 'xml', '--out', 'x'], { code: 'invalid-option', position: { option: 'format' } }],
      [['--format', 'csv', '--out', ''], { code: 'invalid-option', position: { option: 'out' } }],
      [['--format', 'csv', '--out', 'x', '--side', 'y'], { code: 'invalid-option', position: { option: 'side' } }],
      [['--format', 'csv'], { code: 'invalid-option', position: { option: 'out' } }],
      [['--format', 'safetensors', '--out', 'folder'], { code: 'output-failed', position: { option: 'out' } }],
    ];
    for (const [args, failure] of table) {
      const ended = await cli('export', 'model', ...args, '--json');
      expect(ended).toMatchObject({ code: 2, stdout: '' });
      expect(failureOf(ended)).toMatchObject(failure);
    }
    expect(readdirSync(folder.path).filter((name) => name.includes('new-'))).toEqual([]);
  });
});
