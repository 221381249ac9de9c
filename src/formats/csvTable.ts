/** Dense CSV tables as laboratories keep them: column labels in the first line, row labels in the first field. */
import ndarray from 'ndarray';
import { badNumber } from './badNumber.js';
import { checkLabels } from './columnTable.js';
import { records } from './csvRecords.js';
import { malformed } from './lines.js';
import { parseNumber } from './numbers.js';
import type { Table } from './table.js';

/** How people and programs write a cell that they do not know. */
const missing = /^(na|nan|n\/a)$/i;

/** Cells that are empty, NA, N/A or NaN are unobserved (NaN). @throws HadamardError `malformed-file`, `invalid-value`, with the line. */
export async function readCsvTable(path: string): Promise<Table> {
  let corner = '';
  let columns: string[] | undefined;
  const rows: string[] = [];
  const lines: Float64Array[] = [];
  const unknowns = new Map<string, number>();
  for await (const some of records(path, () => false))
    for (const { fields, line } of some) {
      if (columns === undefined) {
        corner = fields[0] as string;
        columns = fields.slice(1);
        if (columns.length === 0)
          throw malformed(
            path,
            `Line ${line}, the header, has one field.`,
            { line },
            'A table begins with a line of column labels, the first field being the corner.',
            'Add the labels, or leave --table out where lines are row, column, value.',
          );
        continue;
      }
      if (fields.length !== columns.length + 1)
        throw malformed(
          path,
          `Line ${line} has ${fields.length} fields and the header ${columns.length + 1}.`,
          { line },
          'Each line is a row label and a value, or nothing, for every column.',
          'Complete the line: an unknown value is an empty field.',
        );
      rows.push(fields[0] as string);
      lines.push(
        Float64Array.from(columns, (_, j) => {
          const text = fields[j + 1] as string;
          if (text === '') return Number.NaN;
          if (missing.test(text)) {
            unknowns.set(text, (unknowns.get(text) ?? 0) + 1);
            return Number.NaN;
          }
          const bytes = Buffer.from(text);
          const number = parseNumber(bytes, 0, bytes.length);
          if (!Number.isFinite(number)) throw badNumber(path, text, line, j + 1);
          return number;
        }),
      );
    }
  if (columns === undefined || rows.length === 0)
    throw malformed(
      path,
      `${path} holds no rows.`,
      {},
      'A table is a line of column labels, then a line a row.',
      'Check that it is the right file and whole.',
    );
  checkLabels(path, rows, columns);
  const values = new Float64Array(rows.length * columns.length);
  lines.forEach((numbers, i) => {
    values.set(numbers, i * numbers.length);
  });
  const notes = [...unknowns].map(
    ([text, count]) => `${path}: "${text}" in ${count} ${count === 1 ? 'cell' : 'cells'}, taken as unobserved.`,
  );
  return { matrix: ndarray(values, [rows.length, columns.length]), labels: { rows, columns }, corner, notes };
}
