/** The columns that each row has already, as positions among those that may be recommended. */
import { shapeOf, visitEntries } from '../data/entries.js';
import type { MatrixInput } from '../data/input.js';
import { HadamardError } from '../errors.js';
import type { Seen } from './scoreContext.js';

/**
 * @param positionOf the position of each column, −1 where it may not be recommended anyway.
 * @throws HadamardError `shape-mismatch`, and as `factorize` for bad data.
 */
export function listSeen(data: MatrixInput, [m, n]: readonly [number, number], positionOf: Int32Array): Seen {
  const [rows, columns] = shapeOf(data, { option: 'exclude' });
  if (rows !== m || columns !== n)
    throw new HadamardError({
      code: 'shape-mismatch',
      what: `exclude is ${rows}×${columns} and the model ${m}×${n}.`,
      position: { option: 'exclude' },
      rule: 'What is seen has the shape of the model, as the data of the fit has.',
      remedy: 'Give the data of the fit, or triples of its shape.',
    });
  const pointers = new Float64Array(m + 1);
  visitEntries(data, undefined, (row, column) => {
    if ((positionOf[column] as number) >= 0) pointers[row + 1] = (pointers[row + 1] as number) + 1;
  });
  for (let row = 0; row < m; row++) pointers[row + 1] = (pointers[row + 1] as number) + (pointers[row] as number);
  const positions = new Uint32Array(pointers[m] as number);
  const next = pointers.slice();
  visitEntries(data, undefined, (row, column) => {
    const position = positionOf[column] as number;
    if (position < 0) return;
    positions[next[row] as number] = position;
    next[row] = (next[row] as number) + 1;
  });
  for (let row = 0; row < m; row++) positions.subarray(pointers[row], pointers[row + 1]).sort();
  return { pointers, positions };
}

/** Of a row; a column that is listed twice counts once. */
export function countSeen({ pointers, positions }: Seen, row: number): number {
  let count = 0;
  for (let t = pointers[row] as number; t < (pointers[row + 1] as number); t++)
    if (t === pointers[row] || positions[t] !== positions[t - 1]) count++;
  return count;
}
