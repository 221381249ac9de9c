/** Real data that is not in the repository: HADAMARD_DATA, or ../shared/data beside the checkout. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { Triples } from '../../dist/src/data/input.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = resolve(root, process.env.HADAMARD_DATA ?? '../shared/data');

export const hasData = (name: string): boolean => existsSync(join(folder, name));

/** A name for a test that says why it may be skipped. */
export const needsData = (name: string, what: string): string =>
  hasData(name) ? what : `${what} (skipped: no ${name} in ${folder}; set HADAMARD_DATA)`;

/** A coordinate file, read without the package's own readers. */
export function readCoordinates(name: string): Triples {
  const lines = gunzipSync(readFileSync(join(folder, name)))
    .toString('latin1')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('%'))
    .map((line) => line.trim().split(/\s+/).map(Number));
  const [[m = 0, n = 0] = [], ...entries] = lines;
  return {
    rows: Uint32Array.from(entries, ([row = 0]) => row - 1),
    columns: Uint32Array.from(entries, ([, column = 0]) => column - 1),
    values: Float64Array.from(entries, ([, , value = 1]) => value),
    shape: [m, n],
  };
}
