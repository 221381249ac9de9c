/** fit --sql: what a query gives, always the same, and again from its model. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Triples } from '../../dist/src/data/input.js';
import { readQuery } from '../../dist/src/formats/readTable.js';
import { entriesOf } from '../formats/files.js';
import { failureOf, run, temporaryFolder } from './run.js';

const folder = temporaryFolder();
afterAll(folder.remove);
const at = (name: string) => join(folder.path, name);
const cli = (...args: string[]) => run(args, folder.path);
const digestOf = ({ stdout }: { stdout: string }) => JSON.parse(stdout).digest as string;
const fit = (...args: string[]) => cli('fit', ...args, '--rank', '2', '--lambda', '0.1', '--json', '--quiet');

const ratings: [string, string, number][] = [];
for (let u = 0; u < 12; u++)
  for (let i = 0; i < 9; i++) if ((u * 5 + i * 3) % 4 > 0) ratings.push([`u "${u}"`, `i,${i}`, ((u * i) % 5) + 0.5]);
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
const csv = `user,item,rating\n${ratings.map(([u, i, r]) => `${quoted(u)},${quoted(i)},${r}`).join('\n')}\n`;

const duckdb = await import('@duckdb/node-api').then(
  () => true,
  () => false,
);

describe.skipIf(!duckdb)('--sql (needs @duckdb/node-api)', () => {
  beforeAll(async () => {
    writeFileSync(at('ratings.csv'), csv);
    expect(await cli('convert', 'ratings.csv', 'ratings.parquet', '--quiet')).toMatchObject({ code: 0, stderr: '' });
  });

  test('fits the result of a query in the order of its labels', async () => {
    const before = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
    const sorted = [...ratings].sort(([u, i], [v, j]) => before(u, v) || before(i, j));
    // Columns are numbered as they appear: the first row has them all.
    const first = [...new Set(ratings.map(([, i]) => i))].sort();
    const table = [...new Set(sorted.map(([u]) => u))].map((u) =>
      [u, ...first.map((i) => sorted.find(([v, j]) => v === u && j === i)?.[2] ?? '')].map((cell) =>
        quoted(String(cell)),
      ),
    );
    writeFileSync(at('sorted.csv'), [['', ...first].map(quoted), ...table].map((line) => line.join()).join('\n'));
    const direct = digestOf(await fit('sorted.csv', '--table'));
    expect(digestOf(await fit('--sql', "select user, item, rating from 'ratings.parquet'"))).toBe(direct);
    const named = await fit('--sql', "select rating, item, user from 'ratings.csv'", '--columns', 'user,item,rating');
    expect(digestOf(named)).toBe(direct);
    expect(digestOf(await fit('--sql', "from 'ratings.parquet' order by rating desc"))).toBe(direct);
  });

  test('gives the same sums of floats in the same order every time', async () => {
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    // Parts enough that threads would share them.
    await connection.run(
      `copy (select hash(i) % 300 u, hash(7 * i) % 50 v, hash(13 * i) % 1000000 / 7.0 x from range(400000) t(i))
        to '${at('large.parquet')}' (row_group_size 20480)`,
    );
    connection.closeSync();
    const sql = `select u, v, sum(x) from '${at('large.parquet')}' group by 1, 2`;
    const bits = async () => {
      const { matrix, labels } = await readQuery(sql, {});
      return { ...(matrix as Triples), labels };
    };
    const one = await bits();
    expect(one.labels?.rows).toEqual([...(one.labels?.rows ?? [])].sort());
    expect(one.rows).toEqual(one.rows.slice().sort());
    for (let again = 0; again < 3; again++) expect(await bits()).toEqual(one);
  });

  test('runs again from the model, whose record is a whole command', async () => {
    const sql = `select "user", item, count(*)\nfrom 'ratings.csv' where '\\' <> 'a  b' group by 1, 2`;
    const digest = digestOf(await fit('--sql', sql, '--out', 'queried', '--max-sweeps', '30'));
    const run = JSON.parse(readFileSync(at('queried/model.json'), 'utf8')).run;
    expect(run).toMatchObject({ inputs: [], options: { sql, rank: 2 } });
    const again = await cli('fit', '--config', 'queried', '--json', '--quiet');
    expect(again.stderr).toBe('');
    expect(digestOf(again)).toBe(digest);
    // As inspect prints it, a shell takes it.
    const { stdout } = await cli('inspect', 'queried');
    const command = /\n {2}command\n([\s\S]+?)\n\n/.exec(stdout)?.[1] ?? '';
    const words = execFileSync('bash', ['-c', `hadamard() { printf '%s\\0' "$@"; }\n${command}`], { encoding: 'utf8' });
    expect(digestOf(await cli(...words.split('\0').slice(0, -1), '--json', '--quiet'))).toBe(digest);
    expect(words.split('\0')).toContain(sql);
    // Another A on the command line comes before the query, and a query before a file.
    const other = await cli('fit', 'ratings.csv', '--config', 'queried', '--json', '--quiet');
    expect(digestOf(other)).toBe(digestOf(await fit('ratings.csv', '--max-sweeps', '30')));
    writeFileSync(at('by-file.json'), JSON.stringify({ inputs: ['nowhere.csv'], rank: 2, lambda: 0.1, maxSweeps: 30 }));
    expect(digestOf(await cli('fit', '--config', 'by-file.json', '--sql', sql, '--json', '--quiet'))).toBe(digest);
  });

  test('takes counts, dates, decimals, and integers beyond 2⁵³', async () => {
    const sql = `select u, d, sum(x) from (values (9007199254740993, date '2024-02-29', 1.25), (9007199254740992, date '1970-01-01', 2),
      (9007199254740993, date '2024-02-29', 1)) t(u, d, x) group by 1, 2 order by 3`;
    const entries = entriesOf(await readQuery(sql, {}));
    expect(entries).toEqual([
      ['9007199254740992', '1970-01-01', 2],
      ['9007199254740993', '2024-02-29', 2.25],
    ]);
  });

  test.each([
    ['select 1', 'malformed-file'],
    ['select 1, 2, null', 'invalid-value'],
    ["select 1, 2, 'x'", 'malformed-file'],
    ['select [1], 2, 3', 'malformed-file'],
    ['selec', 'invalid-option'],
    ["from 'nowhere.parquet'", 'invalid-option'],
    ["copy (select 1) to 'written.csv'", 'invalid-option'],
    ['create table t (a int)', 'invalid-option'],
    ['select 1, 2, 3; select 1, 2, 3', 'invalid-option'],
  ])('refuses %j', async (sql, code) => {
    const ended = await fit('--sql', sql);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(failureOf(ended).code).toBe(code);
  });
});
