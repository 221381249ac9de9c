/** What every benchmark record carries, and how its samples are summed up. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

export function machine() {
  return {
    cpu: cpus()[0]?.model.trim(),
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    v8: process.versions.v8,
  };
}

export function commit() {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

/** Median, minimum and maximum of samples. */
export function spread(samples) {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted.at(-1), samples };
}

/** The results of an earlier record, for those that are not measured this time. */
export function earlier(name) {
  try {
    return JSON.parse(readFileSync(new URL(`./results/${name}.json`, import.meta.url), 'utf8')).results;
  } catch {
    return [];
  }
}

/** Writes bench/results/<name>.json. */
export function record(name, content) {
  const folder = new URL('./results/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  const head = { bench: name, date: new Date().toISOString().slice(0, 10), commit: commit(), machine: machine() };
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify({ ...head, ...content }, null, 2)}\n`);
}
