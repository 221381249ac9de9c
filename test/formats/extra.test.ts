/** One more column beside row, column and value, in every format that has names: the time of an entry. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readTable } from '../../dist/src/formats/readTable.js';
import { recordChunks } from '../../dist/src/formats/writeTable.js';

const folder = mkdtempSync(join(tmpdir(), 'hadamard-extra-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const times = ['2024-05-01T12:30:00Z', '2024-05-02', '7'];
const expected = [Date.UTC(2024, 4, 1, 12, 30), Date.UTC(2024, 4, 2), 7];
const request = { columns: ['user', 'item', 'rating'], extra: 'when' };

async function written(name: string, when: readonly string[]): Promise<string> {
  const format = name.split('.').at(-1) as 'csv';
  const chunks: Uint8Array[] = [];
  const named = ['when', 'user', 'item'].map((column) => ({ name: column, kind: 'label' as const }));
  const values = Float64Array.from(when, (_, t) => t);
  async function* batches() {
    yield [when, when.map((_, t) => `u${t}`), when.map(() => 'i'), values];
  }
  const columns = [...named, { name: 'rating', kind: 'number' as const }];
  for await (const chunk of await recordChunks(format, { columns, batches: batches() }))
    chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat(chunks));
  return path;
}

test.each(['csv', 'tsv', 'jsonl', 'parquet', 'arrow'])('of a .%s', async (format) => {
  const table = await readTable(await written(`times.${format}`, times), request);
  expect(table.extra).toEqual(Float64Array.from(expected));
  expect(table.notes).toEqual([]);
  const bad = await written(`bad.${format}`, ['2024-05-01', 'yesterday']);
  await expect(readTable(bad, request)).rejects.toMatchObject({
    code: 'malformed-file',
    what: expect.stringContaining('"yesterday" where a time should be'),
    position: format.length === 3 ? { line: 3 } : format === 'jsonl' ? { line: 2 } : { record: 2 },
  });
});

test('of several files as one', async () => {
  await written('part-1.csv', times.slice(0, 2));
  await written('part-2.csv', times.slice(2));
  const { extra } = await readTable(join(folder, 'part-*.csv'), request);
  expect(extra).toEqual(Float64Array.from(expected));
});
