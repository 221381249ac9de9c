/** Ratings of 25 users for 15 items, some unseen, and a model of them, in a folder that goes when the test file ends. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { fit } from '../../dist/src/cli/fit.js';
import { type Ended, noise, run, temporaryFolder } from './run.js';

export const folder = temporaryFolder();
afterAll(folder.remove);
export const cli = (...args: string[]): Promise<Ended> => run(args, folder.path);
export const at = (name: string) => join(folder.path, name);
export const put = (name: string, text: string) => writeFileSync(at(name), text);
export const read = (name: string) => readFileSync(at(name), 'utf8');

export const users = Array.from({ length: 25 }, (_, i) => `user "${i}", x`);
export const items = Array.from({ length: 15 }, (_, j) => `item ${j}`);
export const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
const draws = noise(25 * 15, 3);
/** The rating of user i for item j: rank 1, biases and noise. */
export const ratingOf = (i: number, j: number) =>
  3 + (i % 5) / 3 + (j % 4) / 5 + ((i % 7) - 3) * ((j % 3) - 1) * 0.3 + (draws[i * 15 + j] as number) / 5;
export const isSeen = (i: number, j: number) => (i * 7 + j * 3) % 4 !== 0;
const lineOf = (i: number, j: number) => `${quoted(users[i] as string)},${items[j]},${ratingOf(i, j).toFixed(3)}`;
export const entriesOf = (rows: readonly number[]) =>
  rows.flatMap((i) => items.flatMap((_, j) => (isSeen(i, j) ? [lineOf(i, j)] : [])));
export const header = 'user,item,rating';
export const all = users.map((_, i) => i);

beforeAll(async () => {
  put('ratings.csv', [header, ...entriesOf(all)].join('\n'));
  const flags = { rank: 2, biases: 'both', lambda: 0.05, dtype: 'f64', quiet: true } as const;
  await fit(at('ratings.csv'), { ...flags, out: at('model') });
});
