/** CSV in parts gives the table of the reader of lines, wherever it is cut and whoever parses, or leaves the file to it. */
import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Triples } from '../../dist/src/data/input.js';
import { readLineByLine } from '../../dist/src/formats/csv.js';
import { type PartSettings, readCsvInParts } from '../../dist/src/formats/csvParts.js';
import { type ReadRequest, readTable, type Table } from '../../dist/src/formats/readTable.js';
import { failure, fileOf } from './files.js';

const workerUrl = new URL('../../dist/workers/lines.js', import.meta.url).href;
const always = { leastBytes: 0, leastShared: 0 };

const bits = (numbers: Float64Array | undefined) => numbers && [...new BigUint64Array(numbers.slice().buffer)];

/** All that a table says, numbers by their bits. */
function contentOf(table: Table) {
  const { rows, columns, values, shape } = table.matrix as Triples;
  return {
    rows: [...rows],
    columns: [...columns],
    values: bits(values as Float64Array),
    weights: bits(table.weights),
    shape,
    labels: table.labels,
    names: table.names,
    notes: table.notes,
    lines: Array.from(values, (_, t) => table.lineOf?.(t)),
  };
}

async function inParts(text: string | Uint8Array, request: ReadRequest = {}, settings: Partial<PartSettings> = {}) {
  const path = fileOf('.csv', text);
  const table = await readCsvInParts(path, request, { ...always, ...settings });
  return { table: table && contentOf(table), careful: () => readLineByLine(path, request).then(contentOf) };
}

/** Read in parts, and that as line by line. */
async function expectSame(text: string | Uint8Array, request: ReadRequest = {}, settings: Partial<PartSettings> = {}) {
  const { table, careful } = await inParts(text, request, settings);
  expect(table).toBeDefined();
  expect(table).toEqual(await careful());
}

