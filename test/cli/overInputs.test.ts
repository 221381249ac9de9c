/** No command writes over what it reads, by whatever path. */
import { linkSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sampleModel } from '../model/sample.js';
import { failureOf, run, temporaryFolder } from './run.js';

const folder = temporaryFolder();
afterAll(folder.remove);
const at = (name: string) => join(folder.path, name);
const cli = (...args: string[]) => run(args, folder.path);

const pairs = 'row,column,value\na,w,1\nb,x,2\n';
const table = 'row,w,x,y,z\na,1,,2,3\nb,2,1,,1\n';

beforeAll(async () => {
  await sampleModel({ labels: { rows: [...'abcde'], columns: [...'wxyz'] } }).save(at('model'));
  writeFileSync(at('pairs.csv'), pairs);
  writeFileSync(at('table.csv'), table);
  symlinkSync(at('pairs.csv'), at('link.csv'));
  linkSync(at('table.csv'), at('same-table.csv'));
});

test.each([
  ['predict', ['predict', at('model'), at('pairs.csv'), '--out', at('pairs.csv')], 'out'],
  ['a link', ['predict', at('model'), at('pairs.csv'), '--out', at('link.csv')], 'out'],
  ['recommend', ['recommend', at('model'), '--all', '--exclude', at('pairs.csv'), '--out', at('link.csv')], 'out'],
  ['impute', ['impute', at('table.csv'), '--model', at('model'), '--out', at('same-table.csv')], 'out'],
  ['fit --report', ['fit', at('pairs.csv'), '--rank', '1', '--report', at('pairs.csv')], 'report'],
  ['several files', ['fit', at('pair?.csv'), '--rank', '1', '--report', at('link.csv')], 'report'],
  ['convert', ['convert', at('link.csv'), at('pairs.csv')], 'out'],
])('%s is refused before any work', async (_, args, option) => {
  const ended = await cli(...args, '--json');
  expect(ended).toMatchObject({ code: 2, stdout: '' });
  expect(failureOf(ended)).toMatchObject({ code: 'output-refused', position: { option } });
  expect(readFileSync(at('pairs.csv'), 'utf8')).toBe(pairs);
  expect(readFileSync(at('table.csv'), 'utf8')).toBe(table);
});

test('another file is replaced, and so is a model', async () => {
  writeFileSync(at('out.csv'), 'older');
  expect(await cli('predict', at('model'), at('pairs.csv'), '--out', at('out.csv'))).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('out.csv: 2 predictions written.\n'),
  });
  expect(readFileSync(at('out.csv'), 'utf8')).toMatch(/^row,column,prediction\n/);
  expect((await cli('update', at('model'), at('table.csv'), '--table', '--out', at('model'))).code).toBe(0);
});
