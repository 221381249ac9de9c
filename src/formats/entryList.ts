/** Triples of unknown number: typed arrays that double as they fill. */
import type { Triples } from '../data/input.js';

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
    if (t === this.#rows.length) this.#widen();
    this.#rows[t] = row;
    this.#columns[t] = column;
    this.#values[t] = value;
    if (this.#isWeighted) this.#weights[t] = weight;
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

  #widen(): void {
    const wider = <T extends Uint32Array | Float64Array>(array: T): T => {
      const next = new (array.constructor as new (length: number) => T)(array.length * 2);
      next.set(array);
      return next;
    };
    this.#rows = wider(this.#rows);
    this.#columns = wider(this.#columns);
    this.#values = wider(this.#values);
    this.#weights = wider(this.#weights);
  }
}
