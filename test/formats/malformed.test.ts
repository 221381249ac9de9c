/** Files that are broken, cut off, absurd or not there: a typed error each, in no time, with no handle left. */
import { mkdirSync, readdirSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Triples } from '../../dist/src/data/input.js';
import { readJsonLines } from '../../dist/src/formats/jsonLines.js';
import { readTable } from '../../dist/src/formats/readTable.js';
import { uniform } from '../helpers/random.js';
import { failure, fileOf, golden, pathOf, refused } from './files.js';

/** An .npy of this header text and data. */
function npy(text: string, data: Uint8Array = Buffer.alloc(0), version = 1): Buffer {
  const headBytes = Buffer.alloc(version === 1 ? 10 : 12);
  headBytes.write('\x93NUMPY', 'latin1');
  headBytes[6] = version;
  if (version === 1) headBytes.writeUInt16LE(text.length, 8);
  else headBytes.writeUInt32LE(text.length, 8);
  return Buffer.concat([headBytes, Buffer.from(text, 'latin1'), data]);
}
const header = (shape: string, descr = "'<f8'"): string =>
  `{'descr': ${descr}, 'fortran_order': False, 'shape': (${shape}), }\n`;

describe('.npy', () => {
  it.each([
    ['nothing', Buffer.alloc(0), 'malformed-file'],
    ['text', Buffer.from('1,2,3\n4,5,6\n'), 'malformed-file'],
    ['a magic string only', Buffer.from('\x93NUMPY', 'latin1'), 'malformed-file'],
    ['a header that is cut off', npy(header('2, 2')).subarray(0, 40), 'malformed-file'],
    ['a header length beyond the file', npy(header('2, 2'), undefined, 2).fill(0xff, 8, 12), 'malformed-file'],
    ['no shape', npy("{'descr': '<f8', 'fortran_order': False}\n"), 'malformed-file'],
    ['no order', npy("{'descr': '<f8', 'shape': (1, 1)}\n", Buffer.alloc(8)), 'malformed-file'],
    ['a negative shape', npy(header('-1, 2')), 'malformed-file'],
    ['data that is cut off', npy(header('2, 2'), Buffer.alloc(31)), 'malformed-file'],
    ['no data', npy(header('2, 2')), 'malformed-file'],
    ['data beyond the end', npy(header('2, 2'), Buffer.alloc(33)), 'malformed-file'],
    ['10¹⁵ rows', npy(header('1000000000000000, 1'), Buffer.alloc(8)), 'malformed-file'],
    ['10¹⁵×10¹⁵', npy(header('1000000000000000, 1000000000000000'), Buffer.alloc(8)), 'malformed-file'],
    ['a shape that overflows', npy(header(`0, 1${'0'.repeat(400)}`)), 'malformed-file'],
    ['long doubles', npy(header('1, 1', "'<f16'"), Buffer.alloc(16)), 'unsupported-format'],
    ['dates', npy(header('1, 1', "'<M8[ns]'"), Buffer.alloc(8)), 'unsupported-format'],
    ['version 9', npy(header('1, 1'), Buffer.alloc(8), 9), 'unsupported-format'],
    ['no dimension', npy(header(''), Buffer.alloc(8)), 'shape-mismatch'],
    ['no rows', npy(header('0, 3')), 'shape-mismatch'],
    ['no columns', npy(header('3, 0')), 'shape-mismatch'],
  ])('%s', async (_, bytes, code) => {
    const start = performance.now();
    expect((await refused('.npy', bytes)).code).toBe(code);
    expect((await refused('.npy.gz', gzipSync(bytes))).code).toBe(code);
    expect(performance.now() - start).toBeLessThan(500);
  });

  it('says how many integers float64 does not hold', async () => {
    const data = Buffer.from(BigInt64Array.of(2n ** 53n - 1n, 2n ** 53n + 1n, -5n, -(2n ** 60n) - 1n).buffer);
    const path = fileOf('.npy', npy(header('2, 2', "'<i8'"), data));
    const { notes } = await readTable(path);
    expect(notes).toEqual([`${path}: 2 integers beyond 2⁵³ are rounded to what float64 holds.`]);
    expect((await readTable(fileOf('.npy', npy(header('1, 1', "'<i8'"), data.subarray(0, 8))))).notes).toEqual([]);
  });

  it('gives the byte', async () => {
    expect((await refused('.npy', Buffer.from('no'))).position.byte).toBe(0);
    expect((await refused('.npy', golden('f8-c.npy').subarray(0, 240))).position.byte).toBe(128);
  });

  it('refuses every cut of a file', async () => {
    for (const name of ['f8-c.npy', 'f8-v2.npy', 'u1.npy']) {
      const whole = golden(name);
      for (let length = 0; length < whole.length; length += 5)
        expect((await refused('.npy', whole.subarray(0, length))).code).toBe('malformed-file');
    }
  });
});

