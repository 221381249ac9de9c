/** `hadamard demo` */
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { type ExitCode, exitCodeOf } from './exitCodes.js';
import { progressLine } from './progress.js';
import { facts } from './render.js';
import { runFit } from './runFit.js';
import { summaryOf } from './summary.js';

const sample = new URL('../../../samples/epa-baton-rouge/', import.meta.url);
const folder = './hadamard-demo/';

/** Fits the shipped sample at rank 4, every entry weighted by its measured uncertainty. */
export async function demo(): Promise<ExitCode> {
  const line = progressLine(process.stderr, { quiet: false });
  const data = {
    path: fileURLToPath(new URL('concentrations.csv', sample)),
    weights: fileURLToPath(new URL('uncertainties.csv', sample)),
    weightsAre: 'sigma' as const,
    table: true,
  };
  const done = await runFit({ data, options: { rank: 4 }, out: folder }, line);
  const source =
    'Air over Baton Rouge (US EPA): concentrations of 41 volatile species in 307 samples, each weighted by 1/σ of its measured uncertainty';
  const title = styleText('bold', 'Four sources of what is in the air', { stream: process.stdout });
  const next: [string, string][] = [
    [
      'next',
      'npx hadamard inspect hadamard-demo\nnpx hadamard report hadamard-demo --out demo.html\nnpx hadamard fit <your.csv> --rank 4 --out model\nnpx hadamard fit --help',
    ],
  ];
  process.stdout.write(`\n  ${title}\n\n${facts([...summaryOf(done, source), ...next], process.stdout)}\n\n`);
  return exitCodeOf(done.model.fit, new Set());
}
