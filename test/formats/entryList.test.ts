/** Lists that grow in pieces hold what was put in, in order, and its values exactly. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunked } from '../../dist/src/data/chunks.js';
import { piecesOf } from '../../dist/src/data/pieces.js';
import { EntryList } from '../../dist/src/formats/entryList.js';

const numberAt = (t: number, from: number) => (t < from ? (t % 10) / 2 : t / 10);
const pieceLength = (2 ** 25 + 2 ** 16) / 12;

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

const length = 2 * pieceLength + 5;

describe.each(ways)('%s', (_name, fill) => {
  it.each([
    ['of halves: in float32', length, [1, 1, 1]],
    ['of tenths: whole tenths', 0, [10, 10, 10]],
    ['of tenths from the second piece on', pieceLength + 100, [1, 10, 10]],
  ])('values %s', (_of, from, divisors) => {
    const list = new EntryList(true);
    const all = numbers(length, from);
    fill(list, all);
    expect(list.length).toBe(length);
    const triples = list.triples([3 * length, 97], 'A.csv');
    const pieces = piecesOf(triples)?.list ?? [];
    expect(pieces.map(({ divisor }) => divisor)).toEqual(divisors);
    expect(pieces.map(({ held }) => held.BYTES_PER_ELEMENT)).toEqual([4, 4, 4]);
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

const decimal = fc
  .tuple(fc.integer({ min: -(2 ** 31), max: 2 ** 31 }), fc.integer({ min: 0, max: 12 }))
  .map(([whole, digits]) => Number(`${whole}e-${digits}`));
const anyNumber = fc.oneof(
  { weight: 8, arbitrary: decimal },
  fc.float({ noNaN: true }),
  fc.constantFrom(0, -0, 0.5, 1e300, 5e-324, Infinity, Number.NaN, 2 ** 24 + 1, -(2 ** 31), 2 ** 31, 0.1 + 0.2),
);

it('any values come back bit by bit, joined and chunk by chunk', () => {
  fc.assert(
    fc.property(fc.array(fc.array(anyNumber, { maxLength: 5 }), { maxLength: 8 }), fc.nat(8), (parts, single) => {
      const list = new EntryList(false);
      parts.forEach((part, p) => {
        const values = Float64Array.from(part);
        const places = new Uint32Array(part.length);
        if (p === single) for (const value of part) list.push(0, 0, value, 1);
        else list.append({ rows: places, columns: places, values, weights: undefined, ...others });
      });
      const given = bytesOf(Float64Array.from(parts.flat()));
      const triples = list.triples([1, 1], '-');
      const chunks: Buffer[] = [];
      chunked(triples, undefined, false).each(({ values }) => chunks.push(Buffer.from(bytesOf(values))), false);
      expect(Buffer.concat(chunks).equals(given)).toBe(true);
      expect(bytesOf(triples.values as Float64Array).equals(given)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

it('values take the first form that holds them all: float32, whole numbers, as many digits as it takes, float64', () => {
  const forms: [number[], held: unknown, divisor: number][] = [
    [[1.5, -0, 2 ** 24], Float32Array, 1],
    [[2 ** 24 + 1, -(2 ** 31), 7], Int32Array, 1],
    [[0.5, 0.1], Int32Array, 10],
    [[3.25, 0.1, 21474836.47], Int32Array, 100],
    [[0.1, 0.123456789, 2], Int32Array, 1e9],
    [[0.1, 0.123456789, 3], Float64Array, 1],
    [[0.1, -0], Float64Array, 1],
    [[0.1, 1 / 3], Float64Array, 1],
    [[0.1, Infinity], Float64Array, 1],
  ];
  for (const [values, kind, divisor] of forms) {
    const list = new EntryList(false);
    for (const value of values) list.push(0, 0, value, 1);
    const [piece] = piecesOf(list.triples([1, 1], '-'))?.list ?? [];
    expect([piece?.held.constructor, piece?.divisor], String(values)).toEqual([kind, divisor]);
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
    // As it doubles, and once for the first tenth and the first that is no number.
    expect(made).toBeLessThan(6);
    expect([...list.triples([3000, 1], '-').values.subarray(0, 3)]).toEqual([0.1, Number.NaN, 0.1]);
  } finally {
    globalThis.ArrayBuffer = original;
  }
});
