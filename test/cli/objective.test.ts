/** Objectives on the command line: presets, backgrounds, constraints, held columns and species rules. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { factorize, loadModel } from '../../dist/src/index.js';
import { failureOf, run } from './run.js';

let folder: string;
const at = (name: string) => join(folder, name);
const cli = (...args: readonly string[]) => run(args, folder);
const species = ['Benzene', 'Toluene', 'Ethane', 'Total'];
const samples = Array.from({ length: 12 }, (_, i) => `s${i}`);
const value = (i: number, j: number) => 1 + ((i * 7 + j * 5) % 11) / 3;
const cells = (of: (i: number, j: number) => number) =>
  [['sample', ...species], ...samples.map((label, i) => [label, ...species.map((_, j) => of(i, j))])]
    .map((line) => line.join(','))
    .join('\n');

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hadamard-objective-'));
  writeFileSync(at('A.csv'), `${cells(value)}\n`);
  writeFileSync(at('s.csv'), `${cells((i, j) => 0.2 + ((i + j) % 3) / 10)}\n`);
  writeFileSync(at('plays.csv'), 'user,item,count\nann,x,3\nann,y,1\nbob,y,2\ncid,z,5\ncid,x,1\n');
  writeFileSync(at('r.csv'), 'user,weight\ncid,0.3\nann,0.1\nbob,0.2\n');
  writeFileSync(at('c.csv'), 'item,weight\nx,1\ny,2\nz,0.5\n');
  writeFileSync(
    at('profile.csv'),
    `species,known\n${species.map((name, j) => `${name},${j === 3 ? '' : 0.25}`).join('\n')}\n`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

async function fit(...args: string[]) {
  const ended = await cli('fit', ...args, '--json', '--quiet', '--threads', '1');
  return { ...ended, said: ended.code === 0 || ended.code === 3 ? JSON.parse(ended.stdout) : undefined };
}
const table = () => [at('A.csv'), '--table', '--weights', at('s.csv'), '--weights-are', 'sigma', '--rank', '2'];
const plays = () => [at('plays.csv'), '--columns', 'user,item,count', '--rank', '1'];

test('preset pmf reports Q, the largest row residual and its options', async () => {
  const { said } = await fit(...table(), '--preset', 'pmf', '--max-sweeps', '50');
  expect(said).toMatchObject({ preset: 'pmf', options: { nonnegative: 'both', loss: 'quadratic', preset: 'pmf' } });
  expect(said.q.true).toBeCloseTo(said.objective, 6);
  expect(said.q.expected).toBe(12 * 4 - 2 * (12 + 4));
  expect(said.q.robust).toBeLessThanOrEqual(said.q.true);
  expect(said.certificate.kkt).toBeGreaterThanOrEqual(0);
});

test('species rules change the uncertainties', async () => {
  const rules = ['--weak', 'Benzene', '--bad', 'Ethane', '--total', 'Total', '--extra-uncertainty', '0.1'];
  const plain = await fit(...table(), '--preset', 'pmf', '--max-sweeps', '20');
  const { said } = await fit(...table(), '--preset', 'pmf', '--max-sweeps', '20', ...rules);
  expect(said.observed).toBe(plain.said.observed - samples.length);
  expect(said.q.true).toBeLessThan(plain.said.q.true);
  expect(failureOf(await cli('fit', ...table(), '--weak', 'Lead', '--json'))).toMatchObject({ code: 'not-found' });
  expect(failureOf(await cli('fit', ...plays(), '--weak', 'x', '--json'))).toMatchObject({ code: 'invalid-option' });
});

test('a background of one number and of two lists, matched by label, is the one of the library', async () => {
  const A = { rows: [0, 0, 1, 2, 2], columns: [0, 1, 1, 2, 0], values: [3, 1, 2, 5, 1] };
  const triples = {
    rows: Uint32Array.from(A.rows),
    columns: Uint32Array.from(A.columns),
    values: Float64Array.from(A.values),
    shape: [3, 3] as const,
  };
  const options = { rank: 1, lambda: 0.1, threads: 1, maxSweeps: 9, tolerance: 0 };
  const flags = ['--lambda', '0.1', '--max-sweeps', '9', '--tolerance', '0'];
  const one = await fit(...plays(), ...flags, '--background-weight', '0.5', '--background-value', '0.2');
  expect(one.said.digest).toBe(
    (await factorize(triples, { ...options, background: { weight: 0.5, value: 0.2 } })).fit.digest,
  );
  const two = await fit(...plays(), ...flags, '--background-rows', at('r.csv'), '--background-columns', at('c.csv'));
  const weight = { rows: [0.1, 0.2, 0.3], columns: [1, 2, 0.5] };
  expect(two.said.digest).toBe((await factorize(triples, { ...options, background: { weight } })).fit.digest);
  expect(two.said.options.background).toEqual({ weight: 'separable', value: 0 });
});

test('held columns stay, empty cells are free, and the canonical form is refused then', async () => {
  const flags = ['--lambda', '0.1', '--hold-columns', at('profile.csv'), '--max-sweeps', '5', '--out', at('held')];
  await fit(...table(), ...flags);
  const { V } = await loadModel(at('held'));
  expect([0, 1, 2].map((j) => V.get(j, 0))).toEqual([0.25, 0.25, 0.25]);
  expect(V.get(3, 0)).not.toBe(0.25);
  const refused = await cli('fit', ...table(), ...flags, '--canonical', '--json');
  expect(failureOf(refused)).toMatchObject({ code: 'incompatible-options' });
});

test('--canonical writes the three arrays beside the factors', async () => {
  await fit(...table(), '--max-sweeps', '5', '--canonical', '--out', at('canonical'));
  for (const name of ['U.npy', 'd.npy', 'V.npy'])
    expect(readFileSync(join(at('canonical'), 'canonical', name)).length).toBeGreaterThan(64);
  expect((await loadModel(at('canonical'))).rank).toBe(2);
});

test('losses, constraints, L1, ν and other tools go by their flags', async () => {
  const runs: [string[], object][] = [
    [['--loss', 'huber:1.5:raw'], { loss: 'huber:1.5:raw' }],
    [['--loss', 'poisson', '--nonnegative'], { loss: 'poisson', nonnegative: 'both' }],
    [
      ['--l1', '0.1', '--lambda-rows', '0.2', '--lambda-columns', '0.3', '--lambda-scale', 'count', '--nu', '0.5'],
      { l1: 0.1, lambdaRows: 0.2, lambdaColumns: 0.3, nu: 0.5 },
    ],
    [['--nonnegative', 'rows', '--free-columns', '1'], { nonnegative: 'rows', freeColumns: 1 }],
  ];
  for (const [flags, options] of runs) expect((await fit(...table(), ...flags)).said.options).toMatchObject(options);
  const { said } = await fit(...plays(), '--like', 'implicit', '--alpha', '2', '--lambda', '0.1');
  expect(said.options).toMatchObject({ like: 'implicit', alpha: 2, background: { weight: 1, value: 0 } });
});

describe('bad values', () => {
  test.each([
    [['--loss', 'huber'], 'invalid-option', 'loss'],
    [['--loss', 'huber:0'], 'invalid-option', 'loss'],
    [['--background-weight', '-1'], 'invalid-option', 'backgroundWeight'],
    [['--background-value', '1'], 'invalid-option', 'backgroundValue'],
    [['--background-rows', 'c.csv'], 'not-found', undefined],
    [['--preset', 'nonsense'], 'invalid-option', 'preset'],
    [['--lambda-rows', '1'], 'scale-unbounded', 'lambda'],
    [['--loss', 'l1', '--background-weight', '1'], 'incompatible-options', 'background'],
  ] as const)('%j', async (flags, code, option) => {
    const given = flags.map((flag) => (flag.endsWith('.csv') ? at(flag) : flag));
    const ended = await cli('fit', ...plays(), ...given, '--json');
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(failureOf(ended)).toMatchObject({ code, position: option ? { option } : {} });
  });

  test('a profile wider than the rank', async () => {
    writeFileSync(at('wide.csv'), `species,a,b,c\n${species.map((name) => `${name},1,2,3`).join('\n')}\n`);
    const ended = await cli('fit', ...table(), '--hold-columns', at('wide.csv'), '--json');
    expect(failureOf(ended)).toMatchObject({ code: 'shape-mismatch', position: { option: 'holdColumns' } });
  });
});
