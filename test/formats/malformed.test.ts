/** Files that are broken, cut off, absurd or not there: a typed error each, in no time, with no handle left. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Triples } from '../../dist/src/data/input.js';
import { readJsonLines } from '../../dist/src/formats/jsonLines.js';
import { type ReadRequest, readTable } from '../../dist/src/formats/readTable.js';
import { writeTable } from '../../dist/src/formats/writeTable.js';
import { uniform } from '../helpers/random.js';
import { failure, fileOf, pathOf } from './files.js';

const golden = (name: string): Buffer => readFileSync(new URL(`../golden/formats/${name}`, import.meta.url));

/** The failure of reading this content, with all that an error must say. */
async function refused(ending: string, content: string | Uint8Array, request: ReadRequest = {}) {
  const path = fileOf(ending, content);
  const error = await failure(readTable(path, request));
  expect(error.position.file).toBe(path);
  expect(error.what).toBeTruthy();
  expect(error.rule, 'rule').toBeTruthy();
  expect(error.remedy, 'remedy').toBeTruthy();
  return error;
}

const head = '%%MatrixMarket matrix coordinate real general\n';
const array = '%%MatrixMarket matrix array real general\n';

describe('.mtx', () => {
  it.each([
    ['nothing', '', 'malformed-file', undefined],
    ['no header', '3 3 1\n1 1 1\n', 'malformed-file', 1],
    ['half a header', '%%MatrixMarket matrix coord', 'unsupported-format', 1],
    ['no sizes', `${head}% end\n`, 'malformed-file', undefined],
    ['two sizes', `${head}3 3\n1 1 1\n`, 'malformed-file', 2],
    ['sizes that are no numbers', `${head}% c\na b c\n`, 'malformed-file', 3],
    ['sizes with fractions', `${head}3.5 3 1\n1 1 1\n`, 'malformed-file', 2],
    ['negative sizes', `${head}-3 3 1\n1 1 1\n`, 'malformed-file', 2],
    ['a size of 0', `${head}0 3 0\n`, 'malformed-file', 2],
    ['more entries than places', `${head}2 2 5\n`, 'malformed-file', 2],
    ['sizes beyond 2³²', `${head}5000000000 2 1\n1 1 1\n`, 'malformed-file', 2],
    ['symmetric and not square', `${head.replace('general', 'symmetric')}2 3 1\n1 1 1\n`, 'malformed-file', 2],
    ['row 0', `${head}3 3 2\n1 1 1\n0 1 1\n`, 'index-out-of-range', 4],
    ['row 4 of 3', `${head}3 3 1\n4 1 1\n`, 'index-out-of-range', 3],
    ['column 4 of 3', `${head}3 3 1\n1 4 1\n`, 'index-out-of-range', 3],
    ['a negative column', `${head}3 3 1\n1 -1 1\n`, 'index-out-of-range', 3],
    ['row 1.5', `${head}3 3 1\n1.5 1 1\n`, 'malformed-file', 3],
    ['a word for a row', `${head}3 3 1\nx 1 1\n`, 'malformed-file', 3],
    ['no value', `${head}3 3 2\n1 1 1\n2 2\n`, 'malformed-file', 4],
    ['no value, only a space', `${head}3 3 2\n1 1 1\n2 2 \n`, 'malformed-file', 4],
    ['a value that is a word', `${head}3 3 1\n1 1 one\n`, 'malformed-file', 3],
    ['a value too many', `${head}3 3 1\n1 1 1 2\n`, 'malformed-file', 3],
    ['a value in a pattern', `${head.replace('real', 'pattern')}3 3 1\n1 1 2\n`, 'malformed-file', 3],
    ['a fraction in an integer file', `${head.replace('real', 'integer')}3 3 1\n1 1 1.5\n`, 'malformed-file', 3],
    ['NaN', `${head}3 3 1\n1 1 nan\n`, 'invalid-value', 3],
    ['infinity', `${head}3 3 1\n1 1 -inf\n`, 'invalid-value', 3],
    ['overflow', `${head}3 3 1\n1 1 1e400\n`, 'invalid-value', 3],
    ['too few entries', `${head}3 3 2\n1 1 1\n`, 'malformed-file', undefined],
    ['too many entries', `${head}3 3 1\n1 1 1\n2 2 2\n`, 'malformed-file', undefined],
    ['too few values', `${array}2 2\n1\n2\n3\n`, 'malformed-file', undefined],
    ['too many values', `${array}2 2\n1\n2\n3\n4\n5\n`, 'malformed-file', 7],
    ['infinity in an array', `${array}2 2\n1\ninf\n3\n4\n`, 'invalid-value', 4],
    ['a word in an array', `${array}2 2\n1\nx\n3\n4\n`, 'malformed-file', 4],
    ['an array of patterns', array.replace('real', 'pattern'), 'unsupported-format', 1],
    ['a vector', head.replace('matrix coordinate', 'vector coordinate'), 'unsupported-format', 1],
  ] as const)('%s', async (_, text, code, line) => {
    const error = await refused('.mtx', text);
    expect(error.code).toBe(code);
    expect(error.position.line).toBe(line);
    const again = await refused('.mtx.gz', gzipSync(text));
    expect([again.code, again.position.line]).toEqual([code, line]);
  });

  it('gives row and column from 0 where an index is out of range', async () => {
    const { position } = await refused('.mtx', `${head}3 3 1\n4 2 1\n`);
    expect(position).toMatchObject({ row: 3, column: 1, line: 3 });
  });

  it('takes tabs, blank lines, CRLF, capitals and comments anywhere', async () => {
    const text = `${head.toUpperCase()}\r\n% c\r\n 2\t3 2 \r\n\r\n1\t3  1e1\r\n% c\n  2 1 -.5 \n\n`;
    const { matrix } = await readTable(fileOf('.MTX', text));
    const { rows, columns, values, shape } = matrix as Triples;
    expect([[...rows], [...columns], [...values], shape]).toEqual([
      [0, 1],
      [2, 0],
      [10, -0.5],
      [2, 3],
    ]);
  });

  it('reads 10⁹×10⁹ with three entries, and allocates nothing of that size', async () => {
    const before = process.memoryUsage();
    const { matrix } = await readTable(
      fileOf('.mtx', `${head}1000000000 1000000000 3\n1 1 1\n1000000000 1 2\n1 1000000000 3\n`),
    );
    const { rows, columns, values } = matrix as Triples;
    expect([[...rows], [...columns], [...values]]).toEqual([
      [0, 999_999_999, 0],
      [0, 0, 999_999_999],
      [1, 2, 3],
    ]);
    const after = process.memoryUsage();
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(16 * 2 ** 20);
  });

  it.each([
    ['entries', `${head}1000000000 1000000000 1000000000000\n1 1 1\n`],
    ['an array', `${array}1000000000 1000000000\n1\n`],
    ['a symmetric array', `${array.replace('general', 'symmetric')}4000000000 4000000000\n1\n`],
  ])('refuses at once a file that announces 10¹² and more of %s', async (_, text) => {
    const start = performance.now();
    expect((await refused('.mtx', text)).code).toBe('malformed-file');
    expect(performance.now() - start).toBeLessThan(500);
  });

  it.each([
    ['entries', `${head}1000 1000 900000\n`, '1 1 1\n'],
    ['a pattern', `${head.replace('real', 'pattern')}1000 1000 900000\n`, '1 1\n'],
    ['an array', `${array}1000 1000\n`, '1\n'],
  ])('refuses by its length a file that announces too much of %s', async (_, text, line) => {
    expect(await refused('.mtx', text + line.repeat(100_000))).toMatchObject({
      code: 'malformed-file',
      position: { line: 2 },
      what: expect.stringContaining('too short'),
    });
  });

  it('shows no more of a long line than is needed', async () => {
    for (const text of [
      `${head}3 3 1\n1 1 ${'x'.repeat(3e6)}\n`,
      `${head}3 3 1\n${'x'.repeat(3e6)}\n`,
      `${head}${'3 '.repeat(1e6)}\n`,
      `${array}1 1\n${'1'.repeat(3e6)}x\n`,
    ]) {
      const began = performance.now();
      const error = await refused('.mtx', text);
      expect(error.code).toBe('malformed-file');
      expect(error.message.length).toBeLessThan(300);
      expect(performance.now() - began).toBeLessThan(1000);
    }
  });

  it('refuses every cut of a file, but for what cannot be told', async () => {
    const whole = golden('coordinate-real.mtx');
    const lastLine = whole.lastIndexOf(10, whole.length - 2) + 1;
    for (let length = 0; length < lastLine; length += 7) {
      const { code } = await refused('.mtx', whole.subarray(0, length));
      expect(['malformed-file', 'unsupported-format']).toContain(code);
    }
  });
});

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

  it.skipIf(process.platform !== 'linux')('none is left after 100 failures', async () => {
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
      () => readTable(fileOf('.mtx', `${head}2 2 2\n3 3 3\n${long}`)),
      () => readTable(fileOf('.npy', long)),
      () => readTable(pathOf('.csv')),
      () => readJsonLines(fileOf('.jsonl', long)),
    ];
    await Promise.allSettled(work.map((one) => one()));
    const before = open();
    for (let i = 0; i < 10; i++) for (const one of work) await failure(one());
    // The close that was waited for is over with this turn.
    await new Promise(setImmediate);
    expect(open()).toBeLessThanOrEqual(before);
    expect(process.getActiveResourcesInfo().filter((kind) => /FS|Zlib|File/i.test(kind))).toEqual([]);
  });
});

