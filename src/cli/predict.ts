/** `hadamard predict` */
import { rename, rm, writeFile } from 'node:fs/promises';
import { HadamardError, loadModel, type Model } from '../index.js';
import type { ExitCode } from './exitCodes.js';
import { columnNames } from './flags.js';
import { predictPairs } from './names.js';
import { type NamedPairs, readPairs } from './readPairs.js';
import { csvField } from './render.js';

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
  const model = await loadModel(directory);
  const pairs = await readPairs(model, path, columnNames(columns));
  for (const note of pairs.notes) process.stderr.write(`${note}\n`);
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

/** Writes beside the file and renames, so that an older file is replaced as a whole or not at all. */
async function writeWhole(path: string, text: string): Promise<void> {
  const fresh = `${path}.new-${process.pid}`;
  try {
    await writeFile(fresh, text);
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
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
