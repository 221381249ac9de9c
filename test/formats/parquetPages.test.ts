/** Parquet pages whose runs, blocks or levels say more than the page holds: refused at once, where the library would go on for hours. */
import { describe, expect, it } from 'vitest';
import { openParquet } from '../../dist/src/formats/parquet.js';
import { checkRuns } from '../../dist/src/formats/parquetRuns.js';
import { readTable } from '../../dist/src/formats/readTable.js';
import { failure, fileOf, golden } from './files.js';

type Thrift = number | bigint | boolean | string | readonly Thrift[] | { readonly [id: number]: Thrift };

/** The compact protocol (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md), as far as Parquet needs it. */
function thrift(value: Thrift): number[] {
  if (typeof value === 'boolean') return [];
  if (typeof value === 'string') return [...varint(BigInt(value.length)), ...Buffer.from(value)];
  if (typeof value === 'number' || typeof value === 'bigint') {
    const n = BigInt(value);
    return varint(n < 0n ? -2n * n - 1n : 2n * n);
  }
  if (Array.isArray(value)) return [(value.length << 4) | kind(value[0]), ...value.flatMap(thrift)];
  const fields = Object.entries(value).flatMap(([id, field]) => [kind(field), ...thrift(Number(id)), ...thrift(field)]);
  return [...fields, 0];
}

function kind(value: Thrift): number {
  if (typeof value === 'object') return Array.isArray(value) ? 9 : 12;
  if (typeof value === 'boolean') return value ? 1 : 2;
  return { number: 5, bigint: 6, string: 8 }[typeof value as 'number' | 'bigint' | 'string'];
}

function varint(value: bigint): number[] {
  return value < 128n ? [Number(value)] : [Number(value & 127n) | 128, ...varint(value >> 7n)];
}

const types = { BOOLEAN: 0, INT32: 1, INT64: 2, DOUBLE: 5, BYTE_ARRAY: 6 } as const;
const encodings = { PLAIN: 0, RLE: 3, DELTA: 5, DELTA_BYTE_ARRAY: 7, DICTIONARY: 8 } as const;
type Encoding = keyof typeof encodings;

const page = (header: Thrift & object, bytes: number[]): number[] => [
  ...thrift({ ...header, 2: bytes.length, 3: bytes.length }),
  ...bytes,
];
const v1 = (count: number, encoding: Encoding, bytes: number[]) =>
  page({ 1: 0, 5: { 1: count, 2: encodings[encoding], 3: 3, 4: 3 } }, bytes);
const v2 = (count: number, nulls: number, encoding: Encoding, levels: number[], bytes: number[]) =>
  page({ 1: 3, 8: { 1: count, 2: nulls, 3: count, 4: encodings[encoding], 5: levels.length, 6: 0, 7: false } }, [
    ...levels,
    ...bytes,
  ]);
const dictionary = (count: number, bytes: number[]) => page({ 1: 2, 7: { 1: count, 2: 0 } }, bytes);

/** The values of a file of one column, of 4 rows, whose pages are these. */
async function read(type: keyof typeof types, isNullable: boolean, ...pages: number[][]): Promise<unknown[]> {
  const bytes = pages.flat();
  const size = BigInt(bytes.length);
  const meta = { 1: types[type], 2: [0], 3: ['x'], 4: 0, 5: 4n, 6: size, 7: size, 9: 4n };
  const schema = [
    { 4: 'root', 5: 1 },
    { 1: types[type], 3: isNullable ? 1 : 0, 4: 'x' },
  ];
  const footer = thrift({ 1: 1, 2: schema, 3: 4n, 4: [{ 1: [{ 2: 4n, 3: meta }], 2: size, 3: 4n }] });
  const length = new Uint8Array(Uint32Array.of(footer.length).buffer);
  const magic = Buffer.from('PAR1');
  const source = await openParquet(
    fileOf('.parquet', Uint8Array.of(...magic, ...bytes, ...footer, ...length, ...magic)),
  );
  try {
    const values: unknown[] = [];
    for await (const { columns } of source.batches([0])) values.push(...Array.from(columns[0] as ArrayLike<unknown>));
    return values;
  } finally {
    await source.close();
  }
}

const i32 = (...values: number[]) => [...new Uint8Array(Int32Array.from(values).buffer)];
const f64 = (...values: number[]) => [...new Uint8Array(Float64Array.from(values).buffer)];
const run = (length: number, value: number) => [...varint(BigInt(length) * 2n), value];
/** Of bits, 8 a group. */
const packed = (groups: number, ...bytes: number[]) => [...varint(BigInt(groups) * 2n + 1n), ...bytes];
const prefixed = (bytes: number[]) => [...i32(bytes.length), ...bytes];
/** 4 integers, in one block. */
const deltas = (first: number, least: number, block = 128n, parts = 4n) => [
  ...varint(block),
  ...varint(parts),
  4,
  ...thrift(first),
  ...thrift(least),
  ...[0, 0, 0, 0],
];

