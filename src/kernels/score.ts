/** What the scoring kernel is told, and what it leaves behind: see assembly/scoreRows.ts, whose fields these are. */
import { type FieldWriter, fieldWriter } from './fields.js';

export const panelColumns = 8;
export const quadRows = 4;

/** Addresses and counts of a tile. */
export interface ScoreFields {
  /** Latent columns, the bias's own included. */
  readonly size: number;
  readonly quads: number;
  readonly rows: number;
  readonly columns: number;
  readonly factors: number;
  readonly panels: number;
  readonly top: number;
  readonly capacity: number;
  readonly margins: number;
  readonly pointers: number;
  readonly excluded: number;
  readonly states: number;
  readonly stateBytes: number;
  /** 32 bytes. */
  readonly scratch: number;
}

const struct = fieldWriter([
  'size',
  'quads',
  'rows',
  'columns',
  'factors',
  'panels',
  'top',
  'capacity',
  'margins',
  'pointers',
  'excluded',
  'states',
  'stateBytes',
  'scratch',
]);
export const scoreJobBytes: number = struct.bytes;
export const writeScoreJob: FieldWriter<keyof ScoreFields>['write'] = struct.write;

const stateHead = 24;

/** A row's state with its heap of `top` and its list of `capacity`. */
export function scoreStateBytes(top: number, capacity: number): number {
  return Math.ceil((stateHead + 4 * top + 8 * capacity) / 16) * 16;
}

/**
 * Calls `visit` with the positions that a row has listed and that are still within its margin, in rising order.
 *
 * @returns false where the list is not whole, so that every column has to be looked at.
 */
export function visitListed(view: DataView, state: number, top: number, visit: (position: number) => void): boolean {
  if (view.getUint32(state + 20, true) !== 0) return false;
  const threshold = view.getFloat32(state, true);
  const listed = view.getUint32(state + 4, true);
  const entries = state + stateHead + 4 * top;
  for (let i = 0; i < listed; i++)
    if (view.getFloat32(entries + 8 * i + 4, true) >= threshold) visit(view.getUint32(entries + 8 * i, true));
  return true;
}
