/** Text is UTF-8: what is none is refused, not decoded to labels that are one. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readTable } from '../../dist/src/formats/readTable.js';
import { writeTable } from '../../dist/src/formats/writeTable.js';
import { fileOf, pathOf, refused } from './files.js';

describe('bytes that are no UTF-8', () => {
  it.each([
    ['.csv', Buffer.from('u,i,r\n"\xe9",b,2\n"\xea",c,4\n', 'latin1'), 2],
    // As Latin-1 the first row would have the name of the second.
    ['.csv', Buffer.from('r,c,v\n\xc3\xa9\xed,y,2\n\xc3\x83\xc2\xa9\xc3\xad,y,3\n', 'latin1'), 2],
    ['.csv', Buffer.from('r,c,v\na,x,1\na,\xe9,2\n', 'latin1'), 3],
    ['.csv', Buffer.from('r\xe9,c,v\na,x,1\n', 'latin1'), 1],
    ['.jsonl', Buffer.from('{"u":"a","i":"b","r":1}\n{"u":"\xe9","i":"b","r":2}\n', 'latin1'), 2],
  ])('in CSV or JSON are refused, or two labels would be one: %s', async (ending, content, line) => {
    const error = await refused(ending, content);
    expect([error.code, error.position.line]).toEqual(['malformed-file', line]);
  });

  it.each(['.parquet', '.arrow'])('are no label in %s', async (ending) => {
    const sound = pathOf(ending);
    const matrix = { rows: Uint32Array.of(0, 1), columns: Uint32Array.of(0, 0), values: Float64Array.of(1, 2) };
    const labels = { rows: ['same', 'zzzz'], columns: ['x'] };
    await writeTable(sound, { matrix: { ...matrix, shape: [2, 1] }, labels, notes: [] });
    const bytes = readFileSync(sound).toString('latin1').replaceAll('zzzz', 'z\xe9\xea\xff');
    const error = await refused(ending, Buffer.from(bytes, 'latin1'));
    expect(error).toMatchObject({ code: 'malformed-file', what: expect.stringContaining('no UTF-8') });
    expect(error.position).toMatchObject({ record: 2 });
  });

  it('nor is half a surrogate pair in JSON', async () => {
    const lines = ['{"u":"a","i":"x","r":1}', '{"u":"\\ud800","i":"x","r":2}', '{"u":"\\udc00","i":"x","r":3}'];
    const error = await refused('.jsonl', lines.join('\n'));
    expect(error).toMatchObject({
      code: 'malformed-file',
      what: 'Line 2 has a label with a lone surrogate, which is no text.',
    });
    const { labels } = await readTable(fileOf('.jsonl', '{"u":"\\ud83d\\ude00","i":"x","r":1}'));
    expect(labels?.rows).toEqual(['\u{1f600}']);
  });

  it('are not what U+FFFD of a sound file is', async () => {
    const { labels } = await readTable(fileOf('.csv', 'r,c,v\n\ufffd,x,1\n\ufffda,x,2\n'));
    expect(labels?.rows).toEqual(['\ufffd', '\ufffda']);
  });
});
