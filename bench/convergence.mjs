/**
 * Loss against sweeps and seconds for each method, and what acceleration saves: bench/results/convergence.json and the
 * picture in the README (docs/convergence.svg).
 */
import { writeFileSync } from 'node:fs';
import { factorize } from '../dist/src/index.js';
import { record } from './record.mjs';
import { ratings } from './synthetic.mjs';

const A = ratings({ rows: 2000, columns: 800, observed: 100_000, seed: 5, rank: 5 });
const common = {
  rank: 8,
  lambda: 0.05,
  lambdaScale: 'count',
  dtype: 'f64',
  tolerance: 1e-6,
  maxSweeps: 3000,
  threads: 1,
};
const contestants = {
  'ALS, accelerated': { method: 'als', acceleration: 'anderson' },
  ALS: { method: 'als', acceleration: 'none' },
  gradient: { method: 'gradient' },
};

const curves = {};
for (const [name, options] of Object.entries(contestants)) {
  const runs = [];
  for (let seed = 1; seed <= 5; seed++) {
    const { fit } = await factorize(A, { ...common, ...options, seed });
    runs.push({
      seed,
      status: fit.status,
      sweeps: fit.sweeps,
      seconds: fit.seconds.fit,
      objective: fit.objective,
      trace: fit.trace,
    });
  }
  curves[name] = runs;
  console.log(name.padEnd(18), runs.map((r) => `${r.sweeps} sweeps ${r.seconds.toFixed(2)} s ${r.status}`).join(' | '));
}
record('convergence', {
  what: 'sweeps to a relative gradient norm of 1e-6, f64, 2000×800, 100,000 observations, rank 8, λ 0.05 by count',
  runs: Object.fromEntries(
    Object.entries(curves).map(([name, runs]) => [name, runs.map(({ trace: _trace, ...rest }) => rest)]),
  ),
});
writeFileSync(
  new URL('../docs/convergence.svg', import.meta.url),
  draw(Object.entries(curves).map(([name, runs]) => [name, runs[0]])),
);

/** (f − best)/best against sweeps, log scale. */
function draw(series) {
  const width = 720;
  const height = 320;
  const pad = { left: 70, right: 150, top: 40, bottom: 44 };
  const best = Math.min(...series.map(([, run]) => run.objective));
  const gap = (f) => Math.min(1, Math.max((f - best) / best, 1e-12));
  const most = Math.max(...series.map(([, run]) => Math.min(run.sweeps, 400)));
  const x = (sweep) => pad.left + (sweep / most) * (width - pad.left - pad.right);
  const y = (value) => pad.top + ((0 - Math.log10(value)) / 12) * (height - pad.top - pad.bottom);
  const colors = ['#0b6bcb', '#c2410c', '#6b7280'];
  const lines = series.map(([name, run], i) => {
    const points = run.trace.filter((e) => e.step !== 'rejected' && e.sweep <= most && gap(e.objective) > 1e-12);
    const path = points.map((e) => `${x(e.sweep).toFixed(1)},${y(gap(e.objective)).toFixed(1)}`).join(' ');
    const legendY = pad.top + 16 + i * 20;
    return `<polyline fill="none" stroke="${colors[i]}" stroke-width="2" points="${path}"/>
<line x1="${width - pad.right + 12}" x2="${width - pad.right + 34}" y1="${legendY - 4}" y2="${legendY - 4}" stroke="${colors[i]}" stroke-width="2"/><text x="${width - pad.right + 40}" y="${legendY}">${name}</text>`;
  });
  const grid = [0, -3, -6, -9, -12].map(
    (e) =>
      `<line x1="${pad.left}" x2="${width - pad.right}" y1="${y(10 ** e)}" y2="${y(10 ** e)}" stroke="#8884"/><text x="${pad.left - 8}" y="${y(10 ** e) + 4}" text-anchor="end">1e${e}</text>`,
  );
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (t) => `<text x="${x(most * t)}" y="${height - 24}" text-anchor="middle">${Math.round(most * t)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="13" fill="#555">
<title>(f − best) / best against sweeps</title>
${[...grid, ...ticks, ...lines].join('\n')}
<text x="${pad.left}" y="${height - 6}">sweeps</text><text x="14" y="20">(f − best) / best</text>
</svg>
`;
}
