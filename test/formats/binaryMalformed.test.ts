/** Parquet, Arrow, .npz and JSON lines that are cut, changed or lie about themselves: a typed error, quickly, whatever they say. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isHadamardError } from '../../dist/src/errors.js';
import { unpackLz4 } from '../../dist/src/formats/lz4.js';
import { type ReadRequest, readTable } from '../../dist/src/formats/readTable.js';
import { entriesOf, failure, fileOf } from './files.js';

const golden = (name: string) => readFileSync(fileURLToPath(new URL(`../golden/formats/${name}`, import.meta.url)));
const refused = (ending: string, content: string | Uint8Array, request: ReadRequest = {}) =>
  failure(readTable(fileOf(ending, content), request));

const binary = [
  'snappy.parquet',
  'zstd.parquet',
  'gzip.parquet',
  'delta.parquet',
  'v2-pages.parquet',
  'lz4.feather',
  'zstd.feather',
  'category.feather',
  'stream.arrows',
  'csr.npz',
  'coo.npz',
  'stored.npz',
  'dense.npz',
] as const;

describe.each(binary)('%s', (name) => {
  const whole = golden(name);
  const ending = `.${name.split('.').at(-1)}`;

  it('cut at any place is refused', async () => {
    const places = [0, 1, 3, 4, 7, 8, 11, 12, 30, whole.length - 1, whole.length - 4, whole.length - 9];
    for (const share of [0.1, 0.25, 0.5, 0.75, 0.9]) places.push(Math.floor(whole.length * share));
    for (const place of places) {
      // A stream may end after any of its batches, and without its end mark.
      if (name === 'stream.arrows' && place > whole.length / 3) continue;
      const { code } = await refused(ending, whole.subarray(0, place));
      expect(code, `cut at ${place}`).toMatch(/^malformed-file$|^unsupported-format$/);
    }
  });

  it('with bytes changed is read or refused with a typed error', async () => {
    const change = fc.tuple(fc.nat(whole.length - 1), fc.oneof(fc.constantFrom(0, 255, 127, 128), fc.nat(255)));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, byte] of changes) bytes[at] = byte;
        const path = fileOf(ending, bytes);
        const outcome = await readTable(path).then(
          () => true,
          (error: unknown) => isHadamardError(error),
        );
        expect(outcome).toBe(true);
      }),
      { numRuns: 25 },
    );
  });
});

describe('another kind of file under the name', () => {
  it.each(['.parquet', '.arrow', '.npz', '.jsonl'])('%s', async (ending) => {
    expect((await refused(ending, 'user,item,rating\na,b,1\n'.repeat(20))).code).toBe('malformed-file');
    expect((await refused(ending, Buffer.alloc(4096))).code).toBe('malformed-file');
    expect((await refused(ending, '')).code).toBe('malformed-file');
    expect(await refused(`${ending}.gz`, zlib.gzipSync('{"a":'))).toMatchObject({ code: 'malformed-file' });
    expect((await refused(`${ending}.gz`, 'not packed')).code).toBe('malformed-file');
  });
});

/** An archive with one member; the directory says what it is told to. */
function archive(
  name: string,
  content: Buffer,
  says: { unpacked?: number; packed?: number; method?: number; flags?: number; crc?: number } = {},
): Buffer {
  const data = zlib.deflateRawSync(content);
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(says.flags ?? 0, 2);
  common.writeUInt16LE(says.method ?? 8, 4);
  common.writeUInt32LE(says.crc ?? zlib.crc32(content), 10);
  common.writeUInt32LE(says.packed ?? data.length, 14);
  common.writeUInt32LE(says.unpacked ?? content.length, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), data]);
  const entry = Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), common, Buffer.alloc(14), Buffer.from(name)]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(entry.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, entry, end]);
}

function npy(descr: string, shape: string, data: Buffer): Buffer {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`.padEnd(117, ' ');
  return Buffer.concat([Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header}\n`, 'latin1'), data]);
}

