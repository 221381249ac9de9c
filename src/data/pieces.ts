/**
 * Triples in pieces, as a reader filled them. What goes through them piece by piece needs no list of them all, and what they are
 * given up to frees each behind itself.
 */
import type { RealArray, Triples } from './input.js';

export interface Piece {
  readonly rows: Uint32Array;
  readonly columns: Uint32Array;
  /** In float32 where that holds each of them exactly. */
  readonly values: RealArray;
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
  const length = list.reduce((sum, { values }) => sum + values.length, 0);
  const joined = (): Piece => {
    if (list.length !== 1 || !(list[0]?.values instanceof Float64Array))
      list.splice(0, list.length, join(list, length));
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
      return joined().values;
    },
    shape,
  };
  piecesByTriples.set(triples, { list, length, isRepeatable });
  return triples;
}

function join(list: readonly Piece[], length: number): Piece {
  const found = list.reduce((sum, { values }) => sum + values.length, 0);
  if (found !== length) throw new Error('These entries were given up.');
  const all = { rows: new Uint32Array(length), columns: new Uint32Array(length), values: new Float64Array(length) };
  let at = 0;
  for (const { rows, columns, values } of list) {
    all.rows.set(rows, at);
    all.columns.set(columns, at);
    all.values.set(values, at);
    at += values.length;
  }
  return all;
}
