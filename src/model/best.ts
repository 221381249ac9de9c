/** The best few of many numbers, whatever their order: by falling value, ties by rising index. */
import { HadamardError } from '../errors.js';

/** A heap of at most `top` candidates, the worst on top. NaN is nobody's best and is not taken. */
export class Best {
  readonly #top: number;
  readonly #indices: number[] = [];
  readonly #values: number[] = [];

  constructor(top: number) {
    this.#top = top;
  }

  offer(index: number, value: number): void {
    if (Number.isNaN(value)) return;
    if (this.#values.length < this.#top) this.#push(index, value);
    else if (isWorse(this.#values[0] as number, this.#indices[0] as number, value, index)) this.#replace(index, value);
  }

  /** Calls `visit` for all that are held, best first, and lets go of them. */
  take(visit: (index: number, value: number) => void): void {
    const order = Array.from(this.#values.keys()).sort(
      (a, b) =>
        (this.#values[b] as number) - (this.#values[a] as number) ||
        (this.#indices[a] as number) - (this.#indices[b] as number),
    );
    for (const at of order) visit(this.#indices[at] as number, this.#values[at] as number);
    this.#indices.length = 0;
    this.#values.length = 0;
  }

  #push(index: number, value: number): void {
    let at = this.#values.length;
    for (let parent = (at - 1) >> 1; at > 0; parent = (at - 1) >> 1) {
      if (!isWorse(value, index, this.#values[parent] as number, this.#indices[parent] as number)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, index, value);
  }

  /** In the place of the worst. */
  #replace(index: number, value: number): void {
    const count = this.#values.length;
    let at = 0;
    for (let child = 1; child < count; child = 2 * at + 1) {
      const beside = child + 1;
      if (beside < count && this.#isWorse(beside, child)) child = beside;
      if (!isWorse(this.#values[child] as number, this.#indices[child] as number, value, index)) break;
      this.#move(child, at);
      at = child;
    }
    this.#put(at, index, value);
  }

  #isWorse(a: number, b: number): boolean {
    return isWorse(
      this.#values[a] as number,
      this.#indices[a] as number,
      this.#values[b] as number,
      this.#indices[b] as number,
    );
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#indices[from] as number, this.#values[from] as number);
  }

  #put(at: number, index: number, value: number): void {
    this.#indices[at] = index;
    this.#values[at] = value;
  }
}

function isWorse(value: number, index: number, otherValue: number, otherIndex: number): boolean {
  return value < otherValue || (value === otherValue && index > otherIndex);
}

/** @throws HadamardError `invalid-option` */
export function checkTop(top: unknown): asserts top is number {
  if (Number.isInteger(top) && (top as number) >= 1) return;
  throw new HadamardError({
    code: 'invalid-option',
    what: `top is ${String(top)}.`,
    position: { option: 'top' },
    rule: 'top is an integer of at least 1.',
    remedy: 'Give such a number, or leave top out.',
  });
}
