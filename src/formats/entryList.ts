/** Triples of unknown number: typed arrays that double as they fill. */
import type { Triples } from '../data/input.js';
import type { PartView } from './lineParser.js';

/** Of row, column and value. */
export const entryBytes = 4 + 4 + 8;

export class EntryList {
  #rows = new Uint32Array(1024);
  #columns = new Uint32Array(1024);
  #values = new Float64Array(1024);
  #weights: Float64Array;
  readonly #isWeighted: boolean;
  #length = 0;

  constructor(isWeighted: boolean) {
    this.#isWeighted = isWeighted;
    this.#weights = new Float64Array(isWeighted ? 1024 : 0);
  }

  get length(): number {
    return this.#length;
  }

  push(row: number, column: number, value: number, weight: number): void {
    const t = this.#length++;
    if (t === this.#rows.length) this.reserve(2 * t);
    this.#rows[t] = row;
    this.#columns[t] = column;
    this.#values[t] = value;
    if (this.#isWeighted) this.#weights[t] = weight;
  }

  /** Adds the entries of a part. */
  append(part: PartView): void {
    const { rows, columns, values, weights } = part;
    const first = this.#length;
    this.#length += values.length;
    if (this.#length > this.#rows.length) this.reserve(Math.max(this.#length, 2 * first));
    this.#rows.set(rows, first);
    this.#columns.set(columns, first);
    this.#values.set(values, first);
    if (weights) this.#weights.set(weights, first);
  }

  triples(shape: readonly [number, number]): Triples {
    const length = this.#length;
    return {
      rows: this.#rows.subarray(0, length),
      columns: this.#columns.subarray(0, length),
      values: this.#values.subarray(0, length),
      shape,
    };
  }

  weights(): Float64Array | undefined {
    return this.#isWeighted ? this.#weights.subarray(0, this.#length) : undefined;
  }

  /** Room for so many. What is reserved and never filled takes no memory: the system gives a page when it is written to. */
  reserve(capacity: number): void {
    if (capacity <= this.#rows.length) return;
    const wider = <T extends Uint32Array | Float64Array>(array: T): T => {
      const next = new (array.constructor as new (length: number) => T)(capacity);
      next.set(array.subarray(0, this.#length));
      return next;
    };
    this.#rows = wider(this.#rows);
    this.#columns = wider(this.#columns);
    this.#values = wider(this.#values);
    if (this.#isWeighted) this.#weights = wider(this.#weights);
  }
}
