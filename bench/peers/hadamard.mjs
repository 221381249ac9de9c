/** Fits of hadamard by a job as peers.py takes it; `objective` names whose objective of implicit feedback is minimised. */
import { writeFileSync } from 'node:fs';
import { factorize } from '../../dist/bundle/index.js';
import { load } from './sets.mjs';

const job = JSON.parse(process.argv[2]);
const { rowPointers, columnIndices, values, shape } = compressed(load(job.folder, 'train'));

/** What the objective makes of an entry r: its value, W² and the weight of what is not listed. */
const confidences = {
  implicit: { like: 'implicit', alpha: job.alpha },
  irspack: { like: 'irspack', alpha: job.alpha },
  cmfrec: { weights: { weight: values.map((r) => 1 + job.alpha * r) }, background: 1 },
};
const objective = job.kind === 'explicit' ? { lambdaScale: 'count' } : confidences[job.objective];
const A = { rowPointers, columnIndices, values: job.objective === 'cmfrec' ? values.map(() => 1) : values, shape };

for (const step of job.steps) {
  const cpu = process.cpuUsage();
  const began = performance.now();
  const { U, V, fit } = await factorize(A, {
    rank: job.k,
    lambda: job.lambda,
    ...objective,
    ...(job.method && { method: job.method }),
    threads: job.threads,
    maxSweeps: step,
    tolerance: 0,
  });
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  if (job.out) {
    writeFileSync(`${job.out}.${step}.U`, Float32Array.from(U.data));
    writeFileSync(`${job.out}.${step}.V`, Float32Array.from(V.data));
  }
  console.log(JSON.stringify({ step, seconds, cpuSeconds: (user + system) / 1e6, digest: fit.digest }));
}

/** Sorted CSR, as the other tools are given: by column, then by row, each in the order of before. */
function compressed({ rows, columns, values, shape }) {
  const sorted = (order, keys, count) => {
    const pointers = new Uint32Array(count + 1);
    for (const key of keys) pointers[key + 1]++;
    for (let i = 0; i < count; i++) pointers[i + 1] += pointers[i];
    const cursor = pointers.slice();
    const placed = new Uint32Array(order.length);
    for (const t of order) placed[cursor[keys[t]]++] = t;
    return { pointers, placed };
  };
  const byColumn = sorted(
    rows.map((_, t) => t),
    columns,
    shape[1],
  ).placed;
  const { pointers, placed } = sorted(byColumn, rows, shape[0]);
  return {
    rowPointers: pointers,
    columnIndices: placed.map((t) => columns[t]),
    values: Float32Array.from(placed, (t) => values[t]),
    shape,
  };
}