describe('bytes that are no UTF-8', () => {
  it.each([
    ['.csv', Buffer.from('u,i,r\n"\xe9",b,2\n"\xea",c,4\n', 'latin1'), 2],
    // As Latin-1 the first row would have the name of the second.
    ['.csv', Buffer.from('r,c,v\n\xc3\xa9\xed,y,2\n\xc3\x83\xc2\xa9\xc3\xad,y,3\n', 'latin1'), 2],
    ['.csv', Buffer.from('r,c,v\na,x,1\na,\xe9,2\n', 'latin1'), 3],
    ['.csv', Buffer.from('r\xe9,c,v\na,x,1\n', 'latin1'), 1],
    ['.jsonl', Buffer.from('{"u":"a","i":"b","r":1}\n{"u":"\xe9","i":"b","r":2}\n', 'latin1'), 2],
  ])('in CSV or JSON are refused, or two labels would be one: %s', async (ending, content, line) => {
    const error = await refused(ending, content);
    expect([error.code, error.position.line]).toEqual(['malformed-file', line]);
  });

  it.each(['.parquet', '.arrow'])('are no label in %s', async (ending) => {
    const sound = pathOf(ending);
    const matrix = { rows: Uint32Array.of(0, 1), columns: Uint32Array.of(0, 0), values: Float64Array.of(1, 2) };
    const labels = { rows: ['same', 'zzzz'], columns: ['x'] };
    await writeTable(sound, { matrix: { ...matrix, shape: [2, 1] }, labels, notes: [] });
    const bytes = readFileSync(sound).toString('latin1').replaceAll('zzzz', 'z\xe9\xea\xff');
    const error = await refused(ending, Buffer.from(bytes, 'latin1'));
    expect(error).toMatchObject({ code: 'malformed-file', what: expect.stringContaining('no UTF-8') });
    expect(error.position).toMatchObject({ record: 2 });
  });

  it('nor is half a surrogate pair in JSON', async () => {
    const lines = ['{"u":"a","i":"x","r":1}', '{"u":"\\ud800","i":"x","r":2}', '{"u":"\\udc00","i":"x","r":3}'];
    const error = await refused('.jsonl', lines.join('\n'));
    expect(error).toMatchObject({
      code: 'malformed-file',
      what: 'Line 2 has a label with a lone surrogate, which is no text.',
    });
    const { labels } = await readTable(fileOf('.jsonl', '{"u":"\\ud83d\\ude00","i":"x","r":1}'));
    expect(labels?.rows).toEqual(['\u{1f600}']);
  });

  it('are not what U+FFFD of a sound file is', async () => {
    const { labels } = await readTable(fileOf('.csv', 'r,c,v\n\ufffd,x,1\n\ufffda,x,2\n'));
    expect(labels?.rows).toEqual(['\ufffd', '\ufffda']);
  });
});
