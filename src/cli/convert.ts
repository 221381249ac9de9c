/** `hadamard convert` */
import { shapeOf } from '../data/entries.js';
import { isTriples } from '../data/forms.js';
import type { Triples } from '../data/input.js';
import { duplicateEntry } from '../data/observations.js';
import { HadamardError, isHadamardError } from '../errors.js';
import { checkFormat } from '../formats/formatOf.js';
import { jsonLineChunks } from '../formats/jsonLines.js';
import { replaceFile } from '../formats/replaceFile.js';
import type { Table } from '../formats/table.js';
import { holdsLabels, outputFormat, writeTable } from '../formats/writeTable.js';
import type { ExitCode } from './exitCodes.js';
import { columnNames } from './flags.js';
import { asInFile } from './inFile.js';
import { checkOutputFile, sayWritten } from './output.js';
import { progressLine } from './progress.js';
import { readData } from './readData.js';
import { count, counted } from './render.js';
import { untilInterrupt } from './signals.js';

export interface ConvertFlags {
  readonly columns?: string;
  readonly table?: true;
  readonly format?: string;
  readonly quiet?: true;
}

/** Reads all, then writes; labels that the new format cannot hold are kept in files beside it. */
export async function convert(path: string, out: string, flags: ConvertFlags): Promise<ExitCode> {
  const columns = columnNames(flags.columns);
  const format = checkFormat(flags.format);
  const to = await outputFormat(out);
  await checkOutputFile(out);
  return untilInterrupt(async () => {
    const table = await readData(path, { columns, table: flags.table, format, weights: columns?.length === 4 });
    await writeTable(out, table).catch((error: unknown) => {
      throw inSource(error, path, table);
    });
    const notes = [...table.notes];
    if (table.labels && !holdsLabels(to)) {
      for (const side of ['rows', 'columns'] as const)
        await replaceFile(`${out}.${side}.jsonl`, jsonLineChunks(table.labels[side]));
      notes.push(
        `${out} holds no labels: they are in ${out}.rows.jsonl and ${out}.columns.jsonl, a JSON string a line.`,
      );
    } else if (!table.labels && isTriples(table.matrix) && holdsLabels(to)) notes.push(...unlisted(table.matrix, out));
    const line = progressLine(process.stderr, { quiet: flags.quiet === true });
    for (const note of notes) line.note(note);
    const [m, n] = shapeOf(table.matrix);
    const entries = isTriples(table.matrix) ? `${count(table.matrix.values.length)} entries of ` : '';
    sayWritten(out, `${entries}${count(m)} × ${count(n)}`, line);
    return 0;
  });
}

/** What is listed twice stands in the file that was read, whatever could not be written for it. */
function inSource(error: unknown, path: string, table: Table): unknown {
  if (!isHadamardError(error) || error.code !== 'duplicate-entry') return error;
  const { row, column } = error.position as Required<typeof error.position>;
  const found = asInFile(duplicateEntry(row, column, table.matrix, undefined), path, table) as HadamardError;
  return new HadamardError({ ...found.toJSON(), rule: error.rule, remedy: error.remedy });
}

/** A list of entries says nothing of rows and columns that have none. */
function unlisted({ rows, columns, shape }: Triples, out: string): string[] {
  const empty = [shape[0] - new Set(rows).size, shape[1] - new Set(columns).size] as const;
  const told = empty.flatMap((number, axis) => (number === 0 ? [] : counted(number, axis === 0 ? 'row' : 'column')));
  const isOne = empty[0] + empty[1] === 1;
  return told.length === 0
    ? []
    : [`${told.join(' and ')} without entries ${isOne ? 'is' : 'are'} not in ${out}; .mtx and .npz keep the shape.`];
}
