/** A fit of npm's libmf, a scalar build of LIBMF, by a job as peers.py takes it: one call for each point. */
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { load } from './sets.mjs';

const job = JSON.parse(process.argv[2]);
const path = createRequire(`${job.packages}/`).resolve('libmf');
const { Matrix, Model } = await import(pathToFileURL(path).href);
const { rows, columns, values } = load(job.folder, 'train');
const data = new Matrix();
for (let t = 0; t < values.length; t++) data.push(rows[t], columns[t], values[t]);

/** The rows are arrays of their own. */
const joined = (rows) => Buffer.concat(rows.map((row) => new Uint8Array(row.buffer, row.byteOffset, row.byteLength)));

for (const step of job.steps) {
  const model = new Model({
    factors: job.k,
    threads: job.threads,
    iterations: step,
    lambdaP2: job.lambda,
    lambdaQ2: job.lambda,
    quiet: true,
  });
  const cpu = process.cpuUsage();
  const began = performance.now();
  model.fit(data);
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  if (job.out) {
    writeFileSync(`${job.out}.${step}.U`, joined(model.p()));
    writeFileSync(`${job.out}.${step}.V`, joined(model.q()));
  }
  model.destroy();
  console.log(JSON.stringify({ step, seconds, cpuSeconds: (user + system) / 1e6 }));
}
