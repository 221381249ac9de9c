/** Which columns of a CSV are read where nobody named them: by position, or by the names of the file it belongs to. */
import { describe, expect, it } from 'vitest';
import { type ReadRequest, readTable } from '../../dist/src/formats/readTable.js';
import { entriesOf, failure, fileOf } from './files.js';

const read = async (text: string, request: ReadRequest = {}) =>
  entriesOf(await readTable(fileOf('.csv', text), request));
const refused = (text: string, request: ReadRequest = {}) => failure(readTable(fileOf('.csv', text), request));

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
