/** `hadamard report`, and the page of `hadamard fit --report`. */
import { basename, resolve } from 'node:path';
import { shapeOf, visitEntries } from '../data/entries.js';
import type { MatrixInput, WeightsInput } from '../data/input.js';
import { HadamardError } from '../errors.js';
import { asTool } from '../factorize/like.js';
import { replaceFile } from '../formats/replaceFile.js';
import { loadModel } from '../model/load.js';
import type { Model } from '../model/model.js';
import type { FitOptions } from '../options.js';
import { type ReportOptions, reportHtml } from '../report/report.js';
import { weightKindOf } from './dataFlags.js';
import type { ExitCode } from './exitCodes.js';
import { columnNames } from './flags.js';
import { unknown } from './names.js';
import { checkOutputFile, sayWritten } from './output.js';
import { matchLabels, type Problem, readProblem } from './problem.js';
import { progressLine } from './progress.js';
import { withReceptorRules } from './receptorRules.js';
import { bytes } from './render.js';
import { untilInterrupt } from './signals.js';

export interface ReportFlags {
  readonly out: string;
  readonly weights?: string;
  readonly weightsAre?: string;
  readonly columns?: string;
  readonly table?: true;
  readonly json?: true;
  readonly quiet?: true;
}

export async function report(directory: string, path: string | undefined, flags: ReportFlags): Promise<ExitCode> {
  const { out, weights, columns, table } = flags;
  const weightsAre = weightKindOf(flags);
  await checkOutputFile(out);
  return untilInterrupt(async () => {
    const model = await loadModel(directory);
    const line = progressLine(process.stderr, { quiet: flags.quiet === true });
    let page: string;
    if (path === undefined) {
      if (weights !== undefined) line.note('--weights does nothing without A.');
      page = reportHtml(model, undefined, { source: basename(resolve(directory)) });
    } else {
      const request = { path, weights, weightsAre, columns: columnNames(columns), table: table === true };
      const problem = await readProblem(request);
      for (const note of problem.notes) line.note(note);
      for (const warning of problem.warnings) line.warn(warning);
      page = pageOf(model, inModel(model, problem, path, line.note), basename(path));
    }
    await replaceFile(out, [page]);
    if (flags.json) process.stdout.write(`${JSON.stringify({ schema: 1, out, bytes: Buffer.byteLength(page) })}\n`);
    else sayWritten(out, `a page of ${bytes(Buffer.byteLength(page))}`, line);
    return 0;
  });
}

export interface Fitted {
  readonly A: MatrixInput;
  readonly weights: WeightsInput | undefined;
}

/** The page of a model and the data it was fitted to: what option `like` makes of the values is made here. */
export function pageOf(model: Model, { A, weights }: Fitted, source: string, test?: ReportOptions['test']): string {
  const { rank, like, alpha } = model.fit.options;
  const made = asTool(A, { rank, weights, ...(like && { like }), ...(alpha !== undefined && { alpha }) } as FitOptions);
  const given = (made.options as { weights?: WeightsInput }).weights;
  return reportHtml(model, made.A, { weights: given, source, test });
}

/**
 * A and its weights at the model's rows and columns: by label where both have labels, else by position.
 *
 * @throws HadamardError `shape-mismatch`; `not-found` where no entry belongs to the model.
 */
export function inModel(model: Model, problem: Problem, path: string, note: (text: string) => void): Fitted {
  const { A, labels } = problem;
  const [m, n] = model.shape;
  const weights = withReceptorRules(problem, rulesOf(model));
  const [rows, columns] = shapeOf(A);
  const own = model.labels;
  if (!labels || !own.rows || !own.columns) {
    if (rows === m && columns === n && !labels === !(own.rows || own.columns)) return { A, weights };
    throw new HadamardError({
      code: 'shape-mismatch',
      what: `${path} is ${rows}×${columns}${labels ? ' with labels' : ''} and the model ${m}×${n}${own.rows || own.columns ? ' with labels' : ''}.`,
      position: { file: path },
      rule: 'The A of the fit is matched to its model by label, or by position where neither has labels.',
      remedy: 'Give the A that was fitted, read as it was then (--table, --columns).',
    });
  }
  const rowAt = matchLabels(labels.rows, own.rows);
  const columnAt = matchLabels(labels.columns, own.columns);
  const listed = { rows: [] as number[], columns: [] as number[], values: [] as number[], roots: [] as number[] };
  let strangers = 0;
  visitEntries(A, weights, (row, column, value, weight) => {
    const [i, j] = [rowAt[row] as number, columnAt[column] as number];
    if (i === unknown || j === unknown) {
      strangers++;
      return;
    }
    listed.rows.push(i);
    listed.columns.push(j);
    listed.values.push(value);
    listed.roots.push(weight);
  });
  if (listed.values.length === 0)
    throw new HadamardError({
      code: 'not-found',
      what: `No entry of ${path} names a row and a column of the model.`,
      position: { file: path },
      rule: 'The A of the fit is matched to its model by label, letter by letter.',
      remedy: 'Give the A that was fitted, read as it was then (--table, --columns).',
    });
  if (strangers > 0) note(`${path}: ${strangers} entries name a row or column that the model does not have; left out.`);
  return {
    A: {
      rows: Uint32Array.from(listed.rows),
      columns: Uint32Array.from(listed.columns),
      values: Float64Array.from(listed.values),
      shape: [m, n],
    },
    ...(weights ? { weights: { sqrtWeight: Float64Array.from(listed.roots) } } : { weights: undefined }),
  };
}

/** The rules for species that the fit's command gave: its weights were changed by them. */
function rulesOf({ run }: Model) {
  const text = (name: string) => {
    const value = run?.options[name];
    return value === undefined ? undefined : String(value);
  };
  const extra = text('extraUncertainty');
  return {
    weak: columnNames(text('weak')) ?? [],
    bad: columnNames(text('bad')) ?? [],
    total: text('total'),
    extra: extra === undefined ? undefined : Number(extra),
  };
}
