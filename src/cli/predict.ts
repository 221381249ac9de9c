/** `hadamard predict` */
import { loadModel, type Model } from '../index.js';
import type { ExitCode } from './exitCodes.js';
import { columnNames } from './flags.js';
import { predictPairs } from './names.js';
import { checkOutputFile, writeResult } from './output.js';
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
  await checkOutputFile(out);
  const model = await loadModel(directory);
  const pairs = await readPairs(model, path, columnNames(columns));
  for (const note of pairs.notes) process.stderr.write(`${printable(note)}\n`);
  const lines = json ? predictionsAsJson(model, pairs) : predictionLines(model, pairs);
  await writeResult(out, [lines]);
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
