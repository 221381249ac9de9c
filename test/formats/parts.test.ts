/** Several files as one, by a pattern in the last part of the path. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTable } from '../../dist/src/formats/readTable.js';
import { writeTable } from '../../dist/src/formats/writeTable.js';
import { denseOf, entriesOf, failure, pathOf } from './files.js';

/** A folder with these files. */
function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = pathOf('-parts');
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

describe('entries', () => {
  it('stand one after the other in the order of the names, labels shared, of any format', async () => {
    const folder = folderOf({
      'r-2.csv': 'u,i,r\nb,x,2\na,y,3\n',
      'r-1.csv': 'u,i,r\na,x,1\n',
      'r-10.jsonl': '',
      'q-1.csv': 'u,i,r\nz,z,9\n',
      '.r-0.csv': 'u,i,r\nz,z,9\n',
    });
    const matrix = {
      rows: Uint32Array.of(0),
      columns: Uint32Array.of(0),
      values: Float64Array.of(4),
      shape: [1, 1] as const,
    };
    await writeTable(join(folder, 'r-3.parquet'), { matrix, labels: { rows: ['c'], columns: ['y'] }, notes: [] });
    mkdirSync(join(folder, 'r-4.csv'));
    const table = await readTable(join(folder, 'r-?.*'));
    expect(entriesOf(table)).toEqual([
      ['a', 'x', 1],
      ['b', 'x', 2],
      ['a', 'y', 3],
      ['c', 'y', 4],
    ]);
    expect(table.names).toEqual(['u', 'i', 'r']);
    expect([0, 1, 2, 3].map((entry) => basename(table.fileOf?.(entry) ?? ''))).toEqual([
      'r-1.csv',
      'r-2.csv',
      'r-2.csv',
      'r-3.parquet',
    ]);
    expect(await readTable(join(folder, 'r-[2].csv')).catch(() => 'not found')).toBe('not found');
    const lined = await readTable(join(folder, 'r-*.csv'));
    expect([0, 1, 2].map((entry) => lined.lineOf?.(entry))).toEqual([2, 2, 3]);
  });

  it('of weights', async () => {
    const folder = folderOf({ 'a.csv': 'a,x,1,0.5\n', 'b.csv': 'b,x,2,0.25\n' });
    expect(entriesOf(await readTable(join(folder, '*.csv'), { weights: true }))).toEqual([
      ['a', 'x', 1, 0.5],
      ['b', 'x', 2, 0.25],
    ]);
  });
});

describe('dense tables', () => {
  it('stand one below the other', async () => {
    const folder = folderOf({ 'a.csv': 'id,x,y\na,1,\n', 'b.csv': 'id,x,y\nb,3,4\nc,5,6\n' });
    const table = await readTable(join(folder, '*.csv'), { table: true });
    expect(table.labels).toEqual({ rows: ['a', 'b', 'c'], columns: ['x', 'y'] });
    expect(denseOf(table)).toEqual([1, Number.NaN, 3, 4, 5, 6]);
  });
});

describe('is refused, naming the part:', () => {
  it.each([
    ['a part that is broken', { 'a.csv': 'a,x,1\n', 'b.csv': 'b,x,oops\n' }, false, 'malformed-file', 'b.csv'],
    ['other columns', { 'a.csv': 'i,x\na,1\n', 'b.csv': 'i,y\nb,1\n' }, true, 'shape-mismatch', 'b.csv'],
    ['a row twice', { 'a.csv': 'i,x\na,1\n', 'b.csv': 'i,x\na,1\n' }, true, 'shape-mismatch', 'b.csv'],
    [
      'files without labels',
      {
        'a.mtx': '%%MatrixMarket matrix array real general\n1 1\n1\n',
        'b.mtx': '%%MatrixMarket matrix array real general\n1 1\n1\n',
      },
      false,
      'shape-mismatch',
      'a.mtx',
    ],
    ['no file', {}, false, 'not-found', '*'],
  ] as const)('%s', async (_, files, table, code, part) => {
    const error = await failure(readTable(join(folderOf(files as Record<string, string>), '*'), { table }));
    expect([error.code, basename(error.position.file ?? '')]).toEqual([code, part]);
  });

  it('a folder that is not there; patterns stand in the last part alone', async () => {
    expect((await failure(readTable(join(dirname(pathOf('')), 'nowhere*', 'a.csv')))).code).toBe('not-found');
    expect((await failure(readTable(join('nowhere', '*.csv')))).code).toBe('not-found');
  });

  it('but a file whose name has a star is read as it is', async () => {
    const folder = folderOf({ 'a*.csv': 'a,x,1\n', 'ab.csv': 'b,x,2\n' });
    expect(entriesOf(await readTable(join(folder, 'a*.csv')))).toEqual([['a', 'x', 1]]);
  });
});