describe('.npz', () => {
  const array = npy('<f8', '2, 2', Buffer.from(Float64Array.of(1, 2, 3, 4).buffer));

  it('of one array made here is read: the cases below differ from it in one thing each', async () => {
    expect((await readTable(fileOf('.npz', archive('a.npy', array)))).matrix.shape).toEqual([2, 2]);
  });

  it.each([
    ['more bytes than it announces', archive('a.npy', array, { unpacked: array.length - 8 }), 'malformed-file'],
    ['fewer bytes than it announces', archive('a.npy', array, { unpacked: array.length + 8 }), 'malformed-file'],
    ['a size that deflate cannot reach', archive('a.npy', array, { unpacked: 0xfffffffe }), 'malformed-file'],
    ['members larger than the file', archive('a.npy', array, { packed: 0x7fffffff }), 'malformed-file'],
    ['another checksum', archive('a.npy', array, { crc: 1 }), 'malformed-file'],
    ['encryption', archive('a.npy', array, { flags: 1 }), 'unsupported-format'],
    ['another method', archive('a.npy', array, { method: 12 }), 'unsupported-format'],
    ['no array', archive('a.txt', array), 'malformed-file'],
    ['a header of 10¹² items', archive('a.npy', npy('<f8', '1000000, 1000000', Buffer.alloc(64))), 'malformed-file'],
    [
      'a header of 10³⁰⁰ items',
      archive('a.npy', npy('<f8', `${'9'.repeat(300)}, 9`, Buffer.alloc(64)).subarray(0, 900)),
      'malformed-file',
    ],
    ['objects', archive('a.npy', npy('|O', '2, 2', Buffer.from('cos\nsystem\n(S"x"\ntR.'))), 'unsupported-format'],
  ])('with %s is refused', async (_, bytes, code) => {
    expect((await refused('.npz', bytes)).code).toBe(code);
  });

  it('is not written to where the name of a member leads', async () => {
    expect((await readTable(fileOf('.npz', archive('../../../escaped.npy', array)))).matrix.shape).toEqual([2, 2]);
  });

  it('a bomb of 64 MiB costs no memory', async () => {
    const zeros = Buffer.alloc(1 << 26);
    const before = process.memoryUsage().rss;
    const bytes = archive('a.npy', Buffer.concat([npy('<f8', '2, 2', Buffer.alloc(32)), zeros]), { unpacked: 160 });
    const held = process.memoryUsage().rss - before;
    expect((await refused('.npz', bytes)).code).toBe('malformed-file');
    expect(process.memoryUsage().rss - before - held).toBeLessThan(1 << 25);
  });
});

describe('.zst', () => {
  // "a,x,1\nb,y,2\n", packed by pyarrow.
  const packed = Buffer.from('28b52ffd200c610000612c782c310a622c792c320a', 'hex');
  const path = fileOf('.csv.zst', packed);

  it.runIf('createZstdDecompress' in zlib)('is read where Node has zstd, and refused where it is cut', async () => {
    expect(entriesOf(await readTable(path))).toEqual([
      ['a', 'x', 1],
      ['b', 'y', 2],
    ]);
    expect((await refused('.csv.zst', packed.subarray(0, -3))).code).toBe('malformed-file');
    expect((await refused('.csv.zst', 'a,x,1\n')).code).toBe('malformed-file');
  });

  it.runIf(!('createZstdDecompress' in zlib))('is refused, with what to do, where Node has none', async () => {
    expect(await failure(readTable(path))).toMatchObject({
      code: 'unsupported-format',
      remedy: expect.stringContaining('zstd -d'),
    });
  });
});

