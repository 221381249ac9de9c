/** Which columns of a CSV are row, column, value and weight: those named, by position, or by the names of the file it belongs to. */
import { describe, expect, it } from 'vitest';
import { type ReadRequest, readTable } from '../../dist/src/formats/readTable.js';
import { entriesOf, failure, fileOf } from './files.js';

const read = async (text: string, request: ReadRequest = {}) =>
  entriesOf(await readTable(fileOf('.csv', text), request));
const refused = (text: string, request: ReadRequest = {}) => failure(readTable(fileOf('.csv', text), request));

describe('--columns', () => {
  const text = 'time,rating,item,user,w\n9,1,x,a,0.5\n8,2,y,b,0.25\n';

  it('names columns in any order', async () => {
    const table = await readTable(fileOf('.csv', text), { columns: ['user', 'item', 'rating'] });
    expect(entriesOf(table)).toEqual([
      ['a', 'x', 1],
      ['b', 'y', 2],
    ]);
    expect(table.notes).toEqual([expect.stringMatching(/ignored "time", "w"\.$/)]);
  });

  it('names four with weights', async () => {
    expect(await read(text, { columns: ['user', 'item', 'rating', 'w'], weights: true })).toEqual([
      ['a', 'x', 1, 0.5],
      ['b', 'y', 2, 0.25],
    ]);
  });

  it.each([
    ['without a header', ''],
    ['with one', 't,r,i,u\n'],
  ])('counts from 1 %s', async (_, header) => {
    expect(await read(`${header}9,1,x,a\n8,2,y,b\n`, { columns: ['4', '3', '2'] })).toEqual([
      ['a', 'x', 1],
      ['b', 'y', 2],
    ]);
  });

  it('leaves a fourth column out of a headerless file, without a note', async () => {
    const table = await readTable(fileOf('.tsv', '1\t2\t3\t881250949\n'), { columns: ['1', '2', '3'] });
    expect(entriesOf(table)).toEqual([['1', '2', 3]]);
    expect(table.notes).toEqual([]);
  });

  it('counts also where a number stands in the first line', async () => {
    expect(await read('3,1,2\n2,3,1\n', { columns: ['1', '2', '3'] })).toEqual([
      ['3', '1', 2],
      ['2', '3', 1],
    ]);
    expect(await read('196\t242\t3\t881250949\n', { columns: ['1', '2', '3'] })).toEqual([['196', '242', 3]]);
  });

  it('names a column in quotes', async () => {
    expect(await read('"user, id",item,rating\na,x,5\n', { columns: ['user, id', 'item', 'rating'] })).toEqual([
      ['a', 'x', 5],
    ]);
  });

  it('refuses a missing name and lists what is there', async () => {
    const error = await refused(text, { columns: ['user', 'item', 'score'] });
    expect(error).toMatchObject({ code: 'malformed-file', position: { line: 1 } });
    expect(error.message).toContain('"score"');
    expect(error.message).toContain('"rating"');
  });

  it('gives the line of the header, comments counted', async () => {
    const error = await refused(`# one\n\n${text}`, { columns: ['user', 'item', 'score'] });
    expect(error.position.line).toBe(3);
  });

  it('refuses a number beyond the last', async () => {
    expect(await refused('1,2,3\n', { columns: ['1', '2', '4'] })).toMatchObject({ code: 'malformed-file' });
  });

  it('refuses two names and the same name twice', async () => {
    expect(await refused(text, { columns: ['user', 'item'] })).toMatchObject({
      code: 'invalid-option',
      position: { option: 'columns' },
    });
    expect(await refused(text, { columns: ['user', 'user', 'rating'] })).toMatchObject({
      code: 'invalid-option',
      position: { option: 'columns' },
    });
  });

  it('refuses a fourth name without --weights-are, and three with it', async () => {
    const error = await refused(text, { columns: ['user', 'item', 'rating', 'w'] });
    expect(error).toMatchObject({ code: 'ambiguous-weights', position: { option: 'columns' } });
    expect(error.remedy).toContain('--weights-are');
    expect(await refused(text, { columns: ['user', 'item', 'rating'], weights: true })).toMatchObject({
      code: 'invalid-option',
    });
  });
});

