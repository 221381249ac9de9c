/** `hadamard uncertainty`, and standard errors on the command line. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { uniform } from '../helpers/random.js';
import { failureOf, run, temporaryFolder } from './run.js';

const folder = temporaryFolder();
afterAll(folder.remove);
const cli = (...args: string[]) => run(args, folder.path);
const given = ['--table', '--weights', 'sigma.csv', '--weights-are', 'sigma'];

beforeAll(async () => {
  const next = uniform(5);
  const profiles = [
    [5, 3, 0, 0, 1],
    [0, 1, 4, 3, 0],
  ];
  const rows = Array.from({ length: 24 }, (_, i) => {
    const u = [0.3 + 2 * next(), 0.3 + 2 * next()];
    const cells = [0, 1, 2, 3, 4].map((j) =>
      Math.max(
        0,
        u.reduce((sum, x, p) => sum + x * (profiles[p]?.[j] as number), 0.1 * (next() - 0.5)),
      ).toFixed(3),
    );
    return [`s${i}`, ...cells];
  });
  const text = (cell: (text: string) => string) =>
    `${[['', 'A', 'B', 'C', 'D', 'E'], ...rows.map(([name = '', ...cells]) => [name, ...cells.map(cell)])].map((r) => r.join(',')).join('\n')}\n`;
  writeFileSync(
    join(folder.path, 'conc.csv'),
    text((value) => value),
  );
  writeFileSync(
    join(folder.path, 'sigma.csv'),
    text(() => '0.05'),
  );
  writeFileSync(join(folder.path, 'pairs.csv'), 'row,column\ns1,B\ns2,new\n');
  expect((await cli('fit', 'conc.csv', ...given, '--preset', 'pmf', '--rank', '2', '--out', 'two')).code).toBe(0);
});

describe('hadamard uncertainty', () => {
  test('keeps what it finds with the model, where inspect and the page show it', async () => {
    const before = readFileSync(join(folder.path, 'two', 'V.npy'));
    const done = await cli(
      'uncertainty',
      'two',
      'conc.csv',
      ...given,
      '--bootstrap',
      '3',
      '--block-rows',
      '4',
      '--disp',
      '--species',
      'A',
      '--dqmax',
      '4',
      '--json',
    );
    expect(done).toMatchObject({ code: 0 });
    const found = JSON.parse(done.stdout);
    expect(found).toMatchObject({ schema: 1, bootstrap: { runs: 3, mapping: [expect.any(Array), expect.any(Array)] } });
    expect(found.displacement).toMatchObject({ levels: [4], columns: [0] });
    const [lower, profile, upper] = [found.displacement.lower, found.displacement.profiles, found.displacement.upper];
    const first = profile[0][0] > profile[1][0] ? 0 : 1;
    expect(lower[0][first][0]).toBeLessThan(profile[first][0]);
    expect(upper[0][first][0]).toBeGreaterThan(profile[first][0]);
    expect(readFileSync(join(folder.path, 'two', 'V.npy'))).toEqual(before);
    expect((await cli('inspect', 'two')).stdout).toMatch(/profiles +bootstrap: 3 runs/);
    const { stdout } = await cli('inspect', 'two', '--json');
    expect(JSON.parse(stdout).factorUncertainty.bootstrap).toEqual(found.bootstrap);
    expect((await cli('report', 'two', '--out', 'page.html')).code).toBe(0);
    expect(readFileSync(join(folder.path, 'page.html'), 'utf8')).toContain('Uncertainty of the profiles');
  }, 30_000);

  test('refuses what it cannot do', async () => {
    const nothing = await cli('uncertainty', 'two', 'conc.csv', '--json');
    expect(nothing.code).toBe(2);
    expect(failureOf(nothing)).toMatchObject({ code: 'invalid-option' });
    const unknown = await cli('uncertainty', 'two', 'conc.csv', ...given, '--disp', '--species', 'Z', '--json');
    expect(failureOf(unknown)).toMatchObject({ code: 'not-found' });
  });
});

test('fit --intervals says what it keeps, and predict gives bounds by it', async () => {
  const fitted = await cli(
    'fit',
    'conc.csv',
    ...given,
    '--rank',
    '2',
    '--intervals',
    '0.9',
    '--out',
    'certain',
    '--json',
  );
  expect(fitted.code).toBe(0);
  const { uncertainty } = JSON.parse(fitted.stdout);
  expect(uncertainty).toMatchObject({
    level: 0.9,
    kind: 'full',
    noise: 'weights',
    spread: 1,
    fittedDegrees: 24 * 2 + 5 * 2 - 4,
  });
  expect((await cli('inspect', 'certain')).stdout).toMatch(/uncertainty +reduced χ²/);
  const lines = async (...more: string[]) => {
    const { stdout, code } = await cli('predict', 'certain', 'pairs.csv', '--intervals', '0.9', ...more);
    expect(code).toBe(0);
    return stdout
      .trim()
      .split('\n')
      .map((line) => line.split(','));
  };
  const [head, mean, cold] = await lines();
  expect(head).toEqual(['row', 'column', 'prediction', 'standardError', 'lower', 'upper']);
  const [, , prediction, error, lower, upper] = (mean ?? []).map(Number);
  expect((lower as number) + (upper as number)).toBeCloseTo(2 * (prediction as number), 9);
  expect(cold).toEqual(['s2', 'new', '0', '', '', '']);
  const [, observation] = await lines('--of', 'observation');
  expect(Number(observation?.[3]) ** 2 - (error as number) ** 2).toBeCloseTo(0.05 ** 2, 9);
  const without = await cli('predict', 'two', 'pairs.csv', '--intervals', '0.9', '--json');
  expect(failureOf(without)).toMatchObject({ code: 'incompatible-options' });
});