describe('.gz', () => {
  const next = uniform(4);
  const lines = Array.from({ length: 20_000 }, (_, t) => `${t % 977},${t % 131},${next()}\n`).join('');
  const packed = gzipSync(lines);

  it('is read whole where it is whole, of one member or two', async () => {
    const count = async (bytes: Uint8Array) =>
      ((await readTable(fileOf('.csv.gz', bytes))).matrix as Triples).values.length;
    expect(await count(packed)).toBe(20_000);
    expect(await count(Buffer.concat([packed, packed]))).toBe(40_000);
  });

  it.each([0, 1, 2, 9, 10, 11, 100, 5000, 0.5, 0.9, 0.99, -9, -8, -7, -4, -1])('is refused cut at %d', async (at) => {
    const length = at < 0 ? packed.length + at : at < 1 ? Math.floor(packed.length * at) : at;
    for (const request of [{}, { table: true }]) {
      const error = await refused('.csv.gz', packed.subarray(0, length), request);
      expect(error.code).toBe('malformed-file');
      if (length > 0) expect(error.message).toContain('gzip');
    }
    for (const name of ['coordinate-real.mtx', 'f8-c.npy']) {
      const whole = gzipSync(golden(name));
      const cut = at < 0 ? whole.length + at : at < 1 ? Math.floor(whole.length * at) : at;
      if (cut >= whole.length) continue;
      expect((await refused(name.replace(/^.*\./, '.').concat('.gz'), whole.subarray(0, cut))).code).toBe(
        'malformed-file',
      );
    }
  });

  it('is refused with a byte changed', async () => {
    for (const at of [0, 1, 2, packed.length >> 1, packed.length - 6, packed.length - 2]) {
      const changed = Buffer.from(packed);
      changed[at] = (changed[at] as number) ^ 0x55;
      expect((await refused('.csv.gz', changed)).code).toBe('malformed-file');
    }
  });

  it('is refused where it is no gzip', async () => {
    const error = await refused('.csv.gz', lines);
    expect(error.code).toBe('malformed-file');
    expect(error.message).toContain('gzip');
  });

  it('is refused cut within quoted text', async () => {
    const quoted = gzipSync(lines.replaceAll(/^(\d+)/gm, '"row $1"'));
    for (const part of [0.5, 0.99])
      expect((await refused('.csv.gz', quoted.subarray(0, quoted.length * part))).code).toBe('malformed-file');
  });

  it('agrees with the packed file of scipy', () => {
    expect(gunzipSync(golden('coordinate-real.mtx.gz')).length).toBeGreaterThan(100);
  });
});

describe('--table', () => {
  it.each([
    ['nothing', '', 'malformed-file', undefined],
    ['a header only', 'id,a,b\n', 'malformed-file', undefined],
    ['one field', 'id\nx\n', 'malformed-file', 1],
    ['a field missing', 'id,a,b\nx,1,2\ny,1\n', 'malformed-file', 3],
    ['a field too many', 'id,a,b\nx,1,2,3\n', 'malformed-file', 2],
    ['a word', 'id,a,b\nx,1,none\n', 'malformed-file', 2],
    ['infinity', 'id,a,b\nx,-inf,2\n', 'invalid-value', 2],
    ['a row twice', 'id,a,b\nx,1,2\nx,1,2\n', 'malformed-file', undefined],
    ['a column twice', 'id,a,a\nx,1,2\n', 'malformed-file', undefined],
    ['an open quote', 'id,a,b\n"x,1,2\n', 'malformed-file', 2],
  ] as const)('%s', async (_, text, code, line) => {
    const error = await refused('.csv', text, { table: true });
    expect(error.code).toBe(code);
    if (line !== undefined) expect(error.position.line).toBe(line);
  });
});

