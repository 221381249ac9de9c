/** `hadamard fold-in` */
import { HadamardError } from '../errors.js';
import { type FoldedIn, foldIn } from '../factorize/foldIn.js';
import { csvChunks } from '../formats/csvWrite.js';
import { formatOf } from '../formats/formatOf.js';
import { npyParts } from '../formats/npy.js';
import type { OutputColumns } from '../formats/output.js';
import { replaceFile } from '../formats/replaceFile.js';
import { loadModel } from '../model/load.js';
import { type DataFlags, dataRequestOf, duplicatesOf, sideOf } from './dataFlags.js';
import type { ExitCode } from './exitCodes.js';
import { asInFile } from './inFile.js';
import { readModelData } from './modelData.js';
import { checkOutputFile, sayWritten } from './output.js';
import { progressLine } from './progress.js';
import { count } from './render.js';
import { interruptible } from './signals.js';

export interface FoldInFlags extends DataFlags {
  readonly duplicates?: string;
  readonly side?: string;
  readonly out?: string;
  readonly json?: true;
  readonly quiet?: true;
}

export async function foldInFile(directory: string, path: string, flags: FoldInFlags): Promise<ExitCode> {
  const { out = '-', json } = flags;
  await checkOutputFile(out);
  const format = formatOf(out);
  if (format !== 'csv' && format !== 'tsv' && format !== 'npy')
    throw new HadamardError({
      code: 'invalid-option',
      what: `out is "${out}".`,
      position: { option: 'out' },
      rule: 'Factors are written to a .csv, .tsv or .npy file (also .gz or .zst), or to stdout (-).',
      remedy: 'Give such a file; hadamard update writes a model that has the rows.',
    });
  const side = sideOf(flags.side);
  const duplicates = duplicatesOf(flags.duplicates);
  const line = progressLine(process.stderr, { quiet: flags.quiet === true });
  return interruptible(async (signal) => {
    const model = await loadModel(directory);
    const { A, weights, names, notes, problem } = await readModelData(model, dataRequestOf(path, flags), side);
    const folded = await foldIn(model, A, { side, weights, duplicates, signal }).catch((error: unknown) => {
      throw asInFile(error, path, problem);
    });
    const told = [...notes, ...folded.notes];
    for (const note of told) line.note(note);
    if (out === '-' && json) process.stdout.write(rowsAsJson(folded, names));
    else {
      const { data, shape } = folded.factor;
      const delimiter = format === 'tsv' ? '\t' : ',';
      await replaceFile(out, format === 'npy' ? npyParts(data, shape) : csvChunks(columnsOf(folded, names), delimiter));
      if (json) process.stdout.write(`${summaryAsJson(folded, told, out)}\n`);
      else sayWritten(out, `factors of ${count(shape[0] as number)} ${side}`, line);
    }
    if (format === 'npy' && folded.bias)
      line.note('The biases are not in the .npy; a .csv has them in its last column.');
    return 0;
  });
}

/** row,u1,…,uk[,bias] */
function columnsOf({ factor, bias, side }: FoldedIn, names: readonly string[] | undefined): OutputColumns {
  const [rows = 0, k = 0] = factor.shape;
  const number = (name: string) => ({ name, kind: 'number' as const });
  return {
    columns: [
      { name: side === 'rows' ? 'row' : 'column', kind: names ? 'label' : 'index' },
      ...Array.from({ length: k }, (_, c) => number(`${side === 'rows' ? 'u' : 'v'}${c + 1}`)),
      ...(bias ? [number('bias')] : []),
    ],
    batches: [
      [
        names ?? Array.from({ length: rows }, (_, row) => row),
        ...Array.from({ length: k }, (_, c) => Float64Array.from({ length: rows }, (_, row) => factor.get(row, c))),
        ...(bias ? [bias] : []),
      ],
    ],
  };
}

function rowsAsJson(
  { factor, bias, observed, gradientNorms, side }: FoldedIn,
  names: readonly string[] | undefined,
): string {
  const k = factor.shape[1] as number;
  return Array.from(observed, (count, row) => {
    const line = {
      [side === 'rows' ? 'row' : 'column']: names?.[row] ?? row,
      factor: Array.from(factor.data.subarray(row * k, (row + 1) * k)),
      ...(bias && { bias: bias[row] }),
      observed: count,
      gradientNorm: gradientNorms[row],
    };
    return `${JSON.stringify(line)}\n`;
  }).join('');
}

function summaryAsJson(folded: FoldedIn, notes: readonly string[], out: string): string {
  const { side, factor, observed, gradientNorms, objective, loss, regularization } = folded;
  return JSON.stringify({
    schema: 1,
    side,
    count: factor.shape[0],
    observed: observed.reduce((sum, count) => sum + count, 0),
    objective,
    loss,
    regularization,
    largestGradientNorm: gradientNorms.reduce((most, norm) => Math.max(most, norm), 0),
    out,
    notes,
  });
}
