/** The text of CSV triples: delimiters, quotes, labels, line ends, comments, the header, and lines that are none of it. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Triples } from '../../dist/src/data/input.js';
import { type ReadRequest, readTable } from '../../dist/src/formats/readTable.js';
import { entriesOf, failure, fileOf } from './files.js';

const read = async (text: string, request: ReadRequest = {}, ending = '.csv') =>
  entriesOf(await readTable(fileOf(ending, text), request));
const refused = (text: string, request: ReadRequest = {}, ending = '.csv') =>
  failure(readTable(fileOf(ending, text), request));

describe('delimiters', () => {
  it.each([
    ['comma', 'a,x,1\nb,y,2.5\n'],
    ['semicolon', 'a;x;1\nb;y;2.5\n'],
    ['tab', 'a\tx\t1\nb\ty\t2.5\n'],
    ['space', 'a x 1\nb y 2.5\n'],
    ['several spaces', '  a   x    1 \nb  y 2.5\n'],
    ['double colon', 'a::x::1\nb::y::2.5\n'],
    ['comma and spaces', 'a , x ,1 \n b,y , 2.5\n'],
    ['CRLF', 'a,x,1\r\nb,y,2.5\r\n'],
    ['no newline at the end', 'a,x,1\nb,y,2.5'],
    ['a byte order mark', '\ufeffa,x,1\nb,y,2.5\n'],
    ['a byte order mark and quotes', '\ufeff"a",x,1\nb,y,2.5\n'],
    ['blank lines', '\n\r\na,x,1\n\n   \nb,y,2.5\n\n'],
    ['a line of spaces first', '   \na,x,1\nb,y,2.5\n'],
    ['blank lines and quotes', '\n"a",x,1\n\n   \nb,y,2.5\n\n'],
    ['comments first', '# made by\n% someone, who; said "so"\na,x,1\nb,y,2.5\n'],
    ['comments first and quotes', '# made by\n# someone, who; said "so"\n"a",x,1\nb,y,2.5\n'],
    ['quotes from the second line on', 'a,x,1\n"b",y,2.5\n'],
    ['quotes and spaces between', '"a" x 1\nb  y 2.5\n'],
  ])('%s', async (_, text) => {
    expect(await read(text)).toEqual([
      ['a', 'x', 1],
      ['b', 'y', 2.5],
    ]);
  });

  it('takes a single colon for part of a label between double ones', async () => {
    expect(await read('a:b::c::3\n1::x:1::5\n2:::y::6\n')).toEqual([
      ['a:b', 'c', 3],
      ['1', 'x:1', 5],
      // As text.split('::') parts it.
      ['2', ':y', 6],
    ]);
  });

  it('takes the delimiter that makes three fields of the first line', async () => {
    expect(await read('a;b,c,3\nd,e,4\n')).toEqual([
      ['a;b', 'c', 3],
      ['d', 'e', 4],
    ]);
    expect(await read('a::b,c,3\nd,e::f,4\n')).toEqual([
      ['a::b', 'c', 3],
      ['d', 'e::f', 4],
    ]);
  });

  it('sees no delimiter within quotes', async () => {
    expect(await read('"a;b;c","d\te\tf",3\ng,h,4\n')).toEqual([
      ['a;b;c', 'd\te\tf', 3],
      ['g', 'h', 4],
    ]);
    expect(await read('"line\nof; two","d ""x"" e",3\ng,h,4\n')).toEqual([
      ['line\nof; two', 'd "x" e', 3],
      ['g', 'h', 4],
    ]);
  });
});

describe('labels', () => {
  it('are of any kind, in order of first appearance', async () => {
    const table = await readTable(fileOf('.csv', '7,é ü,1\n007,日本,2\n7,"a, ""b""",3\n-1,é ü,4\n'));
    expect(table.labels).toEqual({ rows: ['7', '007', '-1'], columns: ['é ü', '日本', 'a, "b"'] });
    const { rows, columns, values, shape } = table.matrix as Triples;
    expect([...rows]).toEqual([0, 1, 0, 2]);
    expect([...columns]).toEqual([0, 1, 2, 0]);
    expect([...values]).toEqual([1, 2, 3, 4]);
    expect(shape).toEqual([3, 3]);
  });

  it('are the same in quotes and without', async () => {
    expect(await read('a,x,1\n"a",y,2\n"b",x,3\nb,"x y",4\n')).toEqual([
      ['a', 'x', 1],
      ['a', 'y', 2],
      ['b', 'x', 3],
      ['b', 'x y', 4],
    ]);
  });

  it('keep the spaces within quotes', async () => {
    const { labels } = await readTable(fileOf('.csv', '" a ",x,1\na,x,2\n'));
    expect(labels?.rows).toEqual([' a ', 'a']);
  });
});

describe('header', () => {
  it('is a first line whose value is no number', async () => {
    const table = await readTable(fileOf('.csv', 'user,item,rating\na,x,1\n'));
    expect(entriesOf(table)).toEqual([['a', 'x', 1]]);
    expect(table.notes).toEqual([]);
  });

  it('is none where the value is a number', async () => {
    expect(await read('user,item,3\na,x,1\n')).toEqual([
      ['user', 'item', 3],
      ['a', 'x', 1],
    ]);
  });

  it.each(['4..5', '5 stars', '+3x', '.5.', '$5', '-', '?', 'NA', 'n/a', 'null', '2,5'])(
    'is none where the value is a bad one: %s',
    async (value) => {
      expect(await refused(`u1;i1;${value}\nu2;i2;3\n`)).toMatchObject({
        code: 'malformed-file',
        position: { line: 1 },
      });
    },
  );

  it.each(['nan', 'NaN', 'inf', '-Infinity'])('is none where the value is %s: that is an error', async (value) => {
    expect(await refused(`a,x,${value}\nb,y,2\n`)).toMatchObject({ code: 'invalid-value', position: { line: 1 } });
  });

  it('is none where the value is missing: that is an error', async () => {
    expect(await refused('a,x,\nb,y,2\n')).toMatchObject({ code: 'malformed-file', position: { line: 1 } });
  });

  it('has columns that are not named ignored, in one sentence', async () => {
    const path = fileOf('.csv', 'user,item,rating,time,title\na,x,1,999,"t, u"\nb,y,2,998,v\n');
    const table = await readTable(path, { columns: ['user', 'item', 'rating'] });
    expect(entriesOf(table)).toEqual([
      ['a', 'x', 1],
      ['b', 'y', 2],
    ]);
    expect(table.notes).toHaveLength(1);
    expect(table.notes[0]).toMatch(/ignored "time", "title"\.$/);
    expect(table.weights).toBeUndefined();
  });

  it('may have quoted text over several lines in an ignored column', async () => {
    const columns = ['user', 'item', 'rating'];
    expect(await read('user,item,rating,review\na,x,1,"good\nb,y,9,bad"\nc,z,2,plain\n', { columns })).toEqual([
      ['a', 'x', 1],
      ['c', 'z', 2],
    ]);
  });
});

describe('malformed lines', () => {
  it.each([
    ['a field missing', 'a,x,1\nb,y\n', 2],
    ['a field missing in the last line', 'a,x,1\nb,y,2\nc', 3],
    ['a field missing after blank lines', 'a,x,1\n\n\nb,y\n', 4],
    ['a field missing after a header', 'u,i,r\na,x\n', 2],
    ['a field missing, spaces', 'a x 1\nb y\n', 2],
    ['a field missing, double colons', 'a::x::1\nb::y\n', 2],
    ['a field missing, quotes', '"a",x,1\n"b",y\n', 2],
    ['an empty row', 'a,x,1\n,y,2\n', 2],
    ['an empty column', 'a,x,1\nb, ,2\n', 2],
    ['an empty row in quotes', 'a,x,1\n"",y,2\n', 2],
    ['an empty value', 'a,x,1\nb,y,\n', 2],
    ['an empty value, CRLF', 'a,x,1\r\nb,y,\r\n', 2],
    ['a value that is a word', 'a,x,1\nb,y,good\n', 2],
    ['a decimal comma', 'a;x;1\nb;y;2,5\n', 2],
    ['one field too many', 'a,x,1\nb,y,2,5\n', 2],
    ['one field too many, quotes', '"a",x,1\nb,y,2,5\n', 2],
    ['one field too many, spaces', 'a x 1\nb y 2 5\n', 2],
    ['a header in the middle', 'u,i,r\na,x,1\nu,i,r\n', 3],
    ['a quote that is never closed', 'a,x,1\nb,"y,2\n', undefined],
    ['a quote within a field', 'a,x,1\nb,y"z,2\n', 2],
    ['text after a quote', 'a,x,1\n"b"c,y,2\n', 2],
    ['an empty file', '', undefined],
    ['blank lines only', '\n\n  \n', undefined],
    ['comments only', '# a\n', undefined],
    ['a header only', 'user,item,rating\n', undefined],
    ['one field', 'a\n', 1],
    ['two fields', 'a,b\n', 1],
    ['two fields after comments', '# by, of, for\n\na,b\n', 3],
  ])('%s', async (_, text, line) => {
    const error = await refused(text);
    expect(error.code).toMatch(/^(malformed-file|invalid-value)$/);
    expect(error.position.file).toMatch(/\.csv$/);
    if (line !== undefined) {
      expect(error.position.line).toBe(line);
      expect(error.message).toMatch(/\bline\b/i);
    }
    expect(error.rule, 'rule').toBeTruthy();
    expect(error.remedy, 'remedy').toBeTruthy();
  });

  it.each([
    ['NaN', 'nan'],
    ['NaN', '-NaN'],
    ['infinity', 'inf'],
    ['infinity', '-Infinity'],
    ['overflow', '1e999'],
  ])('refuses %s as a value: %s', async (_, value) => {
    for (const head of ['a,x,1\n', 'a,x,1\n"b",x,1\n']) {
      const error = await refused(`${head}b,y,${value}\n`);
      expect(error).toMatchObject({ code: 'invalid-value', rule: expect.any(String), remedy: expect.any(String) });
      expect(error.position.line).toBe(head.split('\n').length);
      expect(error.what).toContain(value);
    }
  });

  it('gives the field, counted from 1 as --columns counts, quotes or none', async () => {
    const fieldOf = async (text: string, request?: object) => (await refused(text, request)).position.field;
    expect(await fieldOf('a,x,1\nb,y,z\n')).toBe(3);
    expect(await fieldOf('a,x,1\n"b",y,z\n')).toBe(3);
    expect(await fieldOf('1,a,x\nz,b,y\n', { columns: ['2', '3', '1'] })).toBe(1);
    expect(await fieldOf('row,p,q\na,1,z\n', { table: true })).toBe(3);
    expect(await fieldOf('a,x,1,2\nb,y,1,z\n', { extra: '4', columns: ['1', '2', '3'] })).toBe(4);
  });

  it('gives the line in a .gz too', async () => {
    const error = await failure(readTable(fileOf('.csv.gz', gzipSync('a,x,1\nb,y\n'))));
    expect(error).toMatchObject({ code: 'malformed-file', position: { line: 2 } });
  });
});

describe('lines that begin with # or %', () => {
  it('are entries where they hold a value, quotes or none', async () => {
    const entries = [
      ['#1', 'a', 5],
      ['#2', 'b', 3],
      ['z', 'a', 1],
    ];
    for (const text of ['#1,a,5\n#2,b,3\nz,a,1\n', '#1,"a",5\n#2,b,3\n"z",a,1\n']) {
      const table = await readTable(fileOf('.csv', text));
      expect(entriesOf(table)).toEqual(entries);
      expect(table.notes).toEqual([]);
    }
    expect(await read('%1 a 5\nz a 1\n')).toEqual([
      ['%1', 'a', 5],
      ['z', 'a', 1],
    ]);
    expect(await read('#5,%a,9\n', { columns: ['2', '3', '1'] }).catch(() => 'refused')).toBe('refused');
    expect(await read('#u,9,%a,5\n', { columns: ['1', '3', '4'] })).toEqual([['#u', '%a', 5]]);
  });

  it.each([
    ['one', '# by me, at home, today\na,x,1\n', /: line 1 begins with # or %: taken as a comment\.$/],
    ['sizes', '% sym weighted\n% 3 4 5\na x 1\n', /: 2 lines up to line 2 begin/],
    ['before quotes', '# user,item,rating\n\n% b\n"a",x,1\n', /: 2 lines up to line 3 begin/],
  ])('are comments where they do not, which is said: %s', async (_, text, note) => {
    const table = await readTable(fileOf('.csv', text));
    expect(entriesOf(table)).toEqual([['a', 'x', 1]]);
    expect(table.notes).toEqual([expect.stringMatching(note)]);
  });

  it('are the header where they hold the columns asked for', async () => {
    const columns = ['#user', 'item', 'rating'];
    expect(await read('# made by me\n#user,item,rating,time\n#1,x,4,9\n', { columns })).toEqual([['#1', 'x', 4]]);
  });

  it('are entries once there was one', async () => {
    expect(await read('u,i,r\n#1,a,5\n')).toEqual([['#1', 'a', 5]]);
    expect(await refused('a,x,1\n# the end\n')).toMatchObject({ code: 'malformed-file', position: { line: 2 } });
  });
});
