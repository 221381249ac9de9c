/** `hadamard explain` */
import { shapeOf } from '../data/entries.js';
import { HadamardError } from '../errors.js';
import { type Explanation, explain } from '../factorize/explain.js';
import { loadModel } from '../model/load.js';
import { didYouMean } from '../suggest.js';
import { type DataFlags, dataRequestOf, duplicatesOf, numberFlag } from './dataFlags.js';
import type { ExitCode } from './exitCodes.js';
import { asInFile } from './inFile.js';
import { type ModelData, readModelData } from './modelData.js';
import { columnOf, indexNamed } from './names.js';
import { facts, grid, printable, real } from './render.js';

export interface ExplainFlags extends DataFlags {
  readonly duplicates?: string;
  readonly row: string;
  readonly column: string;
  readonly top?: string;
  readonly json?: true;
}

export async function explainPrediction(directory: string, path: string, flags: ExplainFlags): Promise<ExitCode> {
  const top = numberFlag('top', flags.top, 0) ?? 10;
  const duplicates = duplicatesOf(flags.duplicates);
  const model = await loadModel(directory);
  const data = await readModelData(model, dataRequestOf(path, flags));
  for (const note of data.notes) process.stderr.write(`${printable(note)}\n`);
  const row = rowOf(data, path, flags.row);
  const column = columnOf(model, flags.column);
  const explanation = await explain(model, data.A, row, column, { weights: data.weights, duplicates }).catch(
    (error: unknown) => {
      throw asInFile(error, path, data.problem);
    },
  );
  for (const note of explanation.notes) process.stderr.write(`${printable(note)}\n`);
  if (flags.json)
    process.stdout.write(`${JSON.stringify({ schema: 1, row: flags.row, column: flags.column, ...explanation })}\n`);
  else process.stdout.write(`${asText(explanation, top, flags)}\n`);
  return 0;
}

function rowOf({ names, A }: ModelData, path: string, name: string): number {
  const row = names ? names.indexOf(name) : (indexNamed(name, shapeOf(A)[0]) ?? -1);
  if (row >= 0) return row;
  throw new HadamardError({
    code: 'not-found',
    what: `${path} has no row "${name}".`,
    position: { option: 'row', file: path },
    rule: names
      ? `Its rows have names, such as "${names[0]}".`
      : `Its rows are 0…${shapeOf(A)[0] - 1}, counted from 0.`,
    remedy: `${didYouMean(name, names ?? [])}Give --row one of these.`,
  });
}

function asText(explanation: Explanation, top: number, { row, column }: ExplainFlags): string {
  const { prediction, base, contributions, background, constraints } = explanation;
  const shown = contributions.slice(0, top);
  const rest = contributions.slice(top).reduce((sum, { contribution }) => sum + contribution, 0);
  const hidden = contributions.length - shown.length;
  const head = facts(
    [
      ['prediction', `${real(prediction)} for ${printable(row)}, ${printable(column)}`],
      ['base', `${real(base)}, without any observation of the row`],
      ...(background === 0 ? [] : [['background', real(background)] as [string, string]]),
      ...(constraints === 0 ? [] : [['constraints', real(constraints)] as [string, string]]),
    ],
    process.stdout,
  );
  const lines = shown.map((one) => [
    printable(one.label ?? String(one.column)),
    real(one.value),
    real(one.expected),
    real(one.weight),
    real(one.effect),
    real(one.contribution),
  ]);
  if (hidden > 0) lines.push([`${hidden} more`, '', '', '', '', real(rest)]);
  const heading = contributions.some(({ label }) => label === undefined) ? 'observation (from 0)' : 'observation';
  const table = grid([heading, 'value', 'expected', 'weight W', 'effect', 'contribution'], lines, process.stdout);
  return `${head}\n\n${table}`;
}