describe('paths', () => {
  it.each(['.csv', '.csv.gz', '.mtx', '.npy', '.npy.gz', '.tsv'])('%s that is not there', async (ending) => {
    const path = pathOf(ending);
    for (const table of [false, true])
      expect(await failure(readTable(path, { table }))).toMatchObject({
        code: 'not-found',
        position: { file: path },
        remedy: expect.any(String),
      });
  });

  it.each(['.csv', '.csv.gz', '.mtx', '.npy', '.npy.gz'])('%s that is a directory', async (ending) => {
    const path = pathOf(ending);
    mkdirSync(path);
    for (const table of [false, true])
      expect(await failure(readTable(path, { table }))).toMatchObject({
        code: 'unreadable-file',
        position: { file: path },
        rule: expect.any(String),
        remedy: expect.any(String),
      });
  });

  it.each([
    ['through a file', () => `${fileOf('.csv', 'a')}/b.csv`],
    ['too long', () => `${'a'.repeat(5000)}.csv`],
    ['with a zero', () => 'a\0b.csv'],
  ])('%s', async (_, path) => {
    expect((await failure(readTable(path()))).code).toBe('unreadable-file');
  });

  it.each(['.xlsx', '.gz', '', '.mat', '.zst'])(
    'an ending %j that is unknown, before anything is opened',
    async (ending) => {
      expect((await failure(readTable(`nowhere${ending}`))).code).toBe('unsupported-format');
    },
  );
});

describe('JSON lines', () => {
  it.each([
    ['no JSON', '"a"\nb\n', 2],
    ['a number', '"a"\n"b"\n3\n', 3],
    ['a blank line', '"a"\n\n"b"\n', 2],
    ['a cut line', '"a"\n"b', 2],
  ])('%s', async (_, text, line) => {
    const error = await failure(readJsonLines(fileOf('.jsonl', text)));
    expect(error).toMatchObject({ code: 'malformed-file', position: { line }, remedy: expect.any(String) });
  });
});

describe('handles', () => {
  const open = (): number => readdirSync('/proc/self/fd').length;

  it.skipIf(process.platform !== 'linux')('none is left after 30 failures', async () => {
    const long = 'a,x,1\n'.repeat(400_000);
    const packed = gzipSync(long);
    const work: (() => Promise<unknown>)[] = [
      // Fails in the first of several chunks, with most of the file unread.
      () => readTable(fileOf('.csv', `b,y\n${long}`)),
      () => readTable(fileOf('.csv', `a,x,1\n"b",y\n${long}`)),
      () => readTable(fileOf('.csv', `a,x,1\n"b"c,y\n${long}`)),
      () => readTable(fileOf('.csv', `id,a\nx,nan\n${long}`), { table: true }),
      () => readTable(fileOf('.csv.gz', packed.subarray(0, packed.length - 100))),
      () => readTable(fileOf('.csv.gz', gzipSync(`a,x,1\nb,y\n${long}`))),
      () => readTable(fileOf('.mtx', `%%MatrixMarket matrix coordinate real general\n2 2 2\n3 3 3\n${long}`)),
      () => readTable(fileOf('.npy', long)),
      () => readTable(pathOf('.csv')),
      () => readJsonLines(fileOf('.jsonl', long)),
    ];
    await Promise.allSettled(work.map((one) => one()));
    const before = open();
    for (let i = 0; i < 3; i++) for (const one of work) await failure(one());
    // The close that was waited for is over with this turn.
    await new Promise(setImmediate);
    expect(open()).toBeLessThanOrEqual(before);
    expect(process.getActiveResourcesInfo().filter((kind) => /FS|Zlib|File/i.test(kind))).toEqual([]);
  });
});
