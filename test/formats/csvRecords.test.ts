/** CSV through csv-parse: records, their lines, and what comes before the first. */
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Triples } from '../../dist/src/data/input.js';
import { readLineByLine } from '../../dist/src/formats/csv.js';
import { CsvCollector } from '../../dist/src/formats/csvCollector.js';
import { records } from '../../dist/src/formats/csvRecords.js';
import type { Table } from '../../dist/src/formats/readTable.js';
import { fileOf } from './files.js';

describe('records', () => {
  const all = async (text: string) => {
    const list: [number, ...string[]][] = [];
    for await (const some of records(fileOf('.csv', text), () => true))
      for (const { fields, line } of some) list.push([line, ...fields]);
    return list;
  };

  it('gives fields and lines', async () => {
    expect(await all('a,b\n\n"c\nd", e \n# f,g\n')).toEqual([
      [1, 'a', 'b'],
      [4, 'c\nd', 'e'],
      [5, '# f', 'g'],
    ]);
  });

  it('asks about what begins with # or %, in fields without what is in quotes', async () => {
    const asked: unknown[] = [];
    const isComment = (fields: readonly string[], line: number) => {
      asked.push([line, ...fields]);
      return line < 3;
    };
    const given: string[][] = [];
    for await (const some of records(fileOf('.csv', '# a, "b,c"\n\n%d,"e",f\n#g,h,i\n'), isComment))
      for (const { fields } of some) given.push(fields);
    expect(asked).toEqual([
      [1, '# a', ''],
      [3, '%d', '', 'f'],
    ]);
    expect(given).toEqual([
      ['%d', 'e', 'f'],
      ['#g', 'h', 'i'],
    ]);
  });

  it('says after which line an open quote stands', async () => {
    await expect(all('a,b\n"c,d\ne,f\n')).rejects.toMatchObject({
      what: expect.stringContaining('begins after line 1.'),
      position: { line: 3 },
    });
  });

  it('takes several spaces for one', async () => {
    expect(await all('1  2\n 3 4 \n')).toEqual([
      [1, '1', '2'],
      [2, '3', '4'],
    ]);
  });

  it('gives nothing of an empty file', async () => {
    expect(await all('')).toEqual([]);
  });
});

describe('records of any text', () => {
  // Of mixed line ends csv-parse takes the first kind alone for one.
  const piece = fc.constantFrom('a', '7', 'é', ' ', ',', '"', '""', '\t', '\u2028', '\ufeff', ';', '#');
  const line = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
  /** Fields in quotes as they are written, and bare ones. */
  const sound = fc
    .array(fc.tuple(fc.string({ unit: fc.constantFrom('a', ' ', ',', '"', '\n'), maxLength: 3 }), fc.boolean()))
    .map((fields) =>
      fields
        .map(([text, isQuoted]) =>
          isQuoted ? ` "${text.replaceAll('"', '""')}" ` : ` ${text.replaceAll(/[",\n]/g, '')} `,
        )
        .join(','),
    );
  const options = { relax_column_count: true, skip_empty_lines: true, trim: true, info: true, bom: true } as const;

  it('are those of csv-parse', async () => {
    let read = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 4, arbitrary: sound }, line), { maxLength: 8 }),
        fc.constantFrom('\n', '\r\n'),
        fc.constantFrom('', '\ufeff'),
        async (lines, end, mark) => {
          const text = mark + ['a,b,c', ...lines].join('\n').replaceAll('\n', end);
          const found = (async () => {
            const list: unknown[] = [];
            for await (const some of records(fileOf('.csv', text), () => false)) list.push(...some);
            return list;
          })().catch(() => 'refused');
          let expected: unknown = 'refused';
          try {
            const all = parse(text, options) as unknown as { record: string[]; info: { lines: number } }[];
            expected = all
              .filter(({ record }) => record.length > 1 || record[0] !== '')
              .map(({ record, info }) => ({ fields: record, line: info.lines }));
            read++;
          } catch {}
          expect(await found).toEqual(expected);
        },
      ),
      { numRuns: 3000 },
    );
    expect(read).toBeGreaterThan(1000);
  });
});

it('records go on from chunk to chunk, and from plain lines to others', async () => {
  const fieldsOf = (t: number) => [`é "${t}"`, `${'b'.repeat(t % 40)},`, t === 90_000 ? 'one\nmore' : `${t}`];
  const count = 100_000;
  const text = Array.from({ length: count }, (_, t) =>
    fieldsOf(t)
      .map((field) => `"${field.replaceAll('"', '""')}"`)
      .join(','),
  ).join('\n');
  const odd: number[] = [];
  let read = 0;
  for await (const some of records(fileOf('.csv', text), () => false))
    for (const { fields, line } of some) {
      const t = read++;
      // The line that a record ends on, from 1; one has two.
      if (fields.join('|') !== fieldsOf(t).join('|') || line !== t + 1 + (t >= 90_000 ? 1 : 0)) odd.push(t);
    }
  expect([read, odd]).toEqual([count, []]);
});

describe('a table with quoted fields', () => {
  const contentOf = ({ matrix, labels, names, lineOf }: Table) => {
    const { rows, columns, values, shape } = matrix as Triples;
    return { rows: [...rows], columns: [...columns], values: [...values], shape, labels, names, last: lineOf?.(0) };
  };
  // Of several errors the reader of records, which is ahead, may say a later one.
  const refused = () => 'refused';
  // csv-parse takes tabs and the like around a field for spaces, the bytes' parser for part of it.
  const label = fc.string({
    unit: fc.constantFrom('a', 'b', '7', ' ', ',', '"', '""', '\n', 'é', ';'),
    maxLength: 5,
  });
  const quotedOf = (text: string) => `"${text.replaceAll('"', '""')}"`;
  /** As it stands, in quotes as they are written, or in quotes that do not care. */
  const field = fc
    .tuple(label, fc.nat(9), fc.constantFrom('', '', ' ', '  '), fc.constantFrom('', '', ' '))
    .map(([text, how, before, after]) => {
      const bare = text.replaceAll(/["\n]/g, '') || 'x';
      return before + (how < 3 ? bare : how < 6 ? quotedOf(bare) : how < 9 ? quotedOf(text) : `"${text}"`) + after;
    });
  const number = fc.tuple(fc.nat(99), fc.boolean()).map(([x, isQuoted]) => (isQuoted ? `"${x / 8}"` : `${x / 8}`));
  const line = fc.tuple(field, field, number).map((fields) => fields.join(','));

  it('is that of its records, whichever parser understands it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 4 }),
        fc.constantFrom('', 'u,i,r', '"u","i","r"', 'u,"i",r', '"u ""v""",i,r', '"u",i,"r,s"'),
        fc.constantFrom('\n', '\r\n'),
        async (lines, header, end) => {
          const path = fileOf('.csv', [...(header ? [header] : []), ...lines, ''].join(end));
          const collector = new CsvCollector(path, {});
          const expected = (async () => {
            for await (const some of records(path, (fields, at) => collector.isComment(fields, at)))
              for (const { fields, line } of some) collector.takeFields(fields, line);
            return contentOf(collector.table());
          })().catch(refused);
          const found = readLineByLine(path, {}).then(contentOf).catch(refused);
          expect(await found).toEqual(await expected);
        },
      ),
      { numRuns: 1500 },
    );
  });
});
