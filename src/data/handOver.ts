/** Entries that their owner gives up, so that their memory is free for what is made of them: option `handOver`. */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { isCompressed, isTriples } from './forms.js';
import type { CompressedRows, MatrixInput, RealArray, Triples, WeightsInput } from './input.js';
import { type Piece, piecesOf } from './pieces.js';

/** Frees the lists of triples or CSR and of their weights. */
export function freeEntries(A: MatrixInput, weights: WeightsInput | undefined): void {
  if (!isTriples(A) && !isCompressed(A)) return;
  for (const list of [...listsOf(A), ...Object.values(weights ?? {})]) if (ArrayBuffer.isView(list)) free(list);
}

function listsOf(A: Triples | CompressedRows): ArrayLike<number | bigint>[] {
  const pieces = piecesOf(A);
  if (pieces) return pieces.list.splice(0).flatMap(({ rows, columns, values }) => [rows, columns, values]);
  return isTriples(A) ? [A.rows, A.columns, A.values] : [A.rowPointers, A.columnIndices, A.values];
}

export function freePiece({ rows, columns, values }: Piece): void {
  for (const list of [rows, columns, values]) free(list);
}

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

/** Node 20 has no `transfer`: what is sent to a port that nobody is behind is freed as well, where a clone waits for the next collection. */
const nobody = 'transfer' in ArrayBuffer.prototype ? undefined : portToNobody();

function portToNobody(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port1.close();
  return port2;
}

function free({ buffer }: ArrayBufferView): void {
  // What is freed already has no bytes.
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength === 0) return;
  const { transfer } = buffer as { transfer?: (this: ArrayBuffer, length: number) => ArrayBuffer };
  try {
    if (transfer) transfer.call(buffer, 0);
    else nobody?.postMessage(buffer, [buffer]);
  } catch {
    // The memory of a WebAssembly instance is not to be detached, and stays.
  }
}
