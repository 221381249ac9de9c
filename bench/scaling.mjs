/**
 * How the cost of a sweep grows with entries, rank and threads, on paper and measured: bench/results/scaling.json, and the
 * charts of docs/scaling.svg. f32, default arithmetic, λ 0.05 by count.
 *
 *     node bench/scaling.mjs [--series kernels,memory,phases,nnz,rank,threads,chart] [--only <parts of cases' names>]
 *
 * kernels, memory: the rates of each alone. phases: what one without work takes on 1 to 128 workers.
 * nnz, rank: seconds of a sweep with 2 threads, without extrapolation, beside costModel.mjs.
 * threads: with all defaults, 1 thread, 2 threads and each block by itself in turn; from these blocks sweeps on 1 to 128 threads, by
 * schedule.mjs, held against what was measured on 1 and 2.
 *
 * chart: what follows from the record, and its picture. What is not measured this time stays in the record.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { factorizeWith } from '../dist/src/factorize/factorize.js';
import { factorize } from '../dist/src/index.js';
import { phases } from '../dist/src/methods/phases.js';
import { gridSize } from '../dist/src/methods/sgdGrid.js';
import { bandwidth } from './bandwidth.mjs';
import { bytesOf, lengthsOf, secondsOf, workOf } from './costModel.mjs';
import { openBuild, timeKernels } from './kernelTimes.mjs';
import { earlier, record, spread } from './record.mjs';
import { draw } from './scalingChart.mjs';
import { emptyPhases, notingCrew, orders, simulate, typicalSweep } from './schedule.mjs';
import { movieLens20M, ratings } from './synthetic.mjs';

const { values: asked } = parseArgs({
  options: {
    series: { type: 'string', default: 'kernels,memory,phases,nnz,rank,threads,chart' },
    only: { type: 'string', default: '' },
  },
});

/** In the shapes of well-known sets: MovieLens 100k, 1M, 10M, 20M, Netflix. */
const sets = {
  '1e5': { rows: 943, columns: 1682, observed: 100_000, seed: 5 },
  '1e6': { rows: 6040, columns: 3706, observed: 1_000_000, seed: 6 },
  '1e7': { rows: 70_000, columns: 10_000, observed: 10_000_000, seed: 10 },
  '2e7': movieLens20M,
  '1e8': { rows: 480_000, columns: 18_000, observed: 100_000_000, seed: 8 },
  '2e8': { rows: 480_000, columns: 18_000, observed: 200_000_000, seed: 9 },
};
const made = new Map();
function data(set) {
  if (!made.has(set)) {
    made.clear();
    const A = ratings(sets[set]);
    made.set(set, { A, lengths: lengthsOf(A) });
  }
  return made.get(set);
}

/** `background` is als with every unlisted entry counting a little. */
const optionsOf = (method, rank) => ({
  rank,
  method: method === 'background' ? 'als' : method,
  ...(method === 'background' && { background: 0.1 }),
  lambda: 0.05,
  lambdaScale: 'count',
  tolerance: 0,
  certificate: 'first-order',
});

const processorSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** Seconds of each sweep but the first `skipped`, wall and processor's: others may be at work on the machine. */
async function sweeps(set, method, rank, { samples = 5, skipped = 1, ...options }) {
  const ends = [];
  await factorize(data(set).A, {
    ...optionsOf(method, rank),
    maxSweeps: samples + skipped,
    ...options,
    onProgress: ({ phase, seconds }) => {
      if (phase === 'sweep') ends.push({ wall: seconds, processor: processorSeconds() });
    },
  });
  const differences = (of) => ends.slice(skipped).map((end, i) => end[of] - ends[i + skipped - 1][of]);
  return { ...spread(differences('wall')), processor: spread(differences('processor')).median };
}

/** An assumption: a server's memory, eight channels of DDR4-3200. */
const serverBytesPerSecond = 200e9;

/** One round trip, and for each more worker what the coordinator itself has to do for it: workers begin side by side. */
function phaseSeconds(threads) {
  const { roundTrip, coordinator } = results.emptyPhase[1];
  return roundTrip + Math.max(0, results.emptyPhase[threads].coordinator - coordinator);
}