describe('the table is that of the reader of lines', () => {
  it.each([
    ['commas', 'a,x,1\nb,y,2.5\na,y,-3e-2\n'],
    ['tabs', 'a\tx\t1\nb\ty\t2.5\n'],
    ['semicolons', 'a;x;1\nb;y;2.5\n'],
    ['spaces', '  a   x    1 \nb  y 2.5\n c d 4   \n'],
    ['spaces, CRLF', 'a x 1\r\nb  y 2.5 \r\n'],
    ['double colons', 'a:b::c::3\n1::x:1::5\n2:::y::6\n'],
    ['double colons, no line end', 'a::c::3\nb::d::4'],
    ['commas and spaces', 'a , x ,1 \n b,y , 2.5\n'],
    ['CRLF', 'a,x,1\r\nb,y,2.5\r\n'],
    ['no line end at the end', 'a,x,1\nb,y,2.5'],
    ['CR at the end', 'a,x,1\nb,y,2.5\r'],
    ['a byte order mark', '\ufeffa,x,1\nb,y,2.5\n'],
    ['a byte order mark and a header', '\ufeffu,i,r\na,x,1\n'],
    ['empty lines', '\n\r\na,x,1\n\n   \nb,y,2.5\n\n\n\r\nc,z,3\n\n'],
    ['comments first', '# made by\n% me\na,x,1\nb,y,2.5\n'],
    ['a header', 'user,item,rating\n\na,x,1\nb,y,2\n'],
    ['one line', 'a,x,1\n'],
    ['labels beyond ASCII', 'é,日本,1\n日本,é,2\n𝄞𝄞𝄞𝄞,é,3\né,𝄞𝄞𝄞𝄞,4\n'],
    ['zeros in labels', 'a,x,1\na\0,x\0,2\na\0\0,x,3\nabcdefghijklmn\0,x,4\n'],
    ['labels that are one number', '7,0,1\n007,00,2\n07,+0,3\n+7,-0,4\n7,0,5\n 7,0 ,6\n70,7e1,7\n'],
    ['integers, small and large', '0,4194303,1\n9999999,4194304,2\n99999999,12345678901234567890,3\n0,4194304,4\n'],
    [
      'labels of every length',
      Array.from(
        { length: 40 },
        (_, i) => `${'a'.repeat(i + 1)},${'é'.repeat(i + 1)},${i}\n${'a'.repeat(i)}b,c,1\n`,
      ).join(''),
    ],
  ])('%s', async (_, text) => {
    for (const partBytes of [1, 7, 64, 2 ** 20]) await expectSame(text, {}, { partBytes });
  });

  it('with columns that are named, weights and columns left out', async () => {
    const text = 'when,w,item,rating,user,note\n1,0.5,x,1,a,n\n2,2,y,2.5,b,\n3,1e0,x,3,b,é\n';
    const columns = ['user', 'item', 'rating', 'w'];
    for (const partBytes of [1, 20, 2 ** 20]) {
      await expectSame(text, { columns, weights: true }, { partBytes });
      await expectSame(text, { columns: columns.slice(0, 3) }, { partBytes });
      await expectSame('a,x,1,2\nb,y,2,0.1\n', { weights: true }, { partBytes });
    }
  });

  it('for any lines, cut anywhere, labels colliding or not', async () => {
    const label = fc.oneof(
      fc.constantFrom('a', 'b', '0', '00', '1', '4194303', '4194304', 'user-1', 'a label that is longer than a slot'),
      fc.stringMatching(/^[0-9]{1,9}$/),
      fc
        .string({ unit: 'binary', minLength: 1, maxLength: 20 })
        .filter((text) => !/["\n\r,#%]|^ | $|^\ufeff/.test(text)),
    );
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
      fc.stringMatching(/^[+-]?[0-9]{1,25}(\.[0-9]{0,25})?([eE][+-]?[0-9]{1,2})?$/),
    );
    const line = fc.oneof(
      { weight: 8, arbitrary: fc.tuple(label, label, number).map((fields) => fields.join()) },
      fc.constantFrom('', '  '),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 40 }),
        fc.constantFrom('\n', '\r\n'),
        fc.integer({ min: 1, max: 300 }),
        fc.constantFrom(0, 3, 2 ** 32 - 1),
        fc.boolean(),
        async (lines, end, partBytes, hashMask, hasEnd) => {
          const text = `u,i,r${end}a,b,1${end}${lines.join(end)}${hasEnd ? end : ''}`;
          await expectSame(text, {}, { partBytes, hashMask });
        },
      ),
      { numRuns: 80 },
    );
  });

  it('of more labels than the first tables and pieces hold', async () => {
    const labels = Array.from({ length: 150_000 }, (_, i) => `${'label '.repeat(i % 11)}${(i * 7919) % 150_000}`);
    const at = (t: number) => labels[(t * 104_729) % labels.length];
    const text = Array.from({ length: 250_000 }, (_, t) => `${at(t)},${at(3 * t + 1)},${t / 8}`).join('\n');
    await expectSame(`${text}\n`, {}, {});
  });

  it('packed too', async () => {
    const lines = Array.from({ length: 3000 }, (_, t) => `r${t % 91},${t % 57},${t / 8}${t % 100 ? '' : '\n'}`);
    for (const text of [lines.join('\n'), `u,i,r\r\n${lines.join('\r\n')}\r\n`])
      for (const partBytes of [40, 1000, 2 ** 20]) {
        const path = fileOf('.csv.gz', gzipSync(text));
        const table = await readCsvInParts(path, {}, { ...always, partBytes });
        expect(table && contentOf(table)).toEqual(contentOf(await readLineByLine(path, {})));
      }
  });
});

it('reads every number as Number does', async () => {
  const texts = [
    ...[
      '0',
      '-0',
      '+0',
      '0.0',
      '-0.0',
      '.5',
      '5.',
      '-.5',
      '1e5',
      '1E5',
      '1e+5',
      '1e-5',
      '1.5e22',
      '1.5e23',
      '1e-22',
      '1e-23',
    ],
    ...['9007199254740992', '9007199254740993', '900719925474099.3', '9007199254740992e22', '0.30000000000000004'],
    ...[
      '123456789012345678',
      '1234567890123456789',
      '12345678901234567890',
      '18446744073709551616',
      '0000000000000000000001',
    ],
    ...[
      '0.000000000000000000000001',
      '1e308',
      '4.9e-324',
      '1e-400',
      '2.2250738585072014e-308',
      '1.7976931348623157e308',
    ],
    ...['1e0005', '1e-0005', '3.14159265358979', '3.141592653589793', '100000000000000000000000'],
    ...Array.from({ length: 300 }, (_, i) => String(((i + 1) * Math.SQRT2) ** (i % 9))),
    ...Array.from({ length: 300 }, (_, i) => (((i + 1) * Math.PI) ** (i % 5)).toFixed(i % 18)),
    ...Array.from({ length: 300 }, (_, i) => ((i + 1) * Math.E).toExponential(i % 20)),
  ];
  const { table } = await inParts(texts.map((text, i) => `r${i},c,${text}`).join('\n'));
  expect(table?.values).toEqual(bits(Float64Array.from(texts, Number)));
});

