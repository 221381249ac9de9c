/**
 * How fast data files are read: 6.6 million lines row,col,value (about 100 MB), the same as .gz, and with text labels.
 * Each reading is a process of its own; peak memory is what the operating system says of it: bench/results/ingest.json.
 */
import { execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createGzip } from 'node:zlib';
import { readTable } from '../dist/src/formats/readTable.js';
import { record, spread } from './record.mjs';

const lines = 6_600_000;
const rows = 300_000;
const columns = 50_000;
const runs = 5;

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

async function child(path) {
  const start = performance.now();
  const { matrix } = await readTable(path);
  const seconds = (performance.now() - start) / 1000;
  if (matrix.values.length !== lines) throw new Error(`${matrix.values.length} entries`);
  // Kibibytes on Linux and macOS as Node gives it.
  console.log(JSON.stringify({ seconds, peakMiB: process.resourceUsage().maxRSS / 1024 }));
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
      const samples = Array.from({ length: runs }, () =>
        JSON.parse(execFileSync(process.execPath, [fileURLToPath(import.meta.url), path], { encoding: 'utf8' })),
      );
      const seconds = spread(samples.map((sample) => sample.seconds));
      const megabytes = statSync(name === 'packed' ? plain : path).size / 1e6;
      files[name] = {
        lines,
        megabytes: Math.round(megabytes * 10) / 10,
        fileMegabytes: Math.round(statSync(path).size / 1e5) / 10,
        seconds,
        megabytesPerSecond: Math.round(megabytes / seconds.median),
        millionLinesPerSecond: Math.round(lines / seconds.median / 1e4) / 100,
        peakMiB: spread(samples.map((sample) => Math.round(sample.peakMiB))),
      };
      const { megabytesPerSecond, peakMiB } = files[name];
      console.log(name, seconds.median.toFixed(2), 's', megabytesPerSecond, 'MB/s', peakMiB.median, 'MiB');
    }
    record('ingest', {
      what: `readTable of ${lines} lines row,col,value, unpacked megabytes per second, in a process of its own each`,
      files,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[2]) await child(process.argv[2]);
else await parent();
