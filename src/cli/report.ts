/** `hadamard report`, and the page of `hadamard fit --report`. */
import { basename, resolve } from 'node:path';
import type { WeightsInput } from '../data/input.js';
import { asTool } from '../factorize/like.js';
import { replaceFile } from '../formats/replaceFile.js';
import { loadModel } from '../model/load.js';
import type { Model } from '../model/model.js';
import type { FitOptions } from '../options.js';
import { type ReportOptions, reportHtml } from '../report/report.js';
import { type DataFlags, dataRequestOf } from './dataFlags.js';
import type { ExitCode } from './exitCodes.js';
import { type Fitted, readFitted } from './fittedData.js';
import { checkOutputFile, sayWritten } from './output.js';
import { progressLine } from './progress.js';
import { bytes } from './render.js';
import { untilInterrupt } from './signals.js';

export interface ReportFlags extends DataFlags {
  readonly out: string;
  readonly json?: true;
  readonly quiet?: true;
}

export async function report(directory: string, path: string | undefined, flags: ReportFlags): Promise<ExitCode> {
  const { out } = flags;
  // Checked where there is no A as well.
  const request = dataRequestOf(path ?? '', flags);
  await checkOutputFile(out);
  return untilInterrupt(async () => {
    const model = await loadModel(directory);
    const line = progressLine(process.stderr, { quiet: flags.quiet === true });
    let page: string;
    if (path === undefined) {
      if (flags.weights !== undefined) line.note('--weights does nothing without A.');
      page = reportHtml(model, undefined, { source: basename(resolve(directory)) });
    } else page = pageOf(model, await readFitted(model, request, line), basename(path));
    await replaceFile(out, [page]);
    if (flags.json) process.stdout.write(`${JSON.stringify({ schema: 1, out, bytes: Buffer.byteLength(page) })}\n`);
    else sayWritten(out, `a page of ${bytes(Buffer.byteLength(page))}`, line);
    return 0;
  });
}

/** The page of a model and the data it was fitted to: what option `like` makes of the values is made here. */
export function pageOf(model: Model, { A, weights }: Fitted, source: string, test?: ReportOptions['test']): string {
  const { rank, like, alpha } = model.fit.options;
  const made = asTool(A, { rank, weights, ...(like && { like }), ...(alpha !== undefined && { alpha }) } as FitOptions);
  const given = (made.options as { weights?: WeightsInput }).weights;
  return reportHtml(model, made.A, { weights: given, source, test });
}
