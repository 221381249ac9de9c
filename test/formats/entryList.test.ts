/** Lists that grow in pieces hold what was put in, in order, and its values exactly. */
import { describe, expect, it } from 'vitest';
import { piecesOf } from '../../dist/src/data/pieces.js';
import { EntryList } from '../../dist/src/formats/entryList.js';

const numberAt = (t: number, from: number) => (t < from ? (t % 10) / 2 : t / 10);

function numbers(length: number, from: number) {
  return {
    rows: Uint32Array.from({ length }, (_, t) => t * 3),
    columns: Uint32Array.from({ length }, (_, t) => t % 97),
    values: Float64Array.from({ length }, (_, t) => numberAt(t, from)),
    weights: Float64Array.from({ length }, (_, t) => t / 7),
  };
}

type Numbers = ReturnType<typeof numbers>;

const slice = ({ rows, columns, values, weights }: Numbers, first: number, last: number): Numbers => ({
  rows: rows.slice(first, last),
  columns: columns.slice(first, last),
  values: values.slice(first, last),
  weights: weights.slice(first, last),
});

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => Buffer.from(buffer, byteOffset, byteLength);

const nothing = new Uint32Array(0);
const others = { gaps: nothing, freshRows: nothing, freshColumns: nothing, lateRows: nothing, lateColumns: nothing };

/** One by one, and part by part with some between. */
const ways: [string, (list: EntryList, all: Numbers) => void][] = [
  [
    'one by one',
    (list, { rows, columns, values, weights }) =>
      values.forEach((value, t) => {
        list.push(rows[t] as number, columns[t] as number, value, weights[t] as number);
      }),
  ],
  [
    'in parts',
    (list, all) => {
      for (let first = 0; first < all.values.length; first += 300_007)
        list.append({ ...slice(all, first, first + 300_007), ...others });
    },
  ],
];

const length = 6 * 2 ** 20 + 5;

describe.each(ways)('%s', (_name, fill) => {
  it.each([
    ['of halves: in float32', length, [Float32Array, Float32Array, Float32Array]],
    ['of tenths: in float64', 0, [Float64Array, Float64Array, Float64Array]],
    ['of tenths from the second piece on', 3 * 2 ** 20 + 100, [Float32Array, Float64Array, Float64Array]],
  ])('values %s', (_of, from, kinds) => {
    const list = new EntryList(true);
    const all = numbers(length, from);
    fill(list, all);
    expect(list.length).toBe(length);
    const triples = list.triples([3 * length, 97], 'A.csv');
    expect(piecesOf(triples)?.list.map(({ values }) => values.constructor)).toEqual(kinds);
    const { rows, columns, values } = triples;
    const found = { rows, columns, values, weights: list.weights() };
    for (const [name, numbers] of Object.entries(all)) {
      const is = found[name as keyof Numbers] as Float64Array;
      expect(is.constructor, name).toBe(numbers.constructor);
      // Millions of numbers take a matcher seconds.
      expect(Buffer.compare(bytesOf(is), bytesOf(numbers)), name).toBe(0);
    }
  });
});

it('a value beyond float32 makes a piece one of float64 at once', () => {
  for (const value of [1e300, 5e-324, 0.1, 2 ** 24 + 1]) {
    const list = new EntryList(false);
    list.push(0, 0, 1.5, 1);
    list.push(1, 2, value, 1);
    list.push(2, 1, -0, 1);
    expect([...list.triples([3, 3], '-').values]).toEqual([1.5, value, -0]);
  }
});

it('what is not a number is kept as it is, and is no reason to copy a piece', () => {
  const original = globalThis.ArrayBuffer;
  let made = 0;
  globalThis.ArrayBuffer = new Proxy(original, {
    construct(target, given) {
      made++;
      return Reflect.construct(target, given);
    },
  });
  try {
    const list = new EntryList(false);
    for (let t = 0; t < 3000; t++) list.push(t, 0, t % 2 ? Number.NaN : 0.1, 1);
    // As it doubles, and once for the first tenth.
    expect(made).toBeLessThan(5);
    expect([...list.triples([3000, 1], '-').values.subarray(0, 3)]).toEqual([0.1, Number.NaN, 0.1]);
  } finally {
    globalThis.ArrayBuffer = original;
  }
});
