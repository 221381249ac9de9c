/** CSV through csv-parse: records, their lines, and what comes before the first. */
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
    for await (const { fields, line } of records(fileOf('.csv', text), () => true)) list.push([line, ...fields]);
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
    for await (const { fields } of records(fileOf('.csv', '# a, "b,c"\n\n%d,"e",f\n#g,h,i\n'), isComment))
      given.push(fields);
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

describe('a table with quoted fields', () => {
  const contentOf = ({ matrix, labels, names, lineOf }: Table) => {
    const { rows, columns, values, shape } = matrix as Triples;
    return { rows: [...rows], columns: [...columns], values: [...values], shape, labels, names, last: lineOf?.(0) };
  };
  // Of several errors csv-parse, which is ahead, may say a later one.
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

  it('is that of csv-parse, whichever parser understands it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 4 }),
        fc.constantFrom('', 'u,i,r', '"u","i","r"', 'u,"i",r', '"u ""v""",i,r', '"u",i,"r,s"'),
        fc.constantFrom('\n', '\r\n'),
        async (lines, header, end) => {
          const path = fileOf('.csv', [...(header ? [header] : []), ...lines, ''].join(end));
          const collector = new CsvCollector(path, {});
          const expected = (async () => {
            for await (const { fields, line } of records(path, (fields, at) => collector.isComment(fields, at)))
              collector.takeFields(fields, line);
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
