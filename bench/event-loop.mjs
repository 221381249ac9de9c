/**
 * Delay of the host's event loop while a session fits 10 million observations, preparation included, beside the delay of
 * the same process at idle: bench/results/event-loop.json.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openSession } from '../dist/src/index.js';
import { record, spread } from './record.mjs';
import { ratings } from './synthetic.mjs';

const A = ratings({ rows: 70_000, columns: 10_000, observed: 10_000_000, seed: 10 });
const session = openSession({ threads: 2 });
await session.factorize(ratings({ rows: 400, columns: 200, observed: 12_000, seed: 1 }), { rank: 2, inline: 'never' });

const measure = async (work) => {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  await work();
  histogram.disable();
  return { p99: histogram.percentile(99) / 1e6, max: histogram.max / 1e6 };
};
const idle = () => new Promise((resolve) => setTimeout(resolve, 3000));
const fit = () => session.factorize(A, { rank: 16, lambda: 0.05, lambdaScale: 'count', maxSweeps: 5, inline: 'never' });

const rounds = [];
for (let round = 0; round < 5; round++) rounds.push({ idle: await measure(idle), fit: await measure(fit) });
await session.close();
const above = (key) => spread(rounds.map((round) => round.fit[key] - round.idle[key]));
const result = { p99AboveIdle: above('p99'), maxAboveIdle: above('max') };
console.log(
  `above idle: p99 ${result.p99AboveIdle.median.toFixed(1)} ms, max ${result.maxAboveIdle.median.toFixed(1)} ms`,
);
record('event-loop', {
  what: 'milliseconds, 10 M observations, 70k×10k, rank 16, 5 sweeps, 2 threads',
  ...result,
  rounds,
});
