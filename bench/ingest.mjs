/**
 * How fast data files are read: 6.6 million lines row,col,value (about 100 MB), the same as .gz, and with text labels; line
 * by line, in parts with one thread and with two, in turn; and how long it takes to sort what was read into both
 * orientations. Each reading is a process of its own; peak memory is what the operating system says of it:
 * bench/results/ingest.json.
 */
import { execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createGzip } from 'node:zlib';
import { listedCount } from '../dist/src/data/entries.js';
import { surveyWithin } from '../dist/src/factorize/extent.js';
import { hireCrew } from '../dist/src/factorize/hireCrew.js';
import { placeTogether } from '../dist/src/factorize/layOut.js';
import { resolveObjective } from '../dist/src/factorize/objectiveSpec.js';
import { planFit } from '../dist/src/factorize/plan.js';
import { readLineByLine } from '../dist/src/formats/csv.js';
import { readTable } from '../dist/src/formats/readTable.js';
import { compileKernels } from '../dist/src/kernels/load.js';
import { checkOptions } from '../dist/src/options.js';
import { acquireMemory } from '../dist/src/parallel/memoryPool.js';
import { record, spread } from './record.mjs';

const lines = 6_600_000;
const rows = 300_000;
const columns = 50_000;
const rounds = Number(process.env.ROUNDS ?? 5);
const workerUrl = new URL('../dist/workers/lines.js', import.meta.url).href;

/** By name; what is packed is parsed in one thread, while another unpacks. */
const readers = {
  lines: (path) => readLineByLine(path, {}),
  'parts, 1 thread': (path) => readTable(path, { threads: 1 }),
  'parts, 2 threads': (path) => readTable(path, { threads: 2, workerUrl }),
};

/** mulberry32 */
function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let h = Math.imul(state ^ (state >>> 15), 1 | state);
    h = (h + Math.imul(h ^ (h >>> 7), 61 | h)) ^ h;
    return ((h ^ (h >>> 14)) >>> 0) / 2 ** 32;
  };
}

function* csv(rowName, columnName, digits) {
  const next = uniform(20);
  let text = '';
  for (let t = 0; t < lines; t++) {
    // Squared: a few rows and columns have most of the lines, as in ratings.
    const row = rowName(Math.floor(next() ** 2 * rows));
    const column = columnName(Math.floor(next() ** 2 * columns));
    text += `${row},${column},${(next() * 5).toFixed(digits)}\n`;
    if (text.length > 1 << 18) {
      yield text;
      text = '';
    }
  }
  yield text;
}

async function child(path, reader) {
  // The kernels and the like are loaded with the first file, as they are in a command.
  const before = process.resourceUsage().maxRSS;
  const start = performance.now();
  const used = process.cpuUsage();
  const { matrix } = await readers[reader](path);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(used);
  if (listedCount(matrix) !== lines) throw new Error(`${listedCount(matrix)} entries`);
  // Kibibytes on Linux and macOS as Node gives it.
  const read = process.resourceUsage().maxRSS;
  const release = await orient(matrix, reader.includes('2 threads') ? 2 : 1);
  const ready = (performance.now() - start) / 1000;
  const bytesOf = (peak) => ((peak - before) * 1024) / lines;
  const cpu = (user + system) / 1e6;
  const readyBytesPerEntry = bytesOf(process.resourceUsage().maxRSS);
  await release();
  console.log(
    JSON.stringify({ seconds, cpu, ready, peakMiB: read / 1024, bytesPerEntry: bytesOf(read), readyBytesPerEntry }),
  );
}

/** As the command's fit does: what was read is given up, and all threads of the fit sort. */
async function orient(matrix, threads) {
  const options = { rank: 16, lambda: 0.1, duplicates: 'keep', handOver: true, threads };
  const checked = checkOptions(options);
  const objective = resolveObjective(checked, options, matrix.shape);
  const found = surveyWithin(matrix, undefined, checked);
  const plan = planFit(found, checked, objective);
  const memory = acquireMemory(plan.layout.pages);
  const { crew, release } = hireCrew(plan, options);
  const { module } = compileKernels(checked.arithmetic);
  const listed = { A: matrix, weights: undefined, found, isHandedOver: true };
  await placeTogether({ plan, checked, memory, module }, listed, crew);
  return release;
}

async function parent() {
  const folder = mkdtempSync(join(tmpdir(), 'hadamard-ingest-'));
  try {
    const plain = join(folder, 'numbers.csv');
    const packed = join(folder, 'numbers.csv.gz');
    const named = join(folder, 'labels.csv');
    await pipeline(csv(String, String, 3), createWriteStream(plain));
    await pipeline(createReadStream(plain), createGzip(), createWriteStream(packed));
    await pipeline(
      csv(
        (i) => `user-${i.toString(36)}`,
        (j) => `B00${j.toString(16)}`,
        1,
      ),
      createWriteStream(named),
    );
    const files = {};
    for (const [name, path] of Object.entries({ plain, packed, named })) {
      const samples = {};
      for (let round = 0; round < rounds; round++)
        for (const reader of Object.keys(readers)) {
          const told = execFileSync(process.execPath, [fileURLToPath(import.meta.url), path, reader], {
            encoding: 'utf8',
          });
          samples[reader] = [...(samples[reader] ?? []), JSON.parse(told)];
        }
      const megabytes = statSync(name === 'packed' ? plain : path).size / 1e6;
      const byReader = Object.fromEntries(
        Object.entries(samples).map(([reader, all]) => {
          const of = (what) => spread(all.map((sample) => Math.round(sample[what] * 1e3) / 1e3));
          const seconds = of('seconds');
          // Round by round: both of a pair had the same machine.
          const ratio = spread(
            all.map((sample, i) => Math.round((1e3 * sample.seconds) / samples.lines[i].seconds) / 1e3),
          );
          const cpuRatio = spread(all.map((sample, i) => Math.round((1e3 * sample.cpu) / samples.lines[i].cpu) / 1e3));
          const rest = {
            cpuSeconds: of('cpu'),
            readySeconds: of('ready'),
            peakMiB: of('peakMiB'),
            bytesPerEntry: of('bytesPerEntry'),
            readyBytesPerEntry: of('readyBytesPerEntry'),
          };
          console.log(
            name,
            reader,
            seconds.median,
            's, of lines',
            ratio.median,
            'cpu',
            cpuRatio.median,
            'ready',
            rest.readySeconds.median,
            'bytes an entry',
            rest.bytesPerEntry.median,
          );
          return [reader, { seconds, ofLines: ratio, cpuOfLines: cpuRatio, ...rest }];
        }),
      );
      files[name] = {
        lines,
        megabytes: Math.round(megabytes * 10) / 10,
        fileMegabytes: Math.round(statSync(path).size / 1e5) / 10,
        readers: byReader,
      };
    }
    record('ingest', {
      what: `Reading ${lines} lines row,col,value, in a process of its own each, readers in turn; ready: sorted into both orientations too`,
      files,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[2]) await child(process.argv[2], process.argv[3]);
else await parent();
