/** CSV of many columns, long fields and quotes that are never closed. */
import { describe, expect, it } from 'vitest';
import { type ReadRequest, readTable } from '../../dist/src/formats/readTable.js';
import { entriesOf, failure, fileOf } from './files.js';

const read = async (text: string, request: ReadRequest = {}) =>
  entriesOf(await readTable(fileOf('.csv', text), request));
const refused = (text: string, request: ReadRequest = {}) => failure(readTable(fileOf('.csv', text), request));

describe('sizes', () => {
  const first = Array.from({ length: 80 }, (_, c) => `c${c + 1}`).join();
  const line = (end: string) => `${Array.from({ length: 80 }, (_, c) => `v${c + 1}`).join()}${end}\n`;

  it('of any number of columns', async () => {
    const text = `${first},r\n${line(',1')}`;
    expect(await read(text, { columns: ['c66', 'c2', 'r'] })).toEqual([['v66', 'v2', 1]]);
    expect(await read(text.replace('v2', '"v2"'), { columns: ['c66', 'c2', 'r'] })).toEqual([['v66', 'v2', 1]]);
    const error = await refused(text, { columns: ['c1', 'c2', 'c70'] });
    expect(error.what).toBe('Line 2 has "v70" where a number should be.');
  });

  it('of a bad field are cut short in the message', async () => {
    for (const value of ['x'.repeat(900_000), '1'.repeat(900_000).concat('x'), '9'.repeat(900_000)]) {
      const error = await refused(`a,x,1\nb,y,${value}\n`);
      expect(error.position.line).toBe(2);
      expect(error.message.length).toBeLessThan(300);
      expect(error.what).toContain('…"');
    }
    expect((await refused(`${'long '.repeat(1e5)}\n`)).message.length).toBeLessThan(1500);
  });

  it.each([
    ['a label', `a,x,1\n${'b'.repeat(1.1e6)},y,2\n`],
    ['a value', `a,x,1\nb,y,${'2'.repeat(1.1e6)}\n`],
    ['a label in quotes', `a,x,1\n"${'b'.repeat(1.1e6)}",y,2\n`],
  ])('of %s beyond a mebibyte are refused', async (_, text) => {
    const error = await refused(text);
    expect(error).toMatchObject({ code: 'malformed-file', position: { line: 2 } });
    expect(error.what).toContain('longer than 1 MiB');
  });

  // Steps that grow as the square of the lines would not end within the time a test has.
  it('of what follows an open quote cost no time', async () => {
    expect((await refused(`"a,x,1\n${'b,y,2\n'.repeat(400_000)}`)).code).toBe('malformed-file');
  });
});
