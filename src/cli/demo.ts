/** `hadamard demo` */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { type ExitCode, exitCodeOf } from './exitCodes.js';
import { progressLine } from './progress.js';
import { facts } from './render.js';
import { runFit } from './runFit.js';
import { runRecord } from './runRecord.js';
import { summaryOf } from './summary.js';

const sample = new URL('../../../samples/epa-baton-rouge/', import.meta.url);
const inSample = (name: string) => relative(process.cwd(), fileURLToPath(new URL(name, sample)));
const folder = './hadamard-demo/';

/** Fits the shipped sample at rank 4, every entry weighted by its measured uncertainty. */
export async function demo(): Promise<ExitCode> {
  const line = progressLine(process.stderr, { quiet: false });
  const data = {
    path: inSample('concentrations.csv'),
    weights: inSample('uncertainties.csv'),
    weightsAre: 'sigma' as const,
    table: true,
  };
  const { path, ...flags } = data;
  // The fit that comes to the same model.
  const run = runRecord('fit', [path], { ...flags, rank: 4 }, folder);
  const done = await runFit({ data, options: { rank: 4 }, run, out: folder }, line);
  const source =
    'Air over Baton Rouge (US EPA): concentrations of 41 volatile species in 307 samples, each weighted by 1/σ of its measured uncertainty; factors of either sign (sources, which are not negative: --preset pmf)';
  const title = styleText('bold', 'What varies in the air, in four columns', { stream: process.stdout });
  const next: [string, string][] = [
    [
      'next',
      'npx hadamard inspect hadamard-demo\nnpx hadamard report hadamard-demo --out demo.html\nnpx hadamard fit <your.csv> --rank 4 --out model\nnpx hadamard fit --help',
    ],
  ];
  process.stdout.write(`\n  ${title}\n\n${facts([...summaryOf(done, source), ...next], process.stdout)}\n\n`);
  return exitCodeOf(done.model.fit, new Set());
}