/** What follows from blocks measured here, phases and memory measured there: seconds on so many threads, and what would help. */
function settle(row) {
  const { predicted, waitingIf, bytes } = row;
  for (const [threads, part] of Object.entries(predicted)) {
    part.starting = row.phases.length * phaseSeconds(threads);
    part.seconds = part.work + part.waiting + part.serial + part.starting;
    part.efficiency = predicted[1].seconds / threads / part.seconds;
  }
  const { work, waiting, serial, starting } = predicted[64];
  const efficiency = (seconds) => predicted[1].seconds / 64 / seconds;
  row.efficiencyIf = {
    longestFirst: efficiency(work + waitingIf.longestFirst + serial + starting),
    finerBlocks: efficiency(work + waitingIf.finer + serial + starting),
    coordinatorShared: efficiency(work + waiting + serial / 64 + starting),
    phasesAtOneRoundTrip: efficiency(work + waiting + serial + predicted[1].starting),
    both: efficiency(work + waiting + serial / 64 + predicted[1].starting),
  };
  const threadsAt = (traffic) => (serverBytesPerSecond * predicted[1].seconds) / traffic;
  row.threadsOfBandwidth = { noRowKept: threadsAt(bytes.most), allKept: threadsAt(bytes.least) };
  // Processor seconds on 1 thread, since others may be at work on the machine.
  row.off = [predicted[1].seconds / row.seconds[1].processor - 1, predicted[2].seconds / row.seconds[2].median - 1];
}

const results = { gigaflops: {}, bytesPerSecond: {}, emptyPhase: {}, nnz: [], rank: [], threads: [] };
Object.assign(results, earlier('scaling'));

const isAsked = (row) => asked.only.split(',').some((part) => caseName(row).includes(part));
const caseName = ({ set, method, rank }) => `${set} ${method} ${rank}`;
function save() {
  for (const row of results.threads) settle(row);
  for (const { paper } of [...results.nnz, ...results.rank]) paper.kernelSeconds = secondsOf(paper.work, rate);
  record('scaling', { what: 'seconds of a sweep, f32, strict, λ 0.05 by count; see bench/scaling.mjs', results });
}
function keep(series, row) {
  const at = results[series].findIndex((each) => caseName(each) === caseName(row));
  if (at < 0) results[series].push(row);
  else results[series][at] = row;
  save();
}

const ranks = [8, 16, 32, 64, 128, 256, 512];
const threadCounts = [1, 2, 4, 8, 16, 32, 64, 128];

/** Operations a second of a kernel alone. */
const rate = (kernel, width) => {
  const [, name, bits] = /^(\D+)(64)?$/.exec(kernel);
  return results.gigaflops[bits ? 'f64' : 'f32'][width][name] * 1e9;
};

function onPaper(set, method, rank) {
  const { A, lengths } = data(set);
  const [rows, columns] = A.shape;
  const work = workOf[method](lengths, rank);
  const bands = gridSize({ counts: { rows, columns }, observed: A.values.length, rank, stride: rank });
  return { work, bytes: bytesOf(method, lengths, rank, bands), kernelSeconds: secondsOf(work, rate) };
}

/** Those that costModel.mjs counts by. */
const kernels = { f32: ['accumulate', 'factorAndSolve', 'loss', 'gradient'], f64: ['accumulate'] };

/** The best of several, and of those in the record: what else the machine does only takes from a rate. */
async function measureKernels() {
  const build = await openBuild('reproducible');
  for (let i = 0; i < 7; i++)
    for (const [dtype, names] of Object.entries(kernels))
      for (const rank of ranks) {
        const times = timeKernels(build, dtype, rank, false, names);
        const best = results.gigaflops[dtype]?.[rank];
        const better = names.map((kernel) => [kernel, Math.max(best?.[kernel] ?? 0, times[kernel].gflops)]);
        results.gigaflops[dtype] = { ...results.gigaflops[dtype], [rank]: Object.fromEntries(better) };
      }
  save();
  console.log(results.gigaflops);
}

async function measureMemory() {
  for (const way of ['read', 'copy'])
    for (const threads of [1, 2]) {
      const samples = [];
      for (let i = 0; i < 5; i++) samples.push(await bandwidth(way, threads));
      results.bytesPerSecond[`${way} ${threads}`] = Math.max(...samples);
    }
  save();
  console.log(results.bytesPerSecond);
}

async function measurePhases() {
  const { hire, fit } = notingCrew(phases);
  await factorizeWith(hire, ratings(sets['1e5']), { ...optionsOf('als', 16), threads: 1, maxSweeps: 1 });
  for (const threads of threadCounts)
    results.emptyPhase[threads] = await emptyPhases(fit(), threads, Math.ceil(400 / threads));
  save();
  console.log(results.emptyPhase);
}

