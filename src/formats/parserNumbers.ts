/** What a parser's own numbers of labels are in the whole file. */
import { recordHead } from '../kernels/lines.js';
import type { LabelIndex } from './labels.js';
import { Unusual } from './lineParser.js';

/** Of one side. A parser numbers its labels 0, 1, 2, … as it meets them. */
export class SideNumbers {
  readonly #bytes: Buffer;
  readonly #words: Uint32Array;
  #numbers = new Uint32Array(1024);
  #length = 0;

  /** @param memory the parser's. */
  constructor({ buffer }: WebAssembly.Memory) {
    this.#bytes = Buffer.from(buffer);
    this.#words = new Uint32Array(buffer);
  }

  /** The number in the whole file by that of the parser. */
  get numbers(): Uint32Array {
    return this.#numbers;
  }

  /** Numbers the labels whose records are listed, the parser's next. @throws Unusual where one is no UTF-8. */
  learn(records: Uint32Array, labels: LabelIndex): void {
    while (this.#length + records.length > this.#numbers.length) {
      const wider = new Uint32Array(this.#numbers.length * 2);
      wider.set(this.#numbers);
      this.#numbers = wider;
    }
    for (const record of records) {
      const start = record + recordHead;
      const number = labels.indexOf(this.#bytes, start, start + (this.#words[record / 4 + 1] as number));
      if (number < 0) throw new Unusual();
      this.#numbers[this.#length++] = number;
    }
  }
}

export interface ParserNumbers {
  readonly rows: SideNumbers;
  readonly columns: SideNumbers;
}

/** Of a parser that has not begun. */
export function numbersOf(memory: WebAssembly.Memory): ParserNumbers {
  return { rows: new SideNumbers(memory), columns: new SideNumbers(memory) };
}
