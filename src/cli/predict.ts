/** `hadamard predict` */
import { checkFormat, type Format } from '../formats/formatOf.js';
import { npyParts } from '../formats/npy.js';
import type { Chunks, OutputBatch } from '../formats/output.js';
import { replaceFile } from '../formats/replaceFile.js';
import { recordChunks } from '../formats/writeTable.js';
import { loadModel } from '../model/load.js';
import type { Model } from '../model/model.js';
import type { ExitCode } from './exitCodes.js';
import { columnNames } from './flags.js';
import { predictPairs } from './names.js';
import { checkOutputFile, recordFormat } from './output.js';
import { type NamedPairs, readPairs } from './readPairs.js';
import { printable } from './render.js';
import { untilInterrupt } from './signals.js';

export interface PredictFlags {
  readonly columns?: string;
  readonly format?: string;
  readonly out?: string;
  readonly json?: true;
}

export async function predict(directory: string, path: string, flags: PredictFlags): Promise<ExitCode> {
  const { columns, out = '-', json } = flags;
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
    const onNote = (note: string) => void process.stderr.write(`${printable(note)}\n`);
    const pairs = readPairs(model, path, { columns: columnNames(columns), format, onNote });
    await replaceFile(out, to === 'npy' ? valueChunks(model, pairs) : await predictionChunks(model, pairs, to));
    return 0;
  });
}

/** row, column, prediction for each pair, with the names that the file gave. */
function predictionChunks(model: Model, pairs: AsyncIterable<NamedPairs>, format: Format): Promise<Chunks> {
  const batches = async function* (): AsyncGenerator<OutputBatch> {
    for await (const { rows, columns, rowNames, columnNames } of pairs)
      yield [rowNames, columnNames, predictPairs(model, rows, columns)];
  };
  return recordChunks(format, {
    columns: [
      { name: 'row', kind: 'label' },
      { name: 'column', kind: 'label' },
      { name: 'prediction', kind: 'number' },
    ],
    batches: batches(),
  });
}

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
