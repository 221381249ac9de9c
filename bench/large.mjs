/**
 * Bigger than memory comfort: 480k × 18k with 200 million observations (f32, without weights), k = 32, 2 threads. The same
 * fit with its observations in memory and on disk, in turn in one process: seconds of a sweep, and peak memory above the
 * caller's arrays. Then the command from CSV to model, in a process each, on a share of the rows: bytes an observation at the
 * peak. bench/results/large.json.
 *
 *     node --expose-gc bench/large.mjs [--observed N] [--rounds R] [--sweeps S] [--ways memory,disk] [--hand-over] [--lines N of the CSV]
 *       [--folder of the files] [--data folder that keeps A from run to run]
 *
 * With --hand-over, which leaves one fit a run, peaks are those of the whole process, the caller's arrays being given up. A part that is not asked for (--observed 0, --lines 0, one of the ways) stays as an earlier record has it.
 */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { factorize, plan } from '../dist/src/index.js';
import { earlier, record, spread } from './record.mjs';
import { ratings } from './synthetic.mjs';

const argument = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const observed = Number(argument('observed', 200_000_000));
const rounds = Number(argument('rounds', 2));
const maxSweeps = Number(argument('sweeps', 3));
const lines = Number(argument('lines', 20_000_000));
const folder = argument('folder', tmpdir());
const kept = argument('data', undefined);
const asked = argument('ways', 'memory,disk').split(',');
const handOver = process.argv.includes('--hand-over');
const rank = 32;
// auto would begin with epochs of sgd where the observations are resident.
const options = { rank, method: 'als', lambda: 0.05, lambdaScale: 'count', tolerance: 0, maxSweeps, threads: 2 };

const shapeFor = (entries) => ({ rows: Math.max(2000, Math.round((480_000 * entries) / 200e6)), columns: 18_000 });
const round = (x) => Math.round(x * 1000) / 1000;

/** Data of a size, as it was made before where it is kept. */
function dataOf(entries) {
  const of = { ...shapeFor(entries), observed: entries, seed: 9 };
  if (kept === undefined) return ratings(of);
  const lists = { rowPointers: Uint32Array, columnIndices: Uint32Array, values: Float32Array };
  const pathOf = (name) => join(kept, `${entries}.${name}`);
  if (Object.keys(lists).some((name) => !existsSync(pathOf(name)))) {
    const made = ratings(of);
    for (const name of Object.keys(lists)) writeFileSync(pathOf(name), made[name]);
    return made;
  }
  const read = Object.entries(lists).map(([name, List]) => {
    const { buffer, byteOffset, byteLength } = readFileSync(pathOf(name));
    return [name, new List(buffer, byteOffset, byteLength / 4)];
  });
  return { ...Object.fromEntries(read), shape: [of.rows, of.columns] };
}

