import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadModel } from '../../dist/src/model/load.js';
import { Model } from '../../dist/src/model/model.js';
import { real } from '../../dist/src/report/format.js';
import { failureOf, run, temporaryFolder } from './run.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder.path, name);
const cli = (...args: string[]) => run(args, folder.path);
const page = (name: string) => readFileSync(at(name), 'utf8');
const write = (name: string, lines: string[]) => writeFileSync(at(name), `${lines.join('\n')}\n`);
/** What the page says of all residuals. */
const residuals = (html: string) => /<p>z = [^<]*/.exec(html)?.[0];

const entries = Array.from({ length: 12 * 9 }, (_, t) => [Math.floor(t / 9), t % 9] as const).filter(
  ([i, j]) => (i + 2 * j) % 3 !== 0,
);
const line = ([i, j]: readonly [number, number], sigma = true) =>
  `u${i},item ${j},${((i + 1) * (j + 2) * 0.1 + Math.sin(i * 7 + j * 3)).toFixed(3)}${sigma ? `,${0.5 + ((i * 5 + j * 11) % 7) / 4}` : ''}`;

beforeAll(async () => {
  write(
    'A.csv',
    entries.map((entry) => line(entry)),
  );
  write(
    'other-order.csv',
    [...entries].reverse().map((entry) => line(entry)),
  );
  write(
    'counts.csv',
    entries.map((entry) => line(entry, false).replace(/,-/, ',')),
  );
  write('stranger.csv', ['nobody,nothing,1,1']);
  await cli('fit', 'A.csv', '--weights-are', 'sigma', '--rank', '2', '--out', 'model', '--report', 'fit.html');
});
afterAll(folder.remove);

