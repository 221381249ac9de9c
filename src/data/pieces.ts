/**
 * Triples in pieces, as a reader filled them. What goes through them piece by piece needs no list of them all, and what they are
 * given up to frees each behind itself.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Triples } from './input.js';

export interface Piece {
  readonly rows: Uint32Array;
  readonly columns: Uint32Array;
  /** What each value is times `divisor`: in 4 bytes where float32, or a whole number, says it exactly. */
  readonly held: Float32Array | Int32Array | Float64Array;
  /** 10ᵖ of decimals with p digits behind the point; else 1. */
  readonly divisor: number;
}

/** Copies values from … from + room.length − 1 of a piece. m/10ᵖ is rounded once, to the number that the decimal was read as. */
export function readValues({ held, divisor }: Piece, from: number, room: Float64Array): void {
  if (divisor === 1) room.set(held.subarray(from, from + room.length));
  else for (let t = 0; t < room.length; t++) room[t] = (held[from + t] as number) / divisor;
}

export interface Pieces {
  /** Those that are still there. */
  readonly list: Piece[];
  readonly length: number;
  /** Whether the reader could make them again, if somebody were to ask where an entry stood. */
  readonly isRepeatable: boolean;
}

const piecesByTriples = new WeakMap<object, Pieces>();

/** What triples were made of, where they were made of pieces. */
export const piecesOf = (A: object): Pieces | undefined => piecesByTriples.get(A);

/** Whether pieces have been freed, so that nothing can be said about their entries any more. */
export function areGone(A: object): boolean {
  const pieces = piecesOf(A);
  return pieces !== undefined && pieces.list.length === 0 && pieces.length > 0;
}

/** Triples whose lists are made when they are asked for; the pieces are gone then, and the lists are one. */
export function joinedLater(list: Piece[], shape: readonly [number, number], isRepeatable: boolean): Triples {
  const length = list.reduce((sum, { rows }) => sum + rows.length, 0);
  const joined = (): Piece => {
    if (list.length !== 1 || !(list[0]?.held instanceof Float64Array)) list.splice(0, list.length, join(list, length));
    return list[0] as Piece;
  };
  const triples: Triples = {
    get rows() {
      return joined().rows;
    },
    get columns() {
      return joined().columns;
    },
    get values() {
      return joined().held as Float64Array;
    },
    shape,
  };
  piecesByTriples.set(triples, { list, length, isRepeatable });
  return triples;
}

function join(list: readonly Piece[], length: number): Piece {
  const found = list.reduce((sum, { rows }) => sum + rows.length, 0);
  if (found !== length) throw new Error('These entries were given up.');
  const rows = new Uint32Array(length);
  const columns = new Uint32Array(length);
  const values = new Float64Array(length);
  let at = 0;
  for (const piece of list) {
    rows.set(piece.rows, at);
    columns.set(piece.columns, at);
    readValues(piece, 0, values.subarray(at, at + piece.rows.length));
    at += piece.rows.length;
    freePiece(piece);
  }
  return { rows, columns, held: values, divisor: 1 };
}

export function freePiece({ rows, columns, held }: Piece): void {
  for (const list of [rows, columns, held]) free(list);
}

/** Node 20 has no `transfer`: what is sent to a port that nobody is behind is freed as well, where a clone waits for the next collection. */
const nobody = 'transfer' in ArrayBuffer.prototype ? undefined : portToNobody();

function portToNobody(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port1.close();
  return port2;
}

export function free({ buffer }: ArrayBufferView): void {
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
