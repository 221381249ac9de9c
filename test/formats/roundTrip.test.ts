/** What is written is read again as it was, for arrays, labels and tables made up by fast-check. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readJsonLines, writeJsonLines } from '../../dist/src/formats/jsonLines.js';
import { readNpy, writeNpy } from '../../dist/src/formats/npy.js';
import { readTable } from '../../dist/src/formats/readTable.js';
import { denseOf, entriesOf, fileOf, pathOf } from './files.js';

/** Text with all that is special in some delimited file. */
const hostile = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
  fc.string({
    unit: fc.constantFrom(...',;:"\'\n\r\t #%\\|=', '::', '""', 'a', '7', 'é', '日', '😀', '\u2028', '\ufeff', '\0'),
    minLength: 1,
    maxLength: 8,
  }),
  fc.constantFrom('007', '7', '-0', '1e3', 'NaN', 'null', '__proto__', 'constructor', 'true', '"', '""', ' ', '\n'),
);
/** Without −0, which a template writes as 0. */
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

describe('.npy', () => {
  const shape = fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 3 });
  it.each(['f4', 'f8'])('%s', async (type) => {
    const path = pathOf('.npy');
    const arrays = shape.chain((sizes) => {
      const length = sizes.reduce((a, b) => a * b, 1);
      const values = type === 'f4' ? fc.float() : fc.double();
      return fc.tuple(fc.constant(sizes), fc.array(values, { minLength: length, maxLength: length }));
    });
    await fc.assert(
      fc.asyncProperty(arrays, async ([sizes, values]) => {
        const data = type === 'f4' ? Float32Array.from(values) : Float64Array.from(values);
        await writeNpy(path, data, sizes);
        const read = await readNpy(path);
        expect(read.shape).toEqual(sizes);
        expect(read.isFortranOrder).toBe(false);
        // Object.is of each number: −0 is not 0, NaN is NaN.
        expect(read.data).toStrictEqual(data);
      }),
      { numRuns: 100 },
    );
  });
});

describe('JSON lines', () => {
  it('any strings, lone surrogates too', async () => {
    const path = pathOf('.jsonl');
    const label = fc.oneof(hostile, fc.string({ unit: 'binary' }), fc.constantFrom('', '\ud800', 'a\udc00b'));
    await fc.assert(
      fc.asyncProperty(fc.array(label), async (labels) => {
        await writeJsonLines(path, labels);
        expect(await readJsonLines(path)).toEqual(labels);
      }),
      { numRuns: 150 },
    );
  });
});

describe('CSV', () => {
  const delimiter = fc.constantFrom(',', ';', '\t');
  const end = fc.constantFrom('\n', '\r\n');

  it('any labels in quotes', async () => {
    const entry = fc.tuple(hostile, hostile, finite);
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 20 }), delimiter, end, async (entries, d, e) => {
        const text = entries.map(([row, column, value]) => [quoted(row), quoted(column), value].join(d)).join(e);
        expect(entriesOf(await readTable(fileOf('.csv', text)))).toEqual(entries);
      }),
      { numRuns: 200 },
    );
  });

  it('labels without quotes where they need none, quoted where they do', async () => {
    const entry = fc.tuple(hostile, hostile, finite);
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 20 }), async (entries) => {
        const field = (text: string) =>
          /^[\p{L}\p{N}:.-]+$/u.test(text) && !text.includes('::') ? text : quoted(text);
        const lines = entries.map(([row, column, value]) => `${field(row)},${field(column)},${value}`);
        expect(entriesOf(await readTable(fileOf('.csv', ['row,column,value', ...lines].join('\n'))))).toEqual(entries);
      }),
      { numRuns: 200 },
    );
  });

  it.each([',', ';', '\t', '::', ' '])('plain labels between %j', async (d) => {
    const plain = fc
      .string({ unit: fc.constantFrom(...'abz019_-.:/', 'é', '日', '😀'), minLength: 1, maxLength: 6 })
      // A label that has the delimiter, or makes one with it, needs another file.
      .filter((text) => d !== '::' || !/::|^:|:$/.test(text))
      .filter((text) => !text.includes('::'));
    const entry = fc.tuple(plain, plain, finite);
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 20 }), end, async (entries, e) => {
        const text = entries.map((fields) => fields.join(d)).join(e);
        expect(entriesOf(await readTable(fileOf('.txt', text)))).toEqual(entries);
      }),
      { numRuns: 100 },
    );
  });

  it('weights', async () => {
    const entry = fc.tuple(hostile, hostile, finite, fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }));
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 20 }), async (entries) => {
        const text = entries.map(([r, c, value, weight]) => `${quoted(r)},${quoted(c)},${value},${weight}`).join('\n');
        expect(entriesOf(await readTable(fileOf('.csv', text), { weights: true }))).toEqual(entries);
      }),
      { numRuns: 50 },
    );
  });
});

describe('--table', () => {
  const labels = fc.uniqueArray(hostile, { minLength: 1, maxLength: 6 });
  const tables = fc.tuple(labels, labels).chain(([rows, columns]) => {
    const length = rows.length * columns.length;
    const cell = fc.option(finite, { nil: Number.NaN });
    return fc.tuple(fc.constant(rows), fc.constant(columns), fc.array(cell, { minLength: length, maxLength: length }));
  });

  it('any labels; empty is unobserved', async () => {
    await fc.assert(
      fc.asyncProperty(tables, fc.constantFrom(',', ';', '\t'), async ([rows, columns, cells], d) => {
        const lines = rows.map((row, i) => {
          const values = cells.slice(i * columns.length, (i + 1) * columns.length);
          return [quoted(row), ...values.map((value) => (Number.isNaN(value) ? '' : value))].join(d);
        });
        const text = [['id', ...columns.map(quoted)].join(d), ...lines].join('\n');
        const table = await readTable(fileOf('.csv', text), { table: true });
        expect(table.labels).toEqual({ rows, columns });
        expect(denseOf(table)).toEqual(cells);
        expect(table.notes).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
