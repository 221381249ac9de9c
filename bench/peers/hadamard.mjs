/** Fits of hadamard by a job as peers.py takes it; `objective` names whose objective of implicit feedback is minimised. */
import { writeFileSync } from 'node:fs';
import { factorize } from '../../dist/src/index.js';
import { load } from './sets.mjs';

const job = JSON.parse(process.argv[2]);
const { rows, columns, values, shape } = load(job.folder, 'train');

/** What the objective makes of an entry r: its value, W² and the weight of what is not listed. */
const confidences = {
  implicit: { like: 'implicit', alpha: job.alpha },
  irspack: { like: 'irspack', alpha: job.alpha },
  cmfrec: { weights: { weight: values.map((r) => 1 + job.alpha * r) }, background: 1 },
};
const objective = job.kind === 'explicit' ? { lambdaScale: 'count' } : confidences[job.objective];
const A = { rows, columns, values: job.objective === 'cmfrec' ? values.map(() => 1) : values, shape };

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