/** Bytes: what the process holds now, and the most since the last reset. Linux; elsewhere the peak is of the whole process. */
function memory() {
  try {
    const of = (name) =>
      1024 * Number(new RegExp(`${name}:\\s*(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))[1]);
    return { now: of('VmRSS'), peak: of('VmHWM') };
  } catch {
    return { now: process.memoryUsage().rss, peak: process.resourceUsage().maxRSS * 1024 };
  }
}

function resetPeak() {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Not Linux.
  }
}

/** Until the memory of the last fit is gone: its workers have ended, and their instances been collected (--expose-gc). */
async function settle() {
  for (let i = 0; i < 5; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const old = { fits: [], ingest: [], ...earlier('large') };
const ways = Object.fromEntries(
  Object.entries({ memory: {}, disk: { onDisk: folder } }).filter(([way]) => asked.includes(way)),
);

async function fits() {
  const A = dataOf(observed);
  console.log(`${A.shape.join(' × ')}, ${observed} observations`);
  const samples = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
  await settle();
  const caller = memory().now;
  // Above what the caller has, or of all.
  const without = handOver ? 0 : caller;
  const before = old.fits.find((each) => each.observed === observed);
  // Of another program it may be another.
  let digest = asked.length === 2 ? undefined : before?.digest;
  for (let i = 0; i < rounds; i++)
    for (const [way, more] of Object.entries(ways)) {
      await settle();
      resetPeak();
      // Before the first sweep: the most that laying out takes.
      let laidOut;
      // Of all threads, which a busy machine changes less than the seconds.
      const cpu = [];
      const { fit } = await factorize(A, {
        ...options,
        ...more,
        handOver,
        onProgress: ({ phase }) => {
          if (phase !== 'sweep') return;
          const { user, system } = process.cpuUsage();
          cpu.push((user + system) / 1e6);
          if (laidOut) return;
          laidOut = memory();
          resetPeak();
        },
      });
      digest ??= fit.digest;
      if (fit.digest !== digest) throw new Error('Not the same bits.');
      const times = fit.trace.map(({ seconds }) => seconds);
      const sweep = (times.at(-1) - times[0]) / (times.length - 1);
      const cpuSweep = (cpu.at(-1) - cpu[0]) / (cpu.length - 1);
      const { prepare } = fit.seconds;
      const peak = { layingOut: laidOut.peak - without, fitting: memory().peak - without };
      samples[way].push({
        sweep: round(sweep),
        cpu: round(cpuSweep),
        prepare: round(prepare),
        peak,
      });
      console.log(
        way,
        'sweep',
        sweep.toFixed(2),
        's (cpu',
        cpuSweep.toFixed(2),
        's), prepare',
        prepare.toFixed(1),
        's, peaks',
        peak,
      );
    }
  const shape = { shape: A.shape, observed };
  const measured = {
    ...before,
    shape: A.shape,
    observed,
    rank,
    threads: options.threads,
    callerGB: round(caller / 1e9),
    ...Object.fromEntries(
      Object.entries(samples).map(([way, all]) => [
        way,
        {
          secondsPerSweep: spread(all.map(({ sweep }) => sweep)),
          cpuSecondsPerSweep: spread(all.map(({ cpu }) => cpu)),
          prepareSeconds: spread(all.map(({ prepare }) => prepare)),
          handOver,
          peakGB: {
            layingOut: round(Math.max(...all.map(({ peak }) => peak.layingOut)) / 1e9),
            fitting: round(Math.max(...all.map(({ peak }) => peak.fitting)) / 1e9),
          },
          planned: plan(shape, { ...options, ...ways[way] }).bytes,
        },
      ]),
    ),
    digest,
  };
  const ratio = (of) =>
    measured.disk && measured.memory && round(measured.disk[of].median / measured.memory[of].median);
  return { ...measured, diskOfMemory: ratio('secondsPerSweep'), cpuDiskOfMemory: ratio('cpuSecondsPerSweep') };
}

/** A as lines row,col,value. */
function writeCsv(path, { rowPointers, columnIndices, values, shape }) {
  const file = openSync(path, 'w');
  let text = 'row,col,value\n';
  for (let i = 0; i < shape[0]; i++) {
    for (let t = rowPointers[i]; t < rowPointers[i + 1]; t++)
      text += `${i},${columnIndices[t]},${values[t].toFixed(2)}\n`;
    if (text.length < 1 << 20) continue;
    writeSync(file, text);
    text = '';
  }
  writeSync(file, text);
  closeSync(file);
}

/** The command's own words on its peak, above that of a command on next to nothing. */
function ingest() {
  const place = mkdtempSync(join(folder, 'hadamard-bench-'));
  const main = fileURLToPath(new URL('../dist/bundle/command/main.js', import.meta.url));
  const command = (path, more) => {
    const words = [main, 'fit', path, '--rank', rank, '--lambda', 0.05, '--lambda-scale', 'count', '--max-sweeps', 2];
    // Behind a shell: a process counts what its parent held when it was forked into its own peak.
    const behind = ['-c', '"$@"; exit $?', 'sh', process.execPath];
    const told = execFileSync('sh', [...behind, ...words, '--threads', 2, '--json', ...more].map(String), {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return JSON.parse(told);
  };
  try {
    const [path, small] = [join(place, 'A.csv'), join(place, 'small.csv')];
    writeCsv(path, dataOf(lines));
    writeCsv(small, ratings({ rows: 2000, columns: 18_000, observed: 100_000, seed: 9 }));
    const base = command(small, []).memoryBytes.peakRss;
    return {
      ...old.ingest.find((each) => each.lines === lines),
      lines,
      megabytes: Math.round(statSync(path).size / 1e6),
      basePeakMB: Math.round(base / 1e6),
      ...Object.fromEntries(
        Object.entries(ways).map(([way, { onDisk }]) => {
          const { memoryBytes, seconds } = command(path, onDisk ? ['--on-disk', onDisk] : []);
          const bytesPerObservation = round((memoryBytes.peakRss - base) / lines);
          console.log('csv to fit,', way, bytesPerObservation, 'bytes an observation', seconds);
          return [way, { bytesPerObservation, peakGB: round(memoryBytes.peakRss / 1e9), seconds }];
        }),
      ),
    };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** One more size, or the same again. */
const beside = (list, one, size) => [...list.filter((each) => each[size] !== one[size]), one];
const results = {
  fits: observed > 0 ? beside(old.fits, await fits(), 'observed') : old.fits,
  ingest: lines > 0 ? beside(old.ingest, ingest(), 'lines') : old.ingest,
};
record('large', {
  what: 'Seconds a sweep and peak memory with the observations in memory and on disk; peak of the command from CSV to model',
  results,
});
