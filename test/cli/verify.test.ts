import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FactorizeOptions, factorize, Model } from '../../dist/src/index.js';
import { problem, sqrtWeights, triples } from '../helpers/problem.js';
import { failureOf, run, temporaryFolder } from './run.js';

const folder = temporaryFolder();
afterAll(folder.remove);
const at = (name: string) => join(folder.path, name);
const cli = (...args: string[]) => run(['verify', ...args], folder.path);

const of = problem({ m: 15, n: 9, density: 0.7, isWeighted: true, noise: 0.3, seed: 9 });
const labels = {
  rows: Array.from({ length: of.m }, (_, i) => `row ${i}`),
  columns: Array.from({ length: of.n }, (_, j) => `column ${j}`),
};
const options: FactorizeOptions = { rank: 2, lambda: 0.5, biases: 'both', dtype: 'f64', labels, threads: 1 };

function write(name: string, lines: readonly string[]): void {
  writeFileSync(at(name), `${['row,column,value,w', ...lines].join('\n')}\n`);
}

beforeAll(async () => {
  const lines = of.entries.map(
    ({ row, column, value, weight }) => `${labels.rows[row]},${labels.columns[column]},${value},${weight}`,
  );
  write('A.csv', lines);
  write('shuffled.csv', lines.toReversed());
  write('changed.csv', [`${lines[0]?.split(',').slice(0, 2).join(',')},7,1`, ...lines.slice(1)]);
  const model = await factorize(triples(of), { ...options, weights: sqrtWeights(of) });
  await model.save(at('model'));
  const { U, V, biases, fit } = model;
  const forge = (name: string, change: Partial<typeof fit>) =>
    new Model({ U, V, biases, labels, fit: { ...fit, ...change } }).save(at(name));
  await forge('forged', { objective: 0.99 * fit.objective });
  await forge('saddle', { certificate: { ...fit.certificate, curvature: 'saddle' } });
  await model.save(at('broken'));
  const bytes = readFileSync(at('broken/V.npy'));
  bytes.writeUInt8((bytes.at(-1) as number) ^ 1, bytes.length - 1);
  writeFileSync(at('broken/V.npy'), bytes);
});

describe('hadamard verify', () => {
  test('finds every claim of a sound model true, from its files in any order', async () => {
    const { code, stdout } = await cli('model', 'shuffled.csv', '--weights-are', 'sqrt');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}claim +said +found +agrees$/m);
    expect(stdout).toMatch(/^ {2}files +as saved +as saved +yes$/m);
    expect(stdout).toMatch(/^ {2}certificate\.globalBound +[\d.]+ +[\d.]+ +yes$/m);
    expect(stdout).toMatch(/^ {2}certificate\.curvature +minimum +minimum +yes$/m);
    expect(stdout).toMatch(/^certificate\.monotone, sweeps, trace: of the way to the factors/m);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(stdout).not.toContain('NO');
    expect(stdout).toMatch(/All \d+ claims that were computed again agree/);
  });

  test('finds other data, a forged objective and a changed file, and exits with 4', async () => {
    const wrong = async (model: string, data: string) => {
      const { code, stdout } = await cli(model, data, '--weights-are', 'sqrt', '--json');
      expect(code).toBe(4);
      const { schema, agrees, claims } = JSON.parse(stdout);
      expect({ schema, agrees }).toEqual({ schema: 1, agrees: false });
      return claims.filter((claim: { agrees: boolean | null }) => claim.agrees === false);
    };
    expect(await wrong('model', 'changed.csv')).toContainEqual(expect.objectContaining({ claim: 'loss' }));
    expect(await wrong('forged', 'A.csv')).toMatchObject([{ claim: 'objective' }]);
    expect(await wrong('saddle', 'A.csv')).toMatchObject([
      { claim: 'certificate.curvature', said: 'saddle', found: 'minimum' },
    ]);
    expect(await wrong('broken', 'A.csv')).toMatchObject([
      { claim: 'files', found: 'changed', note: expect.stringContaining('V.npy') },
    ]);
    expect((await cli('forged', 'A.csv', '--weights-are', 'sqrt')).stdout).toMatch(/^ {2}objective .* NO$/m);
  });

  test('refuses what is no model, and data that is not of the model', async () => {
    const missing = await cli('nowhere', 'A.csv', '--json');
    expect(missing).toMatchObject({ code: 2, stdout: '' });
    expect(failureOf(missing)).toMatchObject({ code: 'not-found' });
    writeFileSync(at('other.mtx'), '%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1 1\n');
    expect(failureOf(await cli('model', 'other.mtx', '--json'))).toMatchObject({ code: 'shape-mismatch' });
  });
});
