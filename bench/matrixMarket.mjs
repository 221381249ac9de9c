/** Matrix Market coordinate files, gzipped, as the data of benches: entries without a value are 1. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

export function readMatrixMarket(path) {
  const lines = gunzipSync(readFileSync(path)).toString('latin1').split('\n');
  const [[m, n], ...list] = lines
    .filter((line) => line && !line.startsWith('%'))
    .map((line) => line.trim().split(/\s+/).map(Number));
  return {
    rows: Uint32Array.from(list, ([row]) => row - 1),
    columns: Uint32Array.from(list, ([, column]) => column - 1),
    values: Float64Array.from(list, (entry) => entry[2] ?? 1),
    shape: [m, n],
  };
}
