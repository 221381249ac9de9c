/** Lines across and beyond the chunks in which a file is read. */
import { execFileSync } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { eachChunk, eachLine } from '../../dist/src/formats/lines.js';
import { readTable } from '../../dist/src/formats/readTable.js';
import { entriesOf, failure, fileOf, pathOf } from './files.js';

const chunk = 2 ** 20;

async function linesOf(path: string): Promise<string[]> {
  const lines: string[] = [];
  await eachLine(path, (bytes, start, end, line) => {
    expect(line).toBe(lines.length + 1);
    lines.push(bytes.toString('utf8', start, end));
  });
  return lines;
}

describe('eachLine', () => {
  it.each([
    ['', []],
    ['\n', ['']],
    ['a', ['a']],
    ['a\n', ['a']],
    ['a\nb', ['a', 'b']],
    ['a\r\nb\r\n', ['a', 'b']],
    ['\r\n\n\r\n', ['', '', '']],
    ['a\rb\n', ['a\rb']],
    ['\ufeffa\n\ufeffb\n', ['a', '\ufeffb']],
    ['\ufeff', ['']],
    ['\ufeff\r\n', ['']],
  ])('%j', async (text, lines) => {
    expect(await linesOf(fileOf('.txt', text))).toEqual(lines);
    expect(await linesOf(fileOf('.txt.gz', gzipSync(text)))).toEqual(lines);
  });

  it.each([-3, -2, -1, 0, 1, 2])('a line end %d bytes from the end of a chunk', async (offset) => {
    for (const end of ['\n', '\r\n']) {
      const first = 'x'.repeat(chunk + offset - end.length);
      const text = `${first}${end}é2${end}${'y'.repeat(10)}${end}z`;
      const expected = [first, 'é2', 'y'.repeat(10), 'z'];
      expect((await linesOf(fileOf('.txt', text))).join('|') === expected.join('|')).toBe(true);
      expect((await linesOf(fileOf('.txt.gz', gzipSync(text)))).join('|') === expected.join('|')).toBe(true);
    }
  });

  it('lines longer than chunks, among short ones', async () => {
    const lines = ['a', 'b'.repeat(3 * chunk + 17), 'c', 'd'.repeat(chunk), '', 'e'.repeat(2 * chunk - 1)];
    const read = await linesOf(fileOf('.txt', lines.join('\n')));
    expect(read.map((line) => line.length)).toEqual(lines.map((line) => line.length));
    expect(read.join('\n') === lines.join('\n')).toBe(true);
  });

  it('refuses at once a line beyond 64 MiB, be it of a small .gz', async () => {
    const zeros = gzipSync(Buffer.alloc(400 * chunk));
    for (const [ending, request] of [
      ['.csv.gz', {}],
      ['.csv.gz', { table: true }],
      ['.mtx.gz', {}],
      ['.npy.gz', {}],
    ] as const) {
      const error = await failure(readTable(fileOf(ending, zeros), request));
      expect(error).toMatchObject({ code: 'malformed-file', rule: expect.any(String), remedy: expect.any(String) });
      expect(error.message.length).toBeLessThan(300);
    }
  });

  it.each(['fffe', 'feff'])('refuses UTF-16 (%s)', async (mark) => {
    const error = await failure(readTable(fileOf('.csv', Buffer.from(`${mark}61002c00`, 'hex'))));
    expect(error).toMatchObject({ code: 'malformed-file', rule: expect.any(String), remedy: expect.any(String) });
    expect(error.what).toContain('UTF-16');
  });

  it('ends with what the visitor throws, also within a .gz', async () => {
    const text = 'line\n'.repeat(500_000);
    for (const path of [fileOf('.txt', text), fileOf('.txt.gz', gzipSync(text))]) {
      let seen = 0;
      const stop = new Error('enough');
      const work = eachLine(path, () => {
        if (++seen === 3) throw stop;
      });
      await expect(work).rejects.toBe(stop);
      expect(seen).toBe(3);
    }
  });
});

describe('eachChunk', () => {
  it('gives all bytes in order', async () => {
    const bytes = Buffer.from(Array.from({ length: 3 * chunk + 5 }, (_, i) => (i * 31 + (i >> 8)) & 255));
    for (const path of [fileOf('.bin', bytes), fileOf('.bin.gz', gzipSync(bytes))]) {
      const chunks: Buffer[] = [];
      await eachChunk(path, (part) => chunks.push(Buffer.from(part)));
      expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    }
  });
});

describe.skipIf(process.platform === 'win32')('a pipe', () => {
  const piped = (ending: string, text: string): string => {
    const path = pathOf(ending);
    execFileSync('mkfifo', [path]);
    createWriteStream(path).end(text);
    return path;
  };

  it('is read as a file is, tables and what is beyond a chunk included', async () => {
    const lines = Array.from({ length: 150_000 }, (_, t) => `r${t % 991},${t % 89},${t / 8}`).join('\n');
    expect(entriesOf(await readTable(piped('.csv', lines))).length).toBe(150_000);
    const { labels } = await readTable(piped('.csv', 'id,a,b\n"x",1,\ny,,2\n'), { table: true });
    expect(labels).toEqual({ rows: ['x', 'y'], columns: ['a', 'b'] });
  });

  it('of quoted triples is read once, and refused where a quote is in quotes: that takes reading twice', async () => {
    expect((await readTable(piped('.csv', 'a,x,1\n"b, c",y,2\n'))).labels?.rows).toEqual(['a', 'b, c']);
    expect(await failure(readTable(piped('.csv', 'a,x,1\n"b""c",y,2\n')))).toMatchObject({
      code: 'unreadable-file',
      remedy: expect.any(String),
    });
  });
});

describe('CSV larger than a chunk', () => {
  const expected = Array.from({ length: 150_000 }, (_, t) => [`r${t % 991}`, `${t % 89}`, t / 8] as const);
  it.each([
    ['comma', ',', '\n'],
    ['CRLF', ',', '\r\n'],
    ['double colon', '::', '\n'],
    ['spaces', '  ', '\n'],
  ])('%s', async (_, delimiter, end) => {
    const text = expected.map((line) => line.join(delimiter)).join(end);
    for (const path of [fileOf('.csv', text), fileOf('.csv.gz', gzipSync(text))]) {
      const entries = entriesOf(await readTable(path));
      expect(entries.length).toBe(expected.length);
      // One comparison rather than 150,000: the first that differs.
      const differs = entries.findIndex((entry, t) => entry.join() !== expected[t]?.join());
      expect(differs).toBe(-1);
    }
  });

  it('begins again with csv-parse where a quote comes late', async () => {
    const text = `user,item,rating\n${expected.map((line) => line.join()).join('\n')}\n"last, one",0,1\n`;
    const entries = entriesOf(await readTable(fileOf('.csv', text)));
    expect(entries.length).toBe(expected.length + 1);
    expect(entries.findIndex((entry, t) => t < expected.length && entry.join() !== expected[t]?.join())).toBe(-1);
    expect(entries.at(-1)).toEqual(['last, one', '0', 1]);
  });

  it('gives the line of an error far in', async () => {
    const lines = expected.map((line) => line.join());
    lines[140_000] = 'r1,nothing';
    expect((await failure(readTable(fileOf('.csv', lines.join('\n'))))).position.line).toBe(140_001);
  });
});
