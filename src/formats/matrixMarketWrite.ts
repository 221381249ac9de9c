/** Matrix Market out: coordinate, real, general, by rows. */
import type { Triples } from '../data/input.js';
import { sortEntries } from './compressedRows.js';
import { batchLength, type Chunks, numberText } from './output.js';

/** @throws HadamardError `duplicate-entry` */
export async function* matrixMarketChunks(triples: Triples, path: string): Chunks {
  const [m, n] = triples.shape;
  const { rowStarts, columns, values } = sortEntries(triples, path);
  yield `%%MatrixMarket matrix coordinate real general\n${m} ${n} ${values.length}\n`;
  let row = 0;
  for (let start = 0; start < values.length; start += batchLength) {
    const lines: string[] = [];
    for (let t = start; t < Math.min(values.length, start + batchLength); t++) {
      while (t >= (rowStarts[row + 1] as number)) row++;
      lines.push(`${row + 1} ${(columns[t] as number) + 1} ${numberText(values[t] as number)}\n`);
    }
    yield lines.join('');
  }
}