const long = 2 ** 31 - 1;
const ten = dictionary(2, i32(10, 20));

describe('pages made here are read: those refused below differ from them in one thing each', () => {
  it.each([
    [
      'V1 levels',
      [1, 2, 3, null],
      () => read('DOUBLE', true, v1(4, 'PLAIN', [...prefixed(packed(1, 7)), ...f64(1, 2, 3)])),
    ],
    [
      'V2 levels',
      [1, 2, 3, null],
      () => read('DOUBLE', true, v2(4, 1, 'PLAIN', [...run(3, 1), ...run(1, 0)], f64(1, 2, 3))),
    ],
    ['V1 indices', [20, 20, 20, 20], () => read('INT32', false, ten, v1(4, 'DICTIONARY', [1, ...run(4, 1)]))],
    ['V2 indices', [20, 10, 20, 10], () => read('INT32', false, ten, v2(4, 0, 'DICTIONARY', [], [1, ...packed(1, 5)]))],
    [
      'V2 indices of no bits',
      [10, 10, 10, 10],
      () => read('INT32', false, ten, v2(4, 0, 'DICTIONARY', [], [0, ...varint(8n)])),
    ],
    [
      'V1 indices and levels',
      [20, null, 20, null],
      () => read('INT32', true, ten, v1(4, 'DICTIONARY', [...prefixed(packed(1, 5)), 1, ...run(2, 1)])),
    ],
    ['V1 booleans', [true, true, true, true], () => read('BOOLEAN', false, v1(4, 'RLE', prefixed(run(4, 1))))],
    [
      'V2 booleans',
      [true, false, true, false],
      () => read('BOOLEAN', false, v2(4, 0, 'RLE', [], prefixed(packed(1, 5)))),
    ],
    ['V1 deltas', [7, 9, 11, 13], () => read('INT32', false, v1(4, 'DELTA', deltas(7, 2)))],
    [
      'V1 deltas and levels',
      [null, 7, 9, 11],
      () => read('INT32', true, v1(4, 'DELTA', [...prefixed(packed(1, 14)), ...deltas(7, 2)])),
    ],
    ['V2 deltas', [7, 9, 11, 13], () => read('INT32', false, v2(4, 0, 'DELTA', [], deltas(7, 2)))],
    [
      'texts that share',
      ['a', 'ab', 'abc', 'abcd'],
      () =>
        read(
          'BYTE_ARRAY',
          false,
          v1(4, 'DELTA_BYTE_ARRAY', [...deltas(0, 1), ...deltas(1, 0), ...Buffer.from('abcd')]),
        ),
    ],
    [
      'two pages',
      [10, 10, 20, 20],
      () => read('INT32', false, ten, v1(2, 'DICTIONARY', [1, ...run(2, 0)]), v1(2, 'DICTIONARY', [1, ...run(2, 1)])),
    ],
  ] as const)('%s', async (_, values, reading) => {
    expect(await reading()).toEqual(values);
  });
});

