/**
 * An epoch of method sgd beside one of LIBMF (AVX), on the ML-10M-like set of the races and 2 threads: bench/results/sgd.json.
 * An epoch is the difference of runs by their length, A B A B; processor seconds stand beside wall seconds. Held-out errors of
 * the validation part, with the same λ for each entry, are those after so many epochs.
 *
 *     npm run bench:sgd -- --libmf <mf-train> [--ranks 16,64,128] [--rounds 5] [--work <dir>]
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { judge } from './peers/judge.mjs';
import { prepare } from './peers/sets.mjs';
import { fit } from './peers/tools.mjs';
import { earlier, record, spread } from './record.mjs';

const { values: flags } = parseArgs({
  options: {
    libmf: { type: 'string' },
    ranks: { type: 'string', default: '16,64,128' },
    rounds: { type: 'string', default: '5' },
    work: { type: 'string', default: fileURLToPath(new URL('./peers/.work', import.meta.url)) },
  },
});
if (!flags.libmf) throw new Error('Give --libmf <mf-train>, built with -O3 -march=native -DUSEAVX.');
const set = 'ml-10m-like';
const lambda = 0.05;
const epochs = 4;
const judged = [2, 5, 10];

const folder = prepare(set, flags.work);
const timed = { sgd: [epochs, 2 * epochs], libmf: [2 * epochs] };

/** Wall and processor seconds of an epoch. */
function epochOf(tool, job) {
  const points = fit(tool === 'sgd' ? 'hadamard' : tool, { ...job, steps: timed[tool] }, flags);
  const [last, first] = [points.at(-1), points.length > 1 ? points[0] : { step: 0, seconds: 0, cpuSeconds: 0 }];
  const each = (key) => (last[key] - first[key]) / (last.step - first.step);
  return { seconds: each('seconds'), cpuSeconds: each('cpuSeconds') };
}

const results = earlier('sgd');
for (const k of flags.ranks.split(',').map(Number)) {
  const job = { folder, k, lambda, kind: 'explicit', method: 'sgd', threads: 2 };
  const samples = { libmf: [], sgd: [] };
  for (let round = 0; round < Number(flags.rounds); round++)
    for (const tool of Object.keys(samples)) {
      const sample = epochOf(tool, job);
      samples[tool].push(sample);
      console.log(`k=${k} ${tool} ${sample.seconds.toFixed(3)} s, cpu ${sample.cpuSeconds.toFixed(3)} s`);
    }
  const spreads = (tool, key) => spread(samples[tool].map((sample) => sample[key]));
  const evaluate = judge('explicit', folder, 'validation', k);
  const errorsOf = (tool, steps) =>
    fit(tool, { ...job, steps }, flags, evaluate, 'validation').filter(({ step }) => judged.includes(step));
  const result = {
    rank: k,
    ...Object.fromEntries(
      Object.keys(samples).map((tool) => [
        tool,
        { seconds: spreads(tool, 'seconds'), cpuSeconds: spreads(tool, 'cpuSeconds') },
      ]),
    ),
    heldOut: {
      libmf: errorsOf(
        'libmf',
        Array.from({ length: judged.at(-1) }, (_, i) => i + 1),
      ).map(({ step, value }) => ({ step, value })),
      sgd: errorsOf('hadamard', judged).map(({ step, value }) => ({ step, value })),
    },
  };
  const ratio = (key) => (result.sgd[key].median / result.libmf[key].median).toFixed(2);
  console.log(
    `k=${k} sgd ${result.sgd.seconds.median.toFixed(3)} s (cpu ${result.sgd.cpuSeconds.median.toFixed(3)}), libmf ${result.libmf.seconds.median.toFixed(3)} s (cpu ${result.libmf.cpuSeconds.median.toFixed(3)}): ${ratio('seconds')}× (cpu ${ratio('cpuSeconds')}×)`,
    JSON.stringify(result.heldOut),
  );
  const others = results.filter(({ rank }) => rank !== k);
  results.splice(0, results.length, ...[...others, result].sort((a, b) => a.rank - b.rank));
}
record('sgd', { what: `seconds an epoch, ${set}, λ ${lambda} for each entry, 2 threads`, lambda, epochs, results });
