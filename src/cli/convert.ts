/** `hadamard convert` */
import { checkFormat } from '../formats/formatOf.js';
import { jsonLineChunks } from '../formats/jsonLines.js';
import { readTable } from '../formats/readTable.js';
import { replaceFile } from '../formats/replaceFile.js';
import { holdsLabels, outputFormat, writeTable } from '../formats/writeTable.js';
import type { ExitCode } from './exitCodes.js';
import { columnNames } from './flags.js';
import { checkOutputFile } from './output.js';
import { printable } from './render.js';
import { untilInterrupt } from './signals.js';

export interface ConvertFlags {
  readonly columns?: string;
  readonly table?: true;
  readonly format?: string;
}

/** Reads all, then writes; labels that the new format cannot hold are kept in files beside it. */
export async function convert(path: string, out: string, flags: ConvertFlags): Promise<ExitCode> {
  const columns = columnNames(flags.columns);
  const format = checkFormat(flags.format);
  const to = await outputFormat(out);
  await checkOutputFile(out);
  return untilInterrupt(async () => {
    const table = await readTable(path, { columns, table: flags.table, format, weights: columns?.length === 4 });
    await writeTable(out, table);
    const notes = [...table.notes];
    if (table.labels && !holdsLabels(to)) {
      for (const side of ['rows', 'columns'] as const)
        await replaceFile(`${out}.${side}.jsonl`, jsonLineChunks(table.labels[side]));
      notes.push(
        `${out} holds no labels: they are in ${out}.rows.jsonl and ${out}.columns.jsonl, a JSON string a line.`,
      );
    }
    for (const note of notes) process.stderr.write(`${printable(note)}\n`);
    return 0;
  });
}
