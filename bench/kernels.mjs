/**
 * Each kernel on one core as GFLOP/s and as a fraction of the machine's ceiling, measured in the same run:
 * bench/results/kernels.json.
 *
 * The ceiling is a register-only relaxed multiply-add loop of the same precision. Gather + Gram + right-hand side counts
 * k(k+3) operations an observation; Cholesky with both solves k³/3 + 2k²; loss 2k and gradient 4k an observation.
 */
import { openBuild, time, timeKernels } from './kernelTimes.mjs';
import { record } from './record.mjs';

const builds = { strict: await openBuild('reproducible'), relaxed: await openBuild('fast') };
const peakRounds = 200_000;
const measurePeak = (build, bits) =>
  (peakRounds * 10 * 2 * (128 / bits)) / time(() => builds[build].kernels[`peak${bits}`](peakRounds, 0.1, 0.9)) / 1e9;

const ceilings = {};
for (const bits of [32, 64])
  for (const build of ['strict', 'relaxed']) ceilings[`${build} f${bits}`] = measurePeak(build, bits);
console.log(
  'ceiling GFLOP/s',
  Object.entries(ceilings)
    .map(([k, v]) => `${k} ${v.toFixed(1)}`)
    .join(', '),
);

const results = [];
for (const dtype of ['f32', 'f64'])
  for (const rank of [8, 10, 12, 16, 32, 50, 52, 64, 100, 104, 128])
    for (const [name, build] of Object.entries(builds))
      for (const isWeighted of [false, true]) {
        const times = timeKernels(build, dtype, rank, isWeighted);
        const ceiling = ceilings[`relaxed ${dtype}`];
        const rates = Object.fromEntries(
          Object.entries(times).map(([kernel, rate]) => [kernel, { ...rate, fraction: rate.gflops / ceiling }]),
        );
        results.push({ dtype, rank, build: name, weighted: isWeighted, kernels: rates });
        if (!isWeighted)
          console.log(
            `${dtype} k=${String(rank).padEnd(3)} ${name.padEnd(7)}`,
            Object.entries(rates)
              .map(([k, r]) => `${k} ${r.microseconds.toFixed(2)}µs ${(100 * r.fraction).toFixed(0)}%`)
              .join('  '),
          );
      }
record('kernels', { what: '64 rows × 192 observations, factors in cache, one core', ceilings, results });