describe('LZ4 frames', () => {
  it('that are cut or changed throw, and give no more than LZ4 can pack', () => {
    // "abcabcabc…": one literal run and a match that reaches into itself.
    const frame = Buffer.from('04224d186040820a0000003361626303003c50626361626300000000', 'hex');
    const bytes = Uint8Array.from(frame);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
        const changed = Uint8Array.from(bytes);
        changed[at] = byte;
        try {
          expect(unpackLz4(changed).length).toBeLessThanOrEqual(bytes.length * 255);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });
});

describe('JSON lines', () => {
  it('reads objects, lists, blank lines and CRLF', async () => {
    const objects = '{"u":"a","i":7,"r":1.5}\r\n\n{"r":2,"i":7.5,"u":true}\n{"u":"a","i":"7","r":3,"more":[1]}';
    expect(entriesOf(await readTable(fileOf('.ndjson', objects)))).toEqual([
      ['a', '7', 1.5],
      ['true', '7.5', 2],
      ['a', '7', 3],
    ]);
    const table = await readTable(fileOf('.jsonl', '[0,"x",1]\n["0","y",-2]\n'));
    expect([entriesOf(table), table.names]).toEqual([
      [
        ['0', 'x', 1],
        ['0', 'y', -2],
      ],
      undefined,
    ]);
  });

  it('keeps integers beyond 2⁵³ digit for digit, in text or not', async () => {
    const line = (id: string) => `{"u":${id},"i":"say \\"9007199254740993\\" 1","r":0.12345678901234567}\n`;
    const table = await readTable(
      fileOf('.jsonl', line('9007199254740993') + line('9007199254740992') + line('-9007199254740993')),
    );
    expect(entriesOf(table)).toEqual(
      ['9007199254740993', '9007199254740992', '-9007199254740993'].map((id) => [
        id,
        'say "9007199254740993" 1',
        Number('0.12345678901234567'),
      ]),
    );
    expect(entriesOf(await readTable(fileOf('.jsonl', '["a","b",12345678901234567890]')))).toEqual([
      ['a', 'b', Number('12345678901234567890')],
    ]);
  });

  it('names the line of an entry', async () => {
    const table = await readTable(fileOf('.jsonl', '\n[1,2,3]\n\n[1,3,3]\n'));
    expect([table.lineOf?.(0), table.lineOf?.(1)]).toEqual([2, 4]);
  });

  it.each([
    ['no JSON', '[1,2,3]\n[1,2', 'malformed-file', 2],
    ['a number', '[1,2,3]\n7\n', 'malformed-file', 2],
    ['null', '[1,2,3]\nnull\n', 'malformed-file', 2],
    ['an object among lists', '[1,2,3]\n{"a":1}\n', 'malformed-file', 2],
    ['no value', '[1,2,3]\n[1,3]\n', 'invalid-value', 2],
    ['null for a value', '[1,2,3]\n[1,3,null]\n', 'invalid-value', 2],
    ['text for a value', '[1,2,3]\n[1,3,"4"]\n', 'malformed-file', 2],
    ['a value beyond float64', '[1,2,3]\n[1,3,1e999]\n', 'invalid-value', 2],
    ['a list for a label', '[1,2,3]\n[[1],3,1]\n', 'malformed-file', 2],
    ['an empty label', '[1,2,3]\n["",3,1]\n', 'malformed-file', 2],
    ['a key that is missing', '{"u":1,"i":1,"r":1}\n{"u":1,"r":1}\n', 'malformed-file', 2],
  ])('with %s is refused with the line', async (_, text, code, line) => {
    const error = await refused('.jsonl', text);
    expect([error.code, error.position.line]).toEqual([code, line]);
  });

  it('is no dense table', async () => {
    expect((await refused('.jsonl', '{"row":"a","x":1}\n', { table: true })).code).toBe('malformed-file');
  });
});

// More than a call takes arguments.
describe('a CSV of 300,000 columns', () => {
  const names = Array.from({ length: 300_000 }, (_, j) => `c${j}`).join(',');
  const cells = '1,'.repeat(299_999);
  it('is refused as a list of entries, with a short message', async () => {
    const error = await refused('.csv', `${names}\n${cells}1\n`);
    expect(error.code).toBe('ambiguous-weights');
    expect(error.message.length).toBeLessThan(1500);
  });

  it('is read as a table', async () => {
    const table = await readTable(fileOf('.csv', `id,${names}\na,${cells}1\n`), { table: true });
    expect(table.matrix.shape).toEqual([1, 300_000]);
    expect(table.labels?.columns.at(-1)).toBe('c299999');
  });
});
