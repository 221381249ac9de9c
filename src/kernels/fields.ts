/** Structs that kernels are told: 32-bit words, then doubles from the next multiple of 8. */

export interface FieldWriter<Name extends string> {
  readonly bytes: number;
  write(view: DataView, address: number, fields: Readonly<Record<Name, number>>): void;
}

/** By the names of the fields, in the order of the struct. */
export function fieldWriter<Word extends string, Double extends string = never>(
  words: readonly Word[],
  doubles: readonly Double[] = [],
): FieldWriter<Word | Double> {
  const doublesAt = Math.ceil(words.length / 2) * 8;
  return {
    bytes: doubles.length > 0 ? doublesAt + 8 * doubles.length : 4 * words.length,
    write: (view, address, fields) => {
      // setUint32 wraps a negative base, as the kernels' own address arithmetic does.
      let at = address;
      for (const name of words) {
        view.setUint32(at, fields[name], true);
        at += 4;
      }
      at = address + doublesAt;
      for (const name of doubles) {
        view.setFloat64(at, fields[name], true);
        at += 8;
      }
    },
  };
}