describe('a fourth column', () => {
  it('is refused without a header and an instruction', async () => {
    const error = await refused('a,x,1,0.5\nb,y,2,0.5\n');
    expect(error).toMatchObject({ code: 'ambiguous-weights', position: { line: 1 }, rule: expect.any(String) });
    expect(error.remedy).toContain('--weights-are');
    expect(error.remedy).toContain('--columns');
  });

  it.each(['weight', 'W', 'sigma', 'sqrt_weight', 'std'])('is refused where the header calls it %s', async (name) => {
    const error = await refused(`user,item,rating,${name}\na,x,1,0.5\n`);
    expect(error).toMatchObject({ code: 'ambiguous-weights', position: { line: 1 } });
    expect(error.remedy).toContain('--weights-are');
  });

  it('is a weight with the instruction, with a header or without', async () => {
    for (const header of ['', 'user,item,rating,w\n'])
      expect(await read(`${header}a,x,1,0.5\nb,y,2,0\n`, { weights: true })).toEqual([
        ['a', 'x', 1, 0.5],
        ['b', 'y', 2, 0],
      ]);
  });

  it('must be there with the instruction', async () => {
    const error = await refused('a,x,1\n', { weights: true });
    expect(error).toMatchObject({ code: 'malformed-file', position: { line: 1 } });
    expect(error.message).toContain('weight');
  });

  it('may be there or not where it is optional', async () => {
    expect(await read('a,x,1\n', { weights: 'optional' })).toEqual([['a', 'x', 1]]);
    expect(await read('a,x,1,2\n', { weights: 'optional' })).toEqual([['a', 'x', 1, 2]]);
    const columns = ['u', 'i', 'r', 'w'];
    expect(await read('u,i,r\na,x,1\n', { weights: 'optional', columns })).toEqual([['a', 'x', 1]]);
    expect(await read('u,i,r,w\na,x,1,2\n', { weights: 'optional', columns })).toEqual([['a', 'x', 1, 2]]);
  });

  it('may be there or not where it is optional and named by number', async () => {
    const columns = ['1', '2', '3', '4'];
    expect(await read('a,x,1,2\n', { weights: 'optional', columns })).toEqual([['a', 'x', 1, 2]]);
    expect(await read('a,x,1\n', { weights: 'optional', columns })).toEqual([['a', 'x', 1]]);
    // A value that happens to be 4 is no column named 4.
    expect(await read('a,x,4\n', { weights: 'optional', columns })).toEqual([['a', 'x', 4]]);
  });

  it('is checked as a number', async () => {
    expect(await refused('a,x,1,2\nb,y,1,inf\n', { weights: true })).toMatchObject({
      code: 'invalid-weight',
      position: { line: 2 },
    });
    expect(await refused('a,x,1,2\nb,y,1,heavy\n', { weights: true })).toMatchObject({
      code: 'malformed-file',
      position: { line: 2 },
    });
  });
});

describe('more columns than are read by position', () => {
  it.each([
    ['user,item,timestamp,rating\na,x,99,1\n', {}, '--columns user,item,timestamp '],
    ['user,item,rating,weight\na,x,1,2\n', {}, '--weights-are'],
    ['sample,a,b,c,d,e,f,g\ns1,1,2,3,4,5,6,7\n', {}, '--table'],
    ['a,x,1,0.5\n', {}, '--columns 1,2,3 '],
    ['user,item,rating,w,time,place\na,x,1,2,99,here\n', { weights: true }, '--columns user,item,rating,w '],
  ])('are refused: %j', async (text, request, remedy) => {
    const error = await refused(text, request);
    expect(error).toMatchObject({ code: 'ambiguous-weights', position: { line: 1 }, rule: expect.any(String) });
    expect(error.remedy).toContain(remedy);
    expect(error.remedy).toContain('--table');
  });
});

describe('a file that belongs to another with a header', () => {
  it('tells its names', async () => {
    expect((await readTable(fileOf('.csv', 'user,item,rating\na,x,1\n'))).names).toEqual(['user', 'item', 'rating']);
    expect((await readTable(fileOf('.csv', 'a,x,1\n'))).names).toBeUndefined();
  });

  it('is read by the names of row and column, in any order; the value is the column left', async () => {
    const like = ['user', 'item'];
    expect(await read('w,item,user\n0.5,x,a\n', { like })).toEqual([['a', 'x', 0.5]]);
    expect(await read('item,user,rating,w\nx,a,3,0.5\n', { like: [...like, 'rating'] })).toEqual([['a', 'x', 3]]);
    expect(await read('w,item,user,rating\n0.5,x,a,3\n', { like: [...like, 'rating'], weights: 'optional' })).toEqual([
      ['a', 'x', 3, 0.5],
    ]);
  });

  it('is read by position where it has other names or none', async () => {
    expect(await read('u,i,w\na,x,0.5\n', { like: ['user', 'item'] })).toEqual([['a', 'x', 0.5]]);
    expect(await read('a,x,0.5\n', { like: ['user', 'item'] })).toEqual([['a', 'x', 0.5]]);
  });

  it('is refused where two columns are left', async () => {
    expect(await refused('user,item,rating,w\na,x,1,2\n', { like: ['user', 'item'] })).toMatchObject({
      code: 'ambiguous-weights',
      position: { line: 1 },
      remedy: expect.any(String),
    });
  });
});