describe('refused', () => {
  it.each([
    [
      'V1 levels in a long run',
      () => read('DOUBLE', true, v1(4, 'PLAIN', [...prefixed(run(long, 1)), ...f64(1, 2, 3)])),
    ],
    [
      'V1 levels in long packed bits',
      () => read('DOUBLE', true, v1(4, 'PLAIN', [...prefixed(packed(2, 7, 0)), ...f64(1, 2, 3)])),
    ],
    [
      'V1 levels of too few, before a long run',
      () => read('DOUBLE', true, v1(4, 'PLAIN', [...prefixed(run(2, 1)), ...run(long, 1), ...f64(1)])),
    ],
    ['V1 levels beyond the page', () => read('DOUBLE', true, v1(4, 'PLAIN', [...i32(99), ...packed(1, 0)]))],
    ['V2 levels in a long run', () => read('DOUBLE', true, v2(4, 0, 'PLAIN', run(long, 1), f64(1, 2, 3, 4)))],
    [
      'V2 levels of too few',
      () => read('DOUBLE', true, v2(4, 0, 'PLAIN', run(3, 1), [...run(long, 1), ...f64(1, 2, 3, 4)])),
    ],
    [
      'V2 nulls below none',
      () => read('INT32', false, ten, v2(4, -long, 'DICTIONARY', [], [0, ...varint(2n ** 32n - 2n)])),
    ],
    ['V1 indices in a long run', () => read('INT32', false, ten, v1(4, 'DICTIONARY', [1, ...run(long, 1)]))],
    [
      'V1 indices in a long run, with levels',
      () => read('INT32', true, ten, v1(4, 'DICTIONARY', [...prefixed(packed(1, 5)), 1, ...run(long, 1)])),
    ],
    [
      'V1 indices of a second page',
      () =>
        read('INT32', false, ten, v1(2, 'DICTIONARY', [1, ...run(2, 0)]), v1(2, 'DICTIONARY', [1, ...run(long, 1)])),
    ],
    ['V2 indices in a long run', () => read('INT32', false, ten, v2(4, 0, 'DICTIONARY', [], [1, ...run(long, 1)]))],
    [
      'V2 indices of no bits in a long run',
      () => read('INT32', false, ten, v2(4, 0, 'DICTIONARY', [], [0, ...varint(2n ** 32n - 2n)])),
    ],
    [
      'V2 indices of no bits, packed',
      () => read('INT32', false, ten, v2(4, 0, 'DICTIONARY', [], [0, ...varint(2n ** 32n - 1n)])),
    ],
    ['indices of 33 bits', () => read('INT32', false, ten, v1(4, 'DICTIONARY', [33, ...run(4, 1), 0, 0, 0, 0]))],
    ['V1 booleans in a long run', () => read('BOOLEAN', false, v1(4, 'RLE', prefixed(run(long, 1))))],
    ['V2 booleans in a long run', () => read('BOOLEAN', false, v2(4, 0, 'RLE', [], prefixed(run(long, 1))))],
    ['V1 deltas in parts below none', () => read('INT32', false, v1(4, 'DELTA', deltas(7, 2, 128n, 2n ** 32n - 1n)))],
    [
      'V1 deltas in blocks below none',
      // The first block leads back to itself: 4 bytes for the least delta and the width, and 32 values of 1 bit back.
      () => read('INT32', false, v1(4, 'DELTA', [...varint(2n ** 32n - 32n), 1, 4, 14, 0x80, 0x80, 0, 1])),
    ],
    ['V2 deltas in no parts', () => read('INT64', false, v2(4, 0, 'DELTA', [], deltas(7, 2, 128n, 0n)))],
    [
      'texts that share more than there is',
      () =>
        read(
          'BYTE_ARRAY',
          false,
          v1(4, 'DELTA_BYTE_ARRAY', [...deltas(0, 2 ** 28), ...deltas(1, 0), ...Buffer.from('abcd')]),
        ),
    ],
    ['a page of no kind', () => read('INT32', false, page({ 1: 9, 5: { 1: 4, 2: 0 } }, i32(1, 2, 3, 4)))],
  ])('%s', async (_, reading) => {
    expect((await failure(reading())).code).toBe('malformed-file');
  });

  it('the bytes that a random test hung on', async () => {
    const bytes = golden('v2-pages.parquet');
    for (const [at, byte] of [
      [133, 0xb0],
      [529, 0x49],
      [834, 0x80],
      [2009, 4],
    ] as const)
      bytes[at] = byte;
    expect((await failure(readTable(fileOf('.parquet', bytes)))).code).toBe('malformed-file');
  });
});

it('a schema of more columns than it lists is refused', async () => {
  const footer = thrift({
    1: 1,
    2: [
      { 4: 'root', 5: 2 },
      { 1: 1, 4: 'x' },
    ],
    3: 0n,
    4: [],
  });
  const bytes = [...Buffer.from('PAR1'), ...footer, ...i32(footer.length), ...Buffer.from('PAR1')];
  expect((await failure(readTable(fileOf('.parquet', Uint8Array.from(bytes))))).code).toBe('malformed-file');
});

describe('runs', () => {
  it('are seen up to the count, or as far as they go', () => {
    const bytes = Uint8Array.from([...run(3, 1), ...packed(1, 0xff), ...run(9, 0)]);
    expect(checkRuns(bytes, 0, bytes.length, 1, 4)).toBe(11);
    expect(checkRuns(bytes, 0, bytes.length, 1, 20)).toBe(20);
    expect(checkRuns(bytes, 0, bytes.length, 1, 30)).toBe(20);
    expect(checkRuns(bytes, 0, 3, 1, 11)).toBe(3);
    expect(() => checkRuns(bytes, 0, bytes.length, 1, 19)).toThrow('a run of 9 values where 8 are left');
    expect(() => checkRuns(Uint8Array.from(packed(1, 0)), 0, 2, 1, 0)).not.toThrow();
    expect(() => checkRuns(Uint8Array.of(128, 128, 128, 128, 128, 0), 0, 6, 1, 1)).toThrow('32 bits');
  });
});
