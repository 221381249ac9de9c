/** `hadamard predict` */
import { checkFormat, type Format } from '../formats/formatOf.js';
import { npyParts } from '../formats/npy.js';
import type { Chunks, OutputBatch } from '../formats/output.js';
import { replaceFile } from '../formats/replaceFile.js';
import { recordChunks } from '../formats/writeTable.js';
import { intervalOf } from '../model/intervals.js';
import { loadModel } from '../model/load.js';
import type { Model } from '../model/model.js';
import { numberFlag } from './dataFlags.js';
import type { ExitCode } from './exitCodes.js';
import { columnNames } from './flags.js';
import { predictPairs, unknown } from './names.js';
import { checkOutputFile, recordFormat, sayWritten } from './output.js';
import { progressLine } from './progress.js';
import { type NamedPairs, readPairs } from './readPairs.js';
import { count } from './render.js';
import { untilInterrupt } from './signals.js';

export interface PredictFlags {
  readonly columns?: string;
  readonly format?: string;
  readonly out?: string;
  readonly intervals?: string;
  readonly of?: string;
  readonly json?: true;
  readonly quiet?: true;
}

export async function predict(directory: string, path: string, flags: PredictFlags): Promise<ExitCode> {
  const { columns, out = '-', json, of } = flags;
  const intervals = numberFlag('intervals', flags.intervals);
  await checkOutputFile(out);
  const format = checkFormat(flags.format);
  const to = await recordFormat(
    out,
    json === true,
    {
      what: `${out} cannot hold predictions of pairs.`,
      rule: 'Predictions are .csv, .tsv, .jsonl, .parquet or .arrow; .npy holds their values alone.',
    },
    'npy',
  );
  return untilInterrupt(async () => {
    const model = await loadModel(directory);
    const line = progressLine(process.stderr, { quiet: flags.quiet === true });
    let predicted = 0;
    const pairs = counted(
      readPairs(model, path, { columns: columnNames(columns), format, onNote: line.note }),
      (some) => {
        predicted += some;
      },
    );
    const within =
      intervals === undefined ? undefined : intervalOf(model, { interval: intervals, ...(of && { of: of as 'mean' }) });
    await replaceFile(out, to === 'npy' ? valueChunks(model, pairs) : await predictionChunks(model, pairs, to, within));
    sayWritten(out, `${count(predicted)} predictions`, line);
    return 0;
  });
}

async function* counted(
  pairs: AsyncIterable<NamedPairs>,
  onPairs: (count: number) => void,
): AsyncGenerator<NamedPairs> {
  for await (const some of pairs) {
    yield some;
    onPairs(some.rows.length);
  }
}

/** row, column, prediction for each pair, with the names that the file gave; its standard error and bounds where asked for. */
function predictionChunks(
  model: Model,
  pairs: AsyncIterable<NamedPairs>,
  format: Format,
  within: ReturnType<typeof intervalOf> | undefined,
): Promise<Chunks> {
  const batches = async function* (): AsyncGenerator<OutputBatch> {
    for await (const { rows, columns, rowNames, columnNames } of pairs) {
      const predictions = predictPairs(model, rows, columns);
      // Of what the model has not seen it knows no error.
      const each =
        within &&
        Array.from(predictions, (p, t) => {
          const [row, column] = [rows[t] as number, columns[t] as number];
          return row === unknown || column === unknown ? undefined : within(row, column, p);
        });
      const bounds = each && intervalNames.map((name) => Float64Array.from(each, (one) => one?.[name] ?? Number.NaN));
      yield [rowNames, columnNames, predictions, ...(bounds ?? [])];
    }
  };
  return recordChunks(format, {
    columns: [
      { name: 'row', kind: 'label' },
      { name: 'column', kind: 'label' },
      { name: 'prediction', kind: 'number' },
      ...(within ? intervalNames.map((name) => ({ name, kind: 'number' as const })) : []),
    ],
    batches: batches(),
  });
}

const intervalNames = ['standardError', 'lower', 'upper'] as const;

async function* valueChunks(model: Model, pairs: AsyncIterable<NamedPairs>): Chunks {
  const parts: Float64Array[] = [];
  for await (const { rows, columns } of pairs) parts.push(predictPairs(model, rows, columns));
  const values = new Float64Array(parts.reduce((count, part) => count + part.length, 0));
  let at = 0;
  for (const part of parts) {
    values.set(part, at);
    at += part.length;
  }
  yield* npyParts(values, [values.length]);
}