describe('report', () => {
  test('writes the page that fit --report writes', async () => {
    const ended = await cli('report', 'model', 'A.csv', '--weights-are', 'sigma', '--out', 'report.html');
    expect(ended).toEqual({
      code: 0,
      stdout: '',
      stderr: expect.stringMatching(/^report\.html: a page of .* written\.\n$/),
    });
    expect(page('report.html')).toBe(page('fit.html'));
    expect(residuals(page('fit.html'))).toMatch(/of 72 observed entries/);
    expect(page('fit.html')).toContain('<bdi>A.csv</bdi></h1>');
  });

  test('of a fit shows the error on the entries of --test', async () => {
    write('rest.csv', ['u1,item 2,0.5', 'u3,item 4,1.5']);
    const given = ['fit', 'A.csv', '--weights-are', 'sigma', '--rank', '2', '--test', 'rest.csv', '--json'];
    const { rmse } = JSON.parse((await cli(...given, '--report', 'tested.html')).stdout);
    expect(page('tested.html')).toContain(
      `<dt>RMSE of the test</dt><dd>${real(rmse.test)}<small>2 entries</small></dd>`,
    );
    expect(page('fit.html')).not.toContain('RMSE of the test');
  });

  test('needs no data, and says without what the data is wanted for', async () => {
    const ended = await cli('report', 'model', '--out', 'alone.html', '--json');
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(ended.stdout)).toEqual({
      schema: 1,
      out: 'alone.html',
      bytes: Buffer.byteLength(page('alone.html')),
    });
    expect(residuals(page('alone.html'))).toBeUndefined();
  });

  test('matches data to the model by label', async () => {
    await cli('report', 'model', 'other-order.csv', '--weights-are', 'sigma', '--out', 'other.html');
    expect(residuals(page('other.html'))).toBe(residuals(page('fit.html')));
    const ended = await cli(
      'report',
      'model',
      'stranger.csv',
      '--weights-are',
      'sigma',
      '--out',
      'none.html',
      '--json',
    );
    expect(failureOf(ended)).toMatchObject({ code: 'not-found', position: { file: 'stranger.csv' } });
    expect(existsSync(at('none.html'))).toBe(false);
    writeFileSync(at('array.mtx'), '%%MatrixMarket matrix coordinate real general\n12 9 1\n1 1 1\n');
    const unnamed = await cli('report', 'model', 'array.mtx', '--out', 'none.html', '--json');
    expect(failureOf(unnamed)).toMatchObject({ code: 'shape-mismatch', position: { file: 'array.mtx' } });
  });

  test('leaves strangers out and says so', async () => {
    write('more.csv', [...entries.map((entry) => line(entry)), 'nobody,nothing,1,1']);
    const ended = await cli('report', 'model', 'more.csv', '--weights-are', 'sigma', '--out', 'more.html');
    expect(ended.stderr).toContain('more.csv: 1 entries name a row or column that the model does not have');
    expect(residuals(page('more.html'))).toBe(residuals(page('fit.html')));
  });

  test('sees the data as option like made it', async () => {
    const fitted = await cli(
      'fit',
      'counts.csv',
      '--like',
      'implicit',
      '--alpha',
      '2',
      '--lambda',
      '0.1',
      '--rank',
      '2',
      '--out',
      'implicit',
      '--report',
      'implicit.html',
      '--json',
    );
    expect(fitted.code).toBe(0);
    await cli('report', 'implicit', 'counts.csv', '--out', 'implicit-2.html');
    expect(page('implicit-2.html')).toBe(page('implicit.html'));
    // The largest residual of listed entries, of value 1 and W² = 2r, by hand.
    const model = await loadModel(at('implicit'));
    let largest = 0;
    for (const [i, j] of entries) {
      const r = Number(line([i, j], false).split(',')[2]?.replace('-', ''));
      const row = model.rowIndex(`u${i}`) as number;
      const z = Math.sqrt(2 * r) * ((r > 0 ? 1 : 0) - model.predict(row, model.columnIndex(`item ${j}`) as number));
      if (Math.abs(z) > Math.abs(largest)) largest = z;
    }
    expect(residuals(page('implicit.html'))).toContain(`the largest ${largest.toPrecision(3).replace('-', '−')}`);
  });

  test('weighs as the rules for species did that the fit was given', async () => {
    const { U, V, biases, labels, fit } = await loadModel(at('model'));
    const options = { weightsAre: 'sigma', bad: 'item 3' };
    await new Model({ U, V, biases, labels, fit, run: { command: 'fit', inputs: ['A.csv'], options } }).save(
      at('ruled'),
    );
    await cli('report', 'ruled', 'A.csv', '--weights-are', 'sigma', '--out', 'ruled.html');
    const left = entries.filter(([, j]) => j !== 3).length;
    expect(residuals(page('ruled.html'))).toContain(`of ${left} observed entries`);
    expect(page('ruled.html')).toContain('hadamard fit A.csv --weights-are sigma --bad &#39;item 3&#39;');
  });

  test('is told in words where its file cannot be written, before anything is read', async () => {
    mkdirSync(at('folder'));
    for (const out of ['', 'folder', 'nowhere/report.html']) {
      const ended = await cli('report', 'no-model', '--out', out, '--json');
      expect(ended).toMatchObject({ code: 2, stdout: '' });
      expect(failureOf(ended)).toMatchObject({
        code: out === '' ? 'invalid-option' : 'output-failed',
        position: { option: 'out' },
      });
    }
    const before = readdirSync(folder.path);
    const fit = await cli('fit', 'nowhere.csv', '--rank', '2', '--report', 'folder', '--json');
    expect(failureOf(fit)).toMatchObject({ code: 'output-failed', position: { option: 'report', file: 'folder' } });
    expect(readdirSync(folder.path)).toEqual(before);
  });

  test('asks what weights are', async () => {
    const ended = await cli('report', 'model', 'A.csv', '--weights', 'A.csv', '--out', 'x.html', '--json');
    expect(failureOf(ended)).toMatchObject({ code: 'ambiguous-weights' });
  });
});