/** Measured with 2 threads beside what its kernels take alone, shared by two. */
async function measure(series, set, method, rank, samples) {
  if (!isAsked({ set, method, rank })) return;
  const paper = onPaper(set, method, rank);
  const seconds = await sweeps(set, method, rank, { samples, threads: 2, acceleration: 'none' });
  const row = { set, observed: sets[set].observed, method, rank, threads: 2, seconds, paper };
  keep(series, row);
  const share = paper.kernelSeconds / seconds.processor;
  console.log(
    `${series}: ${caseName(row)}: ${seconds.median.toFixed(4)} s a sweep, ${seconds.processor.toFixed(4)} processor seconds, kernels alone ${(100 * share).toFixed(0)} % of these`,
  );
}

const bySize = [
  ['als', 16],
  ['als', 64],
  ['background', 64],
  ['sgd', 64],
];
const byRank = { als: [8, 512], background: [8, 256], 'block-als': [128, 512], sgd: [8, 128] };
const byThreads = [
  ['als', 16],
  ['als', 64],
  ['background', 64],
  ['block-als', 128],
  ['sgd', 64],
];
/** The least take a hundredth of a second, the largest a minute. */
const samplesOf = (set) => ({ '1e5': 25, '1e8': 3, '2e8': 3 })[set] ?? 5;
/** Extrapolation has begun by then. */
const settled = 4;

async function measureThreads(set, method, rank) {
  if (!isAsked({ set, method, rank })) return;
  const { hire, take } = notingCrew(phases);
  const noted = [];
  const samples = { 1: [], 2: [] };
  const rounds = sets[set].observed > 1e6 ? 1 : 3;
  for (let round = 0; round < rounds; round++) {
    for (const threads of [1, 2])
      samples[threads].push(await sweeps(set, method, rank, { skipped: settled, threads, inline: 'never' }));
    await factorizeWith(hire, data(set).A, {
      ...optionsOf(method, rank),
      threads: 1,
      maxSweeps: 5 + settled,
      onProgress: ({ phase, sweep }) => {
        if (phase !== 'sweep') return;
        const each = take();
        if (sweep > settled) noted.push(each);
      },
    });
    take();
  }
  const together = (each) => ({
    ...spread(each.flatMap((run) => run.samples)),
    processor: spread(each.map((run) => run.processor)).median,
  });
  const sweep = typicalSweep(noted);
  const row = {
    set,
    method,
    rank,
    seconds: { 1: together(samples[1]), 2: together(samples[2]) },
    phases: sweep.phases.map(({ phase, side, blocks }) => ({
      phase,
      side,
      blocks: blocks.filter((seconds) => seconds > 2e-6).length,
      seconds: blocks.reduce((sum, each) => sum + each, 0),
      longest: Math.max(...blocks),
    })),
    predicted: Object.fromEntries(threadCounts.map((threads) => [threads, simulate(sweep, threads)])),
    waitingIf: Object.fromEntries(
      Object.entries(orders).map(([name, order]) => [name, simulate(sweep, 64, order).waiting]),
    ),
    bytes: onPaper(set, method, rank).bytes,
  };
  keep('threads', row);
  const percent = (share) => `${(100 * share).toFixed(1)} %`;
  const said = [1, 2].map((t) => `${row.seconds[t].median.toFixed(4)} s (${row.seconds[t].processor.toFixed(4)})`);
  console.log(
    `threads: ${caseName(row)}: ${said.join(', ')}; off by ${row.off.map(percent).join(', ')};`,
    threadCounts.map((t) => `${t}: ${percent(row.predicted[t].efficiency)}`).join(', '),
    row.efficiencyIf,
  );
}

const wanted = asked.series.split(',');
if (wanted.includes('kernels')) await measureKernels();
if (wanted.includes('memory')) await measureMemory();
if (wanted.includes('phases')) await measurePhases();
if (wanted.includes('nnz'))
  for (const set of Object.keys(sets))
    for (const [method, rank] of bySize) await measure('nnz', set, method, rank, samplesOf(set));
if (wanted.includes('rank'))
  for (const [method, [least, most]] of Object.entries(byRank))
    for (const rank of ranks.filter((k) => least <= k && k <= most)) await measure('rank', '1e6', method, rank, 5);
if (wanted.includes('threads'))
  for (const set of ['1e6', '1e7', '2e7'])
    for (const [method, rank] of byThreads) await measureThreads(set, method, rank);
if (wanted.includes('chart')) {
  save();
  writeFileSync(new URL('../docs/scaling.svg', import.meta.url), draw(results));
}
