/** A 1000×500 problem of 50k observations, k = 10, 20 sweeps: warm in this process, and as a cold process: bench/results/small.json. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { factorize } from '../dist/src/index.js';
import { record, spread } from './record.mjs';
import { ratings } from './synthetic.mjs';

const A = ratings({ rows: 1000, columns: 500, observed: 50_000, seed: 3 });
const options = { rank: 10, lambda: 0.05, lambdaScale: 'count', maxSweeps: 20, tolerance: 0 };
const timed = async (work) => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};

for (let i = 0; i < 5; i++) await factorize(A, options);
const warm = [];
const plain = [];
for (let i = 0; i < 9; i++) {
  warm.push(await timed(() => factorize(A, options)));
  plain.push(await timed(() => factorize(A, { ...options, acceleration: 'none' })));
}

const folder = mkdtempSync(join(tmpdir(), 'hadamard-bench-'));
const file = join(folder, 'ratings.csv');
const lines = [];
for (let i = 0; i < 1000; i++)
  for (let t = A.rowPointers[i]; t < A.rowPointers[i + 1]; t++) lines.push(`${i},${A.columnIndices[t]},${A.values[t]}`);
writeFileSync(file, lines.join('\n'));
const bin = fileURLToPath(new URL('../dist/bundle/command/main.js', import.meta.url));
const flags = '--rank 10 --lambda 0.05 --lambda-scale count --max-sweeps 20 --tolerance 0 --json --quiet'.split(' ');
const cold = [];
for (let i = 0; i < 9; i++)
  cold.push(await timed(async () => execFileSync(process.execPath, [bin, 'fit', file, ...flags])));
rmSync(folder, { recursive: true });

const result = { warm: spread(warm), warmUnaccelerated: spread(plain), coldProcess: spread(cold) };
for (const [name, { median }] of Object.entries(result)) console.log(name.padEnd(18), `${median.toFixed(1)} ms`);
record('small', { what: 'milliseconds, 1000×500, 50,000 observations, rank 10, 20 sweeps', ...result });
