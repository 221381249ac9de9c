/** Files written by scipy, pandas, pyarrow and DuckDB (test/golden/formats/columns.py), against what they say is in them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { listedCount, shapeOf, visitEntries } from '../../dist/src/data/entries.js';
import { readTable, type Table } from '../../dist/src/formats/readTable.js';
import { denseOf, entriesOf, failure, fileOf } from './files.js';

const pathOf = (name: string) => fileURLToPath(new URL(`../golden/formats/${name}`, import.meta.url));
const expected = JSON.parse(readFileSync(pathOf('columns.json'), 'utf8')) as {
  entries: Record<string, [row: string, column: string, value: number | '-0'][]>;
  tables: Record<string, { rows: string[]; columns: string[]; values: (number | null)[] }>;
  npz: Record<string, { shape: number[]; entries: [row: number, column: number, value: number][] }>;
};

const byPlace = ({ matrix }: Table) => {
  const entries: number[][] = [];
  visitEntries(matrix, undefined, (row, column, value) => entries.push([row, column, value]));
  return entries.sort(([a = 0, b = 0], [c = 0, d = 0]) => a - c || b - d);
};

describe('entries', () => {
  it.each(Object.entries(expected.entries))('%s', async (name, holds) => {
    const entries = holds.map(([row, column, value]) => [row, column, value === '-0' ? -0 : value]);
    expect(entriesOf(await readTable(pathOf(name)))).toStrictEqual(entries);
    const packed = fileOf(`.${name.split('.').at(-1)}.gz`, gzipSync(readFileSync(pathOf(name))));
    expect(entriesOf(await readTable(packed))).toStrictEqual(entries);
  });

  it('takes columns by name, in any order, and notes what it passes over', async () => {
    const table = await readTable(pathOf('snappy.parquet'), { columns: ['item', 'user', 'rating'] });
    const holds = expected.entries['snappy.parquet'] ?? [];
    expect(table.names).toEqual(['item', 'user', 'rating']);
    expect(entriesOf(table).map(([row, column]) => [column, row])).toEqual(holds.map(([row, column]) => [row, column]));
    expect((await readTable(pathOf('snappy.parquet'), { columns: ['2', '1', '3'] })).names).toEqual(table.names);
    const { code, rule } = await failure(readTable(pathOf('snappy.parquet'), { columns: ['user', 'film', 'rating'] }));
    expect([code, rule]).toEqual(['malformed-file', 'The columns are "user", "item", "rating".']);
  });

  it('long.feather: LZ4 blocks that reach back into those before', async () => {
    const entries = entriesOf(await readTable(pathOf('long.feather')));
    expect(entries).toHaveLength(12_000);
    entries.forEach((entry, i) => {
      expect(entry).toEqual([`user-${i % 97}`, String(Math.floor(i / 300)), (i % 7) / 2]);
    });
  });
});

describe('dense tables', () => {
  it.each(Object.entries(expected.tables))('%s', async (name, { rows, columns, values }) => {
    const table = await readTable(pathOf(name), { table: true });
    expect(table.labels).toEqual({ rows, columns });
    expect(denseOf(table)).toEqual(values.map((value) => value ?? Number.NaN));
  });
});

describe('.npz', () => {
  it.each(Object.entries(expected.npz))('%s', async (name, { shape, entries }) => {
    const table = await readTable(pathOf(name));
    expect(shapeOf(table.matrix)).toEqual(shape);
    expect(table.labels).toBeUndefined();
    expect(byPlace(table)).toEqual(entries);
    if (name !== 'dense.npz') expect(listedCount(table.matrix)).toBe(entries.length);
  });
});

describe('is refused:', () => {
  it.each([
    ['refused-bsr.npz', 'unsupported-format', /"bsr"/],
    ['refused-pickled.npz', 'unsupported-format', /O/],
    ['refused-two.npz', 'malformed-file', /"a", "b"/],
    ['refused-announces.npz', 'malformed-file', /1000000×1000000 items/],
    ['refused-bomb.npz', 'malformed-file', /announces 640 bytes/],
    ['refused-nested.parquet', 'unsupported-format', /"r".*lists/],
    ['refused-nested.feather', 'unsupported-format', /"r".*List/],
    ['refused-null.parquet', 'invalid-value', /^Row 2 has no value/],
    ['refused-null.feather', 'invalid-value', /^Row 2 has no value/],
    ['refused-nan.parquet', 'invalid-value', /^Row 2 has the value NaN/],
    ['refused-label.parquet', 'malformed-file', /^Row 2 has an empty label/],
    ['refused-names.parquet', 'malformed-file', /named "u"/],
    ['refused-old.feather', 'unsupported-format', /version 1/],
  ] as const)('%s', async (name, code, what) => {
    const error = await failure(readTable(pathOf(name)));
    expect([error.code, error.what]).toEqual([code, expect.stringMatching(what)]);
    expect(error.position.file).toContain(name);
    if (/^Row 2/.test(error.what)) expect(error.position.record).toBe(2);
  });
});
