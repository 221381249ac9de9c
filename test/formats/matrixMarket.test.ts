/** Matrix Market: what is taken, and what is refused with its line before anything of the size announced is made. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Triples } from '../../dist/src/data/input.js';
import { readTable } from '../../dist/src/formats/readTable.js';
import { fileOf, golden, refused } from './files.js';

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
