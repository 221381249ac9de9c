/** Models to be recommended from, and the answer by brute force. */
import { digestOf } from '../../dist/src/model/digest.js';
import { Model, matrix } from '../../dist/src/model/model.js';
import { uniform } from '../helpers/random.js';
import { sampleModel } from '../model/sample.js';

export interface ModelRequest {
  rows?: number;
  columns?: number;
  rank?: number;
  dtype?: 'f32' | 'f64';
  biases?: 'none' | 'rows' | 'columns' | 'both';
  seed?: number;
  /** Factors are multiplied by these, biases by their product. */
  scale?: readonly [number, number];
  /** Every column is one of so many, so that ties are everywhere. */
  distinct?: number;
  mean?: number;
  labels?: { rows?: string[]; columns?: string[] };
}

export function randomModel(request: ModelRequest): Model {
  const { rows = 70, columns = 700, rank = 5, dtype = 'f32', biases = 'none', seed = 1, scale = [1, 1] } = request;
  const { distinct = columns, mean = 3.25, labels } = request;
  const Real = dtype === 'f32' ? Float32Array : Float64Array;
  const next = uniform(seed);
  const fill = (length: number, by: number) => new Real(length).map(() => (next() - 0.5) * by);
  const U = fill(rows * rank, scale[0]);
  const V = fill(columns * rank, scale[1]);
  const b = fill(rows, scale[0] * scale[1]);
  const c = fill(columns, scale[0] * scale[1]);
  for (let j = distinct; j < columns; j++) {
    V.copyWithin(j * rank, (j % distinct) * rank, (j % distinct) * rank + rank);
    c[j] = c[j % distinct] as number;
  }
  const rowBias = biases === 'rows' || biases === 'both' ? b : undefined;
  const columnBias = biases === 'columns' || biases === 'both' ? c : undefined;
  return new Model({
    U: matrix(U, rows, rank),
    V: matrix(V, columns, rank),
    biases: {
      kind: biases,
      mean: biases === 'none' ? 0 : mean,
      ...(rowBias && { rows: rowBias }),
      ...(columnBias && { columns: columnBias }),
    },
    ...(labels && { labels }),
    fit: {
      ...sampleModel({ rank, dtype, biases }).fit,
      rows,
      columns,
      digest: digestOf([U, V, rowBias, columnBias]),
    },
  });
}

/** Every column predicted, sorted and cut. */
export function bruteForce(
  model: Model,
  row: number,
  top: number,
  isExcluded: (column: number) => boolean = () => false,
): { column: number; prediction: number }[] {
  return Array.from({ length: model.shape[1] }, (_, column) => ({ column, prediction: model.predict(row, column) }))
    .filter(({ column }) => !isExcluded(column))
    .sort((a, b) => b.prediction - a.prediction || a.column - b.column)
    .slice(0, top);
}
