/**
 * Races against the tools people use, on this machine, the same entries and two threads: bench/results/peers.json and
 * docs/peers.svg.
 *
 *     npm run bench:peers -- [set …] [--ranks 16,64,128] [--data <dir>] [--libmf <mf-train>] [--rounds 5] [--work <dir>]
 *
 * For each set and rank: λ and α of each objective from one grid, by the held-out error of the validation part, once for the
 * peers (that the first of them reaches) and once for hadamard. Then the curve of the test error of each; then, A B A B, the
 * time each peer takes to its own best point, beside the time hadamard takes to the first of its points that is at least as
 * good (NDCG: both to within half a percent of that point). LIBMF's time is that of its epochs; where `make lib` has left its library
 * beside mf-train its whole call is timed too, which prepares as the calls of all others do. Last, whole processes from the text file to
 * the saved model at those points. Explicit: Σ(r − u·v)² with λ for each entry, RMSE; implicit: the objective of that peer, NDCG@10 of held-out items.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { earlier, record, spread } from '../record.mjs';
import { draw } from './chart.mjs';
import { isBetter, judge } from './judge.mjs';
import { prepare, sets } from './sets.mjs';
import { fit, install, peers, wholeProcess } from './tools.mjs';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ranks: { type: 'string', default: '16,64,128' },
    data: { type: 'string', default: process.env.HADAMARD_DATA ?? '../shared/data' },
    libmf: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    work: { type: 'string', default: fileURLToPath(new URL('./.work', import.meta.url)) },
    only: { type: 'string' },
  },
});
const threads = 2;
const grids = {
  explicit: [{ lambda: 0.03 }, { lambda: 0.05 }, { lambda: 0.08 }, { lambda: 0.12 }],
  cmfrec: [
    { lambda: 20, alpha: 1 },
    { lambda: 20, alpha: 0.1 },
    { lambda: 20, alpha: 0.01 },
  ],
  implicit: [
    { lambda: 20, alpha: 1 },
    { lambda: 20, alpha: 0.1 },
    { lambda: 20, alpha: 0.01 },
  ],
  irspack: [
    { lambda: 0.003, alpha: 0.1 },
    { lambda: 0.01, alpha: 0.1 },
    { lambda: 0.03, alpha: 0.1 },
  ],
};
/** Of a large set a step takes seconds: fewer of them tell as much. */
const isLarge = (name) => name.startsWith('ml-10m') || name.startsWith('ml-20m');
const upTo = (count) => Array.from({ length: count }, (_, i) => i + 1);
const stepsOf = (tool, name) => {
  if (tool === 'libmf') return upTo(isLarge(name) ? 20 : 40);
  if (tool === 'npm libmf') return [5, 10, 20, 40];
  if (isLarge(name)) return tool === 'hadamard' ? [1, 2, 3, 4, 5, 6, 8] : [1, 2, 3, 5, 8];
  return tool.startsWith('cmfrec') ? [1, 2, 3, 5, 8, 12] : [1, 2, 3, 4, 5, 6, 8, 10, 12, 16];
};

const tools = { ...install(flags.work, flags.libmf), work: flags.work };
for (const [name, why] of Object.entries(tools.absent)) console.log(`absent: ${name} (${why})`);

const present = (kind) =>
  Object.keys(peers).filter(
    (name) =>
      peers[name].kinds.includes(kind) &&
      !(name in tools.absent) &&
      (flags.only === undefined || flags.only.split(',').includes(name)),
  );

/** The best point of a curve; factors that are no numbers are worse than any. */
const bestOf = (kind, curve) =>
  curve.reduce((best, point) => (Number.isNaN(point.value) || isBetter(kind, best.value, point.value) ? best : point));

/** λ and α of an objective by the validation error that a tool reaches. */
function tuneFor(tool, name, k, objective) {
  const { kind } = sets[name];
  const folder = join(flags.work, name);
  const evaluate = judge(kind, folder, 'validation', k);
  const trials = grids[objective].map((penalty) => {
    const all = stepsOf(tool, name);
    const late = tool === 'libmf' ? all : isLarge(name) ? [4, 8] : all.filter((step) => step >= 4 && step <= 12);
    const points = fit(
      tool,
      { kind, objective, folder, k, threads, steps: late, alpha: 1, ...penalty },
      tools,
      evaluate,
      'validation',
    );
    return { penalty, value: bestOf(kind, points).value };
  });
  return trials.reduce((best, trial) => (isBetter(kind, best.value, trial.value) ? best : trial)).penalty;
}

/** A row of results for each peer, as soon as it is there. */
function* race(name, k) {
  const { kind } = sets[name];
  const folder = join(flags.work, name);
  const evaluate = judge(kind, folder, 'test', k);
  const ways = new Map();
  for (const peer of present(kind)) {
    const objective = kind === 'explicit' ? 'explicit' : peers[peer].objective;
    const asked = { kind, objective, k, threads, alpha: 1 };
    if (!ways.has(objective)) {
      const [theirs, own] = [peer, 'hadamard'].map((tool) => tuneFor(tool, name, k, objective));
      const job = { ...asked, ...own, folder };
      const curve = fit('hadamard', { ...job, steps: stepsOf('hadamard', name) }, tools, evaluate);
      ways.set(objective, { theirs, own, job, curve });
    }
    const { theirs, own, job: ourJob, curve: ours } = ways.get(objective);
    const job = { ...asked, ...theirs, folder };
    const curve = fit(peer, { ...job, steps: stepsOf(peer, name) }, tools, evaluate, 'test');
    const top = bestOf(kind, curve);
    // NDCG moves by some thousandths from sweep to sweep: as good is what is within half a percent, of the peer's points too.
    const mark = kind === 'explicit' ? top.value : 0.995 * top.value;
    const firstOf = (points) => points.find(({ value }) => isBetter(kind, value, mark));
    const best = firstOf(curve);
    const reached = firstOf(ours) ?? null;
    const row = { set: name, k, peer, ...asked, ...theirs, own, best, reached, curve, ours };
    yield { ...row, ...(reached && timed(peer, name, job, best.step, ourJob, reached.step)) };
  }
}

