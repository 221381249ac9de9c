/** What numbers the labels that a parser has met have in the whole file: told to the parser, and put where it did not know them yet. */
import { isHashedMark, markMask, recordHead } from '../kernels/lines.js';
import type { LabelIndex } from './labels.js';
import { numberLimit, type ParserLayout, type PartView, Unusual } from './lineParser.js';

/** Of one side. */
class SideNumbers {
  readonly #bytes: Buffer;
  readonly #words: Uint32Array;
  /** The parser's: see kernels/assembly/lineJob.ts. It reads them while they are written: a number that it misses is put in here. */
  readonly #direct: Uint32Array;
  readonly #known: Uint32Array;
  /** Of labels in slots. */
  #numbers = new Uint32Array(1024);
  #length = 0;

  constructor({ buffer }: WebAssembly.Memory, direct: number, known: number) {
    this.#bytes = Buffer.from(buffer);
    this.#words = new Uint32Array(buffer);
    this.#direct = new Uint32Array(buffer, direct, numberLimit);
    this.#known = new Uint32Array(buffer, known, numberLimit);
  }

  /** Numbers the labels that are listed, the parser's next. @throws Unusual where one is no UTF-8. */
  learn(fresh: Uint32Array, labels: LabelIndex): void {
    for (let i = 0; i < fresh.length; i++) {
      const label = fresh[i] as number;
      if (label % 2 === 1) this.#direct[label >>> 1] = labels.indexOfInteger(label >>> 1) + 1;
      else this.#keep(this.#indexOf(label, labels));
    }
  }

  #indexOf(record: number, labels: LabelIndex): number {
    const start = record + recordHead;
    const number = labels.indexOf(this.#bytes, start, start + (this.#words[record / 4 + 1] as number));
    if (number < 0) throw new Unusual();
    return number;
  }

  #keep(number: number): void {
    const place = this.#length++;
    if (place === this.#numbers.length) {
      const wider = new Uint32Array(2 * place);
      wider.set(this.#numbers);
      this.#numbers = wider;
    }
    this.#numbers[place] = number;
    if (place < numberLimit) this.#known[place] = number + 1;
  }

  /** Puts numbers in the place of marks. */
  settle(entries: Uint32Array, late: Uint32Array, labels: LabelIndex): void {
    for (let i = 0; i < late.length; i++) {
      const mark = entries[late[i] as number] as number;
      const label = mark & markMask;
      entries[late[i] as number] = isHashedMark(mark) ? (this.#numbers[label] as number) : labels.indexOfInteger(label);
    }
  }
}

export interface ParserNumbers {
  /** Numbers the new labels of a part, which is the parser's next, and puts numbers for all. @throws Unusual where one is no UTF-8. */
  settle(part: PartView, rowLabels: LabelIndex, columnLabels: LabelIndex): void;
}

/** Of a parser that has not begun. */
export function numbersOf(memory: WebAssembly.Memory, { direct, known }: ParserLayout): ParserNumbers {
  const rows = new SideNumbers(memory, direct[0], known[0]);
  const columns = new SideNumbers(memory, direct[1], known[1]);
  return {
    settle(part, rowLabels, columnLabels) {
      rows.learn(part.freshRows, rowLabels);
      columns.learn(part.freshColumns, columnLabels);
      rows.settle(part.rows, part.lateRows, rowLabels);
      columns.settle(part.columns, part.lateColumns, columnLabels);
    },
  };
}
