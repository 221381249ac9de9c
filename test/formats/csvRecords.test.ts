/** CSV through csv-parse: records, their lines, and what comes before the first. */
import { describe, expect, it } from 'vitest';
import { records } from '../../dist/src/formats/csvRecords.js';
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
