/** `hadamard predict` */
import { randomUUID } from 'node:crypto';
import { lstat, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { HadamardError, loadModel, type Model } from '../index.js';
import type { ExitCode } from './exitCodes.js';
import { columnNames } from './flags.js';
import { predictPairs } from './names.js';
import { type NamedPairs, readPairs } from './readPairs.js';
import { csvField, printable } from './render.js';

export interface PredictFlags {
  readonly columns?: string;
  readonly out?: string;
  readonly json?: true;
}

export async function predict(
  directory: string,
  path: string,
  { columns, out = '-', json }: PredictFlags,
): Promise<ExitCode> {
  if (out === '')
    throw new HadamardError({
      code: 'invalid-option',
      what: 'out is empty.',
      position: { option: 'out' },
      rule: 'The CSV is written to a file that has a name, or to stdout.',
      remedy: 'Give a file, or leave --out out.',
    });
  const model = await loadModel(directory);
  const pairs = await readPairs(model, path, columnNames(columns));
  for (const note of pairs.notes) process.stderr.write(`${printable(note)}\n`);
  const lines = json ? predictionsAsJson(model, pairs) : predictionLines(model, pairs);
  if (out === '-') process.stdout.write(lines);
  else await writeWhole(out, lines);
  return 0;
}

/** A header, then row,column,prediction for each pair, with the names that the file gave. */
function predictionLines(model: Model, { rows, columns, rowNames, columnNames }: NamedPairs): string {
  const predictions = predictPairs(model, rows, columns);
  const lines = ['row,column,prediction'];
  predictions.forEach((prediction, t) => {
    lines.push(`${csvField(rowNames[t] as string)},${csvField(columnNames[t] as string)},${prediction}`);
  });
  return `${lines.join('\n')}\n`;
}

/** A JSON object a line: { row, column, prediction }. */
function predictionsAsJson(model: Model, { rows, columns, rowNames, columnNames }: NamedPairs): string {
  const lines = Array.from(
    predictPairs(model, rows, columns),
    (prediction, t) => `${JSON.stringify({ row: rowNames[t], column: columnNames[t], prediction })}\n`,
  );
  return lines.join('');
}

/**
 * Writes beside the file and renames, so that an older file is replaced as a whole or not at all. Links stay: what they
 * lead to is replaced. Pipes, devices and the end of a link to nothing are written to as they are.
 */
async function writeWhole(path: string, text: string): Promise<void> {
  let fresh: string | undefined;
  try {
    const [own, status] = await Promise.all([lstat(path), stat(path)].map((found) => found.catch(() => undefined)));
    if (own && !status?.isFile()) {
      await writeFile(path, text);
      return;
    }
    const target = status ? await realpath(path) : path;
    fresh = `${target}.new-${randomUUID()}`;
    await writeFile(fresh, text, { flag: 'wx', ...(status && { mode: status.mode }) });
    await rename(fresh, target);
  } catch (error) {
    if (fresh !== undefined) await rm(fresh, { force: true });
    throw new HadamardError(
      {
        code: 'output-failed',
        what: `${path} cannot be written: ${(error as Error).message}.`,
        position: { option: 'out', file: path },
        rule: 'The file is written beside its place and then renamed.',
        remedy: 'Check permissions and free space, or give another file.',
      },
      { cause: error },
    );
  }
}
