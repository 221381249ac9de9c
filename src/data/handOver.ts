/** Entries that their owner gives up, so that their memory is free for what is made of them: option `handOver`. */
import { isCompressed, isTriples } from './forms.js';
import type { CompressedRows, MatrixInput, RealArray, Triples, WeightsInput } from './input.js';
import { free, freePiece, piecesOf } from './pieces.js';

/** Frees the lists of triples or CSR and of their weights. */
export function freeEntries(A: MatrixInput, weights: WeightsInput | undefined): void {
  if (!isTriples(A) && !isCompressed(A)) return;
  const pieces = piecesOf(A);
  pieces?.list.splice(0).forEach(freePiece);
  for (const list of [...(pieces ? [] : listsOf(A)), ...Object.values(weights ?? {})])
    if (ArrayBuffer.isView(list)) free(list);
}

const listsOf = (A: Triples | CompressedRows): ArrayLike<number | bigint>[] =>
  isTriples(A) ? [A.rows, A.columns, A.values] : [A.rowPointers, A.columnIndices, A.values];

/**
 * The same triples once their values are no longer needed, which are freed: where an entry stands in the listing can still be
 * said. Pieces stand in one stretch of memory each, and stay until that is freed.
 *
 * @param others as many numbers.
 */
export function withoutValues(A: Triples, others: RealArray): Triples {
  if (piecesOf(A)) return A;
  free(A.values);
  return { ...A, values: others };
}
