/** Matrix Market out: coordinate, real, general, by rows. */
import type { Triples } from '../data/input.js';
import { type SortedEntries, sortEntries } from './compressedRows.js';
import { type Chunks, inPieces, numberText } from './output.js';

/** @throws HadamardError `duplicate-entry` */
export async function* matrixMarketChunks(triples: Triples, path: string): Chunks {
  const [m, n] = triples.shape;
  const sorted = sortEntries(triples, path);
  yield `%%MatrixMarket matrix coordinate real general\n${m} ${n} ${sorted.values.length}\n`;
  yield* inPieces(linesOf(sorted));
}

function* linesOf({ rowStarts, columns, values }: SortedEntries): Generator<string> {
  let row = 0;
  for (let t = 0; t < values.length; t++) {
    while (t >= (rowStarts[row + 1] as number)) row++;
    yield `${row + 1} ${(columns[t] as number) + 1} ${numberText(values[t] as number)}\n`;
  }
}
