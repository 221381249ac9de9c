/**
 * How long a sweep would take on more threads than there are: the time of each block, measured on one thread, given out as the
 * crew gives it out (src/parallel/crew.ts): each thread takes the next block when it is free, and a phase begins when the
 * last block of the one before is done.
 */
import { readFileSync } from 'node:fs';
import { inlineCrew, pooledCrew } from '../dist/src/parallel/crew.js';
import { spread } from './record.mjs';

/** To be hired by a fit: works in this thread, and notes what each phase's blocks took and what lay between phases. */
export function notingCrew(phases) {
  /** Milliseconds of the phase at work, by block. */
  let times;
  const noted = { phases: [], fit: undefined, serial: 0 };
  const timed = Object.fromEntries(
    Object.entries(phases).map(([name, phase]) => [
      name,
      {
        name,
        run(workbench, call, block) {
          const began = performance.now();
          const totals = phase.run(workbench, call, block);
          times[block] = performance.now() - began;
          return totals;
        },
      },
    ]),
  );
  const crew = inlineCrew(timed);
  let ended;
  const run = async (fit, call) => {
    const began = performance.now();
    if (ended !== undefined) noted.serial += began - ended;
    noted.fit = fit;
    times = new Float64Array(fit.blocks[call.side].length - 1);
    try {
      return await crew.run(fit, call);
    } finally {
      noted.phases.push({ phase: call.phase, side: call.side, times });
      ended = performance.now();
    }
  };
  /** What was noted since it was last asked for, in seconds. */
  const take = () => {
    const now = performance.now();
    const sweep = {
      serial: (noted.serial + (now - ended)) / 1000,
      phases: noted.phases.map(({ phase, side, times }) => ({ phase, side, blocks: times.map((t) => t / 1000) })),
    };
    noted.serial = 0;
    noted.phases = [];
    ended = now;
    return sweep;
  };
  return { hire: () => ({ crew: { ...crew, run }, release: () => crew.close() }), take, fit: () => noted.fit };
}

/** Of sweeps with the same phases, the median of each block's seconds and of the coordinator's: others disturb one sweep or two. */
export function typicalSweep(sweeps) {
  const kindOf = ({ phases }) => phases.map(({ phase, side }) => `${phase} ${side}`).join();
  const kinds = [...new Set(sweeps.map(kindOf))].map((kind) => sweeps.filter((sweep) => kindOf(sweep) === kind));
  const [alike] = kinds.sort((a, b) => b.length - a.length);
  return {
    serial: median(alike.map(({ serial }) => serial)),
    phases: alike[0].phases.map(({ phase, side, blocks }, p) => ({
      phase,
      side,
      blocks: blocks.map((_, b) => median(alike.map((sweep) => sweep.phases[p].blocks[b]))),
    })),
  };
}

const median = (samples) => spread(samples).median;

/** Seconds until the last block is done. */
function makespan(blocks, threads) {
  const free = new Float64Array(threads);
  for (const block of blocks) {
    let first = 0;
    for (let t = 1; t < threads; t++) if (free[t] < free[first]) first = t;
    free[first] += block;
  }
  return Math.max(...free);
}

const sum = (list) => list.reduce((all, each) => all + each, 0);

/** Ways to give out a phase's blocks. */
export const orders = {
  longestFirst: (blocks) => Float64Array.from(blocks).sort().reverse(),
  /** Each cut into four. */
  finer: (blocks) => Float64Array.from({ length: 4 * blocks.length }, (_, i) => blocks[i >> 2] / 4),
};

/**
 * Seconds of a sweep on so many threads, starting and ending its phases left out: work shared evenly, waiting for the last block,
 * and the coordinator's own work between phases.
 */
export function simulate({ serial, phases }, threads, order = (blocks) => blocks) {
  const work = sum(phases.map(({ blocks }) => sum(blocks))) / threads;
  const waiting = sum(phases.map(({ blocks }) => makespan(order(blocks), threads))) - work;
  return { work, waiting, serial };
}

/**
 * A phase without blocks on so many workers: seconds, and of these the coordinator's own at work (Linux counts them), the
 * median and the mean of `rounds`.
 */
export async function emptyPhases(fit, threads, rounds) {
  const workerUrl = new URL('../dist/workers/rows.cjs', import.meta.url).href;
  const crew = pooledCrew({ workerUrl, threads });
  const none = { ...fit, blocks: { rows: Uint32Array.of(0), columns: Uint32Array.of(0) } };
  const call = { phase: 'loss', side: 'rows', own: 0, other: 0, out: null };
  const run = () => crew.run(none, call);
  try {
    // Until all have come, and some more.
    while (crew.busy.includes(0)) await run();
    for (let round = 0; round < rounds / 4; round++) await run();
    const samples = [];
    const atWork = coordinatorSeconds();
    for (let round = 0; round < rounds; round++) {
      const began = performance.now();
      await run();
      samples.push((performance.now() - began) / 1000);
    }
    return { roundTrip: median(samples), coordinator: (coordinatorSeconds() - atWork) / rounds };
  } finally {
    await crew.close();
  }
}

/** Processor seconds of this thread. */
function coordinatorSeconds() {
  const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
  return Number(nanoseconds) / 1e9;
}
