/**
 * Large ranks, k = 128, 256 and 512: sweeps and seconds to the objective that exact ALS comes to (f64, every row by its matrix), plus
 * 0.1 %: of als, of block ALS and, for the implicit form, of conjugate gradients (3 steps a half-sweep: implicit's, from the same V):
 * bench/results/block.json. Processor seconds stand beside wall seconds: a machine that is shared says little by the latter.
 *
 *     node bench/block.mjs [--rows 2000 --columns 500 --observed 180000 --ranks 128,256,512 --forms explicit,implicit]
 *         [--python <python with implicit>]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import ndarray from 'ndarray';
import { writeNpy } from '../dist/src/formats/npy.js';
import { factorize } from '../dist/src/index.js';
import { earlier, record } from './record.mjs';
import { generator, ratings } from './synthetic.mjs';

const { values: asked } = parseArgs({
  options: {
    rows: { type: 'string', default: '2000' },
    columns: { type: 'string', default: '500' },
    observed: { type: 'string', default: '180000' },
    ranks: { type: 'string', default: '128,256,512' },
    forms: { type: 'string', default: 'explicit,implicit' },
    python: { type: 'string' },
  },
});
const size = { rows: Number(asked.rows), columns: Number(asked.columns), observed: Number(asked.observed) };
const explicit = ratings({ ...size, seed: 20 });
const implicit = { ...explicit, values: new Float32Array(size.observed).fill(1) };
/** Counts of 1 to 5 as confidences. */
const weight = Float32Array.from(explicit.values, (value) => 1 + Math.min(4, Math.max(0, Math.round(value) - 1)));
const ridge = 5;
const forms = {
  explicit: { A: explicit, options: { lambda: 0.05, lambdaScale: 'count' } },
  implicit: { A: implicit, options: { lambda: ridge, background: 1, weights: { weight } } },
};
/** Sweeps of exact ALS that make the target, and what the others may take. */
const sweeps = { exact: 14, others: 25 };
const closeness = 1e-3;

/** Objective, wall and processor seconds after each sweep. */
async function course(A, options) {
  const way = [];
  const cpu = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  let began;
  await factorize(A, {
    tolerance: 0,
    threads: 2,
    certificate: 'first-order',
    ...options,
    onProgress: ({ phase, objective, seconds }) => {
      began ??= { cpu: cpu() };
      if (phase === 'sweep') way.push({ seconds, cpu: cpu() - began.cpu, objective });
    },
  });
  return way;
}

function conjugateGradients(rank, V) {
  if (!asked.python) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'block-'));
  try {
    const write = (name, values, shape) => writeNpy(join(folder, `${name}.npy`), values, shape);
    return Promise.all([
      write('V', V, [size.columns, rank]),
      write('pointers', Float64Array.from(implicit.rowPointers), [size.rows + 1]),
      write('indices', Float64Array.from(implicit.columnIndices), [size.observed]),
      write('confidence', weight, [size.observed]),
    ]).then(() => {
      const script = new URL('./block.py', import.meta.url).pathname;
      const args = [script, folder, String(rank), String(ridge), String(sweeps.others)];
      const env = { ...process.env, OPENBLAS_NUM_THREADS: '1' };
      const steps = JSON.parse(execFileSync(asked.python, args, { encoding: 'utf8', env }));
      const sum = { seconds: 0, cpu: 0 };
      return steps.map((step) => {
        sum.seconds += step.seconds;
        sum.cpu += step.cpu;
        return { ...sum, objective: step.objective };
      });
    });
  } finally {
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  }
}

/** Sweeps and seconds to an objective. */
function reach(way, target) {
  const at = way.findIndex(({ objective }) => objective <= target);
  const perSweep = way.at(-1).cpu / way.length;
  return at < 0
    ? { sweeps: null, missedBy: way.at(-1).objective / target - 1, perSweep }
    : { sweeps: at + 1, seconds: way[at].seconds, cpu: way[at].cpu, perSweep };
}

const results = earlier('block');
for (const form of asked.forms.split(','))
  for (const rank of asked.ranks.split(',').map(Number)) {
    const { A, options } = forms[form];
    const random = generator(rank);
    const V = Float32Array.from({ length: size.columns * rank }, () => (random() - 0.5) / Math.sqrt(rank));
    const common = { rank, ...options, init: { V: ndarray(V, [size.columns, rank]) } };
    const exact = await course(A, { ...common, method: 'als', dtype: 'f64', maxSweeps: sweeps.exact });
    const target = exact.at(-1).objective * (1 + closeness);
    const ways = {
      'als, exact in f64': exact,
      als: await course(A, { ...common, method: 'als', maxSweeps: sweeps.others }),
      'block-als': await course(A, { ...common, method: 'block-als', maxSweeps: sweeps.others }),
    };
    const cg = form === 'implicit' ? await conjugateGradients(rank, V) : undefined;
    if (cg) ways['conjugate gradients'] = cg;
    const reached = Object.fromEntries(Object.entries(ways).map(([name, way]) => [name, reach(way, target)]));
    const kept = results.findIndex((r) => r.form === form && r.rank === rank && r.rows === size.rows);
    if (kept >= 0) results.splice(kept, 1);
    results.push({ form, rank, ...size, target, reached });
    for (const [name, { sweeps: count, seconds, cpu, missedBy, perSweep }] of Object.entries(reached))
      console.log(
        `${form} k=${rank} ${name}: ${count === null ? `not in ${ways[name].length} sweeps, ${(100 * missedBy).toFixed(2)} % above` : `${count} sweeps, ${seconds.toFixed(1)} s, ${cpu.toFixed(1)} processor seconds`} (${perSweep.toFixed(2)} a sweep)`,
      );
    record('block', {
      what: `to the objective of ${sweeps.als} sweeps of als + ${100 * closeness} %, f32, 2 threads, λ ${forms.explicit.options.lambda} by count (explicit), background 1 and λ ${ridge} (implicit)`,
      results,
    });
  }
