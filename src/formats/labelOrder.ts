/** Entries in the order of their labels, for sources that keep none of their own. */
import ndarray, { type NdArray } from 'ndarray';
import { isTriples } from '../data/forms.js';
import type { RealArray, Triples } from '../data/input.js';
import { rowByRow } from '../data/rowOrder.js';
import type { Table } from './table.js';

/**
 * The same table with rows and columns numbered by label, compared by UTF-16 code units, and entries row by row; entries of one
 * place stay in their order. A dense table keeps the order of its columns.
 */
export function inLabelOrder(table: Table): Table {
  const { matrix, labels } = table;
  if (labels === undefined) return table;
  if (isTriples(matrix)) return { ...table, ...sortedEntries(table, matrix, labels) };
  const { order, sorted } = sortedLabels(labels.rows);
  const cells = matrix as NdArray<RealArray>;
  const width = labels.columns.length;
  const values = new Float64Array(sorted.length * width);
  order.forEach((from, i) => {
    for (let j = 0; j < width; j++) values[i * width + j] = cells.get(from, j);
  });
  return {
    ...table,
    matrix: ndarray(values, [sorted.length, width]),
    labels: { rows: sorted, columns: labels.columns },
  };
}

function sortedEntries(
  { weights, extra }: Table,
  { rows, columns, values, shape }: Triples,
  labels: NonNullable<Table['labels']>,
): Pick<Table, 'matrix' | 'labels' | 'weights' | 'extra'> {
  const [row, column] = [sortedLabels(labels.rows), sortedLabels(labels.columns)];
  const newRows = Uint32Array.from(rows, (i) => row.placeOf[i] as number);
  const newColumns = Uint32Array.from(columns, (j) => column.placeOf[j] as number);
  const order = rowByRow(
    newRows.map((_, t) => t),
    newRows,
    newColumns,
    shape,
  );
  const taken = (list: RealArray) => Float64Array.from(order, (t) => list[t] as number);
  return {
    matrix: {
      rows: order.map((t) => newRows[t] as number),
      columns: order.map((t) => newColumns[t] as number),
      values: taken(values),
      shape,
    },
    labels: { rows: row.sorted, columns: column.sorted },
    ...(weights && { weights: taken(weights) }),
    ...(extra && { extra: taken(extra) }),
  };
}

/** Labels sorted, where each place came from, and where each label went. */
function sortedLabels(labels: readonly string[]) {
  const order = [...labels.keys()].sort((a, b) => ((labels[a] as string) < (labels[b] as string) ? -1 : 1));
  const placeOf = new Uint32Array(labels.length);
  order.forEach((from, place) => {
    placeOf[from] = place;
  });
  return { sorted: order.map((from) => labels[from] as string), order, placeOf };
}