describe('what is unusual is left to the reader of lines', () => {
  it.each([
    ['a first line without an end', 'a,x,1'],
    ['a quote', 'a,x,1\n"b",y,2\n'],
    ['a quote in a column left out', 'u,i,r,n\na,x,1,"\n'],
    ['a field too few', 'a,x,1\nb,y\n'],
    ['one field', 'a,x,1\nb\n'],
    ['a field too many', 'a,x,1\nb,y,2,3\n'],
    ['an empty label', 'a,x,1\n,y,2\n'],
    ['a label of spaces', 'a,x,1\nb,  ,2\n'],
    ['no number', 'a,x,1\nb,y,z\n'],
    ['an empty number', 'a,x,1\nb,y,\n'],
    ['a hexadecimal number', 'a,x,1\nb,y,0x10\n'],
    ['an exponent without digits', 'a,x,1\nb,y,1e\nc,y,1e+\n'],
    ['a sign alone', 'a,x,1\nb,y,-\n'],
    ['a point alone', 'a,x,1\nb,y,.\n'],
    ['NaN', 'a,x,1\nb,y,NaN\n'],
    ['infinity', 'a,x,1\nb,y,Infinity\n'],
    ['a number beyond all', 'a,x,1\nb,y,1e999\n'],
    ['a comment late', 'a,x,1\n# the end\n'],
    ['two fields in the first line', 'a,b\n'],
    ['no entry', 'u,i,r\n'],
    ['UTF-16', Buffer.from('fffe61002c00', 'hex')],
    ['a label that is no UTF-8', Buffer.from('612c782c310ae92c782c320a', 'hex')],
    ['a long label', `a,x,1\n${'b'.repeat(5000)},y,2\n`],
    ['a line that is longer than a part and more', `u,i,r,n\na,x,1,${'n'.repeat(70_000)}\nb,y,2,n\n`],
  ])('%s', async (_, text) => {
    const columns = String(text).startsWith('u,i,r,n') ? { columns: ['u', 'i', 'r'] } : {};
    for (const partBytes of [1, 8, 1000]) expect((await inParts(text, columns, { partBytes })).table).toBeUndefined();
  });

  it('which says what is wrong, of the first line that is', async () => {
    const lines = Array.from({ length: 200_000 }, (_, t) => `r${t % 991},${t % 89},${t / 8}`);
    lines[190_000] = 'r1,nothing';
    lines[199_000] = '"';
    const path = fileOf('.csv', lines.join('\n'));
    for (const threads of [1, 2, 3]) {
      const error = await failure(readTable(path, { threads, workerUrl }));
      expect(error).toMatchObject({ code: 'malformed-file', position: { line: 190_001 } });
    }
    lines[190_000] = 'r1,2,3';
    lines[199_000] = '"r, 1",2,3';
    expect((await readTable(fileOf('.csv', lines.join('\n')), { threads: 2, workerUrl })).labels?.rows.at(-1)).toBe(
      'r, 1',
    );
  });
});

describe('threads', () => {
  const text = `u,i,r\n${Array.from({ length: 60_000 }, (_, t) => `${t % 7 ? 'user ' : ''}${(t * 7919) % 9973},${(t * t) % 1009},${t / 8}${t % 5000 ? '' : '\n'}`).join('\n')}`;

  it.each([1, 2, 5])('%d give the same', async (threads) => {
    for (const partBytes of [10_000, 2 ** 18]) await expectSame(text, { threads, workerUrl }, { partBytes });
  });

  // So many parts that the worker has begun long before they are done.
  it.each(['dyingLines.mjs', 'nowhere.mjs'])(
    'that are lost leave the file to the reader of lines: %s',
    async (name) => {
      const path = fileOf('.csv', text);
      const dying = new URL(`../helpers/${name}`, import.meta.url).href;
      const settings = { ...always, partBytes: 40 };
      expect(await readCsvInParts(path, { threads: 2, workerUrl: dying }, settings)).toBeUndefined();
    },
  );

  // A thread that is left keeps its process alive.
  it.each([
    ['when the file is read', text],
    ['when it is not', `${text}\n"\n${text}`],
  ])('are gone %s', (_, content) => {
    const script = `
      import { readCsvInParts } from ${JSON.stringify(new URL('../../dist/src/formats/csvParts.js', import.meta.url).href)};
      const settings = { leastBytes: 0, leastShared: 0, partBytes: 400 };
      await readCsvInParts(process.argv[1], { threads: 3, workerUrl: ${JSON.stringify(workerUrl)} }, settings);
      console.log('done');`;
    const told = execFileSync(process.execPath, ['--input-type=module', '-e', script, fileOf('.csv', content)], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect(told).toBe('done\n');
  });
});