/** Pairs of fits, and of whole processes from the CSV to a saved model. */
function timed(peer, name, job, theirStep, ourJob, ourStep) {
  const samples = { theirs: [], ours: [], theirCpu: [], ourCpu: [], theirProcess: [], ourProcess: [], theirCall: [] };
  for (let round = 0; round < Number(flags.rounds); round++) {
    // Of LIBMF the length of a run is what tells an epoch.
    const asked = peer === 'libmf' ? stepsOf(peer, name).slice(0, theirStep) : [theirStep];
    const theirs = fit(peer, { ...job, steps: asked }, tools).at(-1);
    const ours = fit('hadamard', { ...ourJob, steps: [ourStep] }, tools)[0];
    samples.theirs.push(theirs.seconds);
    samples.ours.push(ours.seconds);
    samples.theirCpu.push(theirs.cpuSeconds);
    samples.ourCpu.push(ours.cpuSeconds);
    if (peer === 'libmf' && tools.library)
      samples.theirCall.push(fit(peer, { ...job, steps: [theirStep], library: tools.library }, tools)[0].seconds);
    if (job.kind !== 'explicit' || peer === 'npm libmf') continue;
    samples.theirProcess.push(wholeProcess(theirCommand(peer, job, theirStep)).seconds);
    samples.ourProcess.push(wholeProcess(ourCommand(ourJob, ourStep)).seconds);
  }
  const medians = Object.fromEntries(
    Object.entries(samples)
      .filter(([, list]) => list.length > 0)
      .map(([key, list]) => [key, spread(list)]),
  );
  const ratio = spread(samples.ours.map((s, i) => s / samples.theirs[i])).median;
  const process = samples.ourProcess.map((s, i) => s / samples.theirProcess[i]);
  const call = samples.theirCall.map((seconds, i) => samples.ours[i] / seconds);
  return {
    seconds: medians,
    ratio,
    ...(call.length > 0 && { callRatio: spread(call).median }),
    ...(process.length > 0 && { processRatio: spread(process).median }),
  };
}

const model = join(flags.work, 'model');

/** @returns the command; nothing stands where it saves its model. */
function theirCommand(peer, { folder, k, lambda, kind }, step) {
  rmSync(model, { recursive: true, force: true });
  if (peer === 'libmf')
    return [
      tools.libmf,
      '-k',
      k,
      '-l2',
      lambda,
      '-s',
      threads,
      '-t',
      step,
      '--quiet',
      join(folder, 'train.txt'),
      model,
    ].map(String);
  const job = {
    tool: peer,
    kind,
    folder,
    text: join(folder, 'train.csv'),
    k,
    lambda,
    alpha: 1,
    threads,
    steps: [step],
    out: model,
  };
  return [tools.python, fileURLToPath(new URL('./peers.py', import.meta.url)), JSON.stringify(job)];
}

function ourCommand({ folder, k, lambda }, step) {
  rmSync(model, { recursive: true, force: true });
  const main = fileURLToPath(new URL('../../dist/bundle/command/main.js', import.meta.url));
  const options = `--rank ${k} --lambda ${lambda} --lambda-scale count --threads ${threads} --max-sweeps ${step} --tolerance 0 --quiet`;
  return [process.execPath, main, 'fit', join(folder, 'train.csv'), ...options.split(' '), '--out', model];
}

function said({ set, k, peer, best, reached, ratio, callRatio, processRatio, seconds }) {
  const theirs = `${best.value.toFixed(4)} at step ${best.step}`;
  if (!reached) return `${set.padEnd(15)} k=${k} ${peer.padEnd(18)} ${theirs}: not reached`;
  const times = `${seconds.theirs.median.toFixed(2)} s, hadamard ${seconds.ours.median.toFixed(2)} s (step ${reached.step}): ${ratio.toFixed(2)}×`;
  const whole = processRatio === undefined ? '' : `, whole process ${processRatio.toFixed(2)}×`;
  const call =
    callRatio === undefined
      ? ''
      : `, its call with preparing ${seconds.theirCall.median.toFixed(2)} s: ${callRatio.toFixed(2)}×`;
  return `${set.padEnd(15)} k=${k} ${peer.padEnd(18)} ${theirs}, ${times}${call}${whole}`;
}

const names = positionals.length > 0 ? positionals : Object.keys(sets);
const ranks = flags.ranks.split(',').map(Number);
mkdirSync(flags.work, { recursive: true });
let results = earlier('peers');
for (const name of names) {
  prepare(name, flags.work, flags.data);
  for (const k of ranks)
    for (const row of race(name, k)) {
      console.log(said(row));
      const isOther = (r) => r.set !== name || r.k !== k || r.peer !== row.peer;
      results = [...results.filter(isOther), { ...row, date: new Date().toISOString().slice(0, 10) }];
      const isNeverRun = ([peer]) => results.every((r) => r.peer !== peer);
      record('peers', {
        what: 'seconds to the best held-out error of each peer, two threads each',
        absent: Object.fromEntries(Object.entries(tools.absent).filter(isNeverRun)),
        results,
      });
    }
}
writeFileSync(new URL('../../docs/peers.svg', import.meta.url), draw(results));
