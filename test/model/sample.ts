/** Small models made by hand. */
import { createHash } from 'node:crypto';
import { Model, matrix } from '../../dist/src/model/model.js';

export interface SampleOptions {
  rows?: number;
  columns?: number;
  rank?: number;
  dtype?: 'f32' | 'f64';
  biases?: 'none' | 'rows' | 'columns' | 'both';
  labels?: { rows?: string[]; columns?: string[] };
  seed?: number;
  lambda?: number;
  lambdaScale?: 'row' | 'count' | 'weight';
  biasLambda?: number;
}

/** Factors, biases and labels as asked for, with numbers that depend on `seed` alone. */
export function sampleModel(options: SampleOptions = {}): Model {
  const { rows = 5, columns = 4, rank = 2, dtype = 'f64', biases = 'none', labels, seed = 1 } = options;
  const { lambda = 0, lambdaScale = 'row', biasLambda = lambda } = options;
  const Real = dtype === 'f32' ? Float32Array : Float64Array;
  let state = seed;
  const next = () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648 - 0.5;
  };
  const fill = (length: number) => new Real(length).map(next);
  const U = fill(rows * rank);
  const V = fill(columns * rank);
  const rowBias = biases === 'rows' || biases === 'both' ? fill(rows) : undefined;
  const columnBias = biases === 'columns' || biases === 'both' ? fill(columns) : undefined;
  const hash = createHash('sha256');
  for (const array of [U, V, rowBias, columnBias]) if (array) hash.update(new Uint8Array(array.buffer));
  return new Model({
    U: matrix(U, rows, rank),
    V: matrix(V, columns, rank),
    biases: {
      kind: biases,
      mean: biases === 'none' ? 0 : 3.25,
      ...(rowBias && { rows: rowBias }),
      ...(columnBias && { columns: columnBias }),
    },
    ...(labels && { labels }),
    fit: {
      status: 'converged',
      reason: 'gradient',
      objective: 1.5,
      loss: 1.25,
      regularization: 0.25,
      sweeps: 7,
      method: { name: 'als', reason: 'default' },
      certificate: {
        relativeGradientNorm: 1e-6,
        gradientNorm: { U: 1e-6, V: 1e-6 },
        objective: 1.5,
        monotone: true,
        tolerance: 1e-5,
      },
      trace: [{ sweep: 1, seconds: 0.1, objective: 1.5, relativeGradientNorm: null, step: 'plain' }],
      seconds: { prepare: 0.1, start: 0.1, fit: 0.1, certify: 0.1 },
      rmse: { train: 0.5, trainWeighted: 0.5 },
      rows,
      columns,
      observed: rows * columns,
      rank,
      threads: 1,
      inline: true,
      blocks: { rows: 1, columns: 1 },
      resident: true,
      dtype,
      arithmetic: 'reproducible',
      seed,
      options: {
        rank,
        lambda,
        lambdaRows: lambda,
        lambdaColumns: lambda,
        lambdaScale,
        nu: 1,
        l1: 0,
        l1Rows: 0,
        l1Columns: 0,
        freeColumns: 0,
        nonnegative: 'none',
        loss: 'quadratic',
        biases,
        biasLambda,
        method: 'als',
        polish: 'none',
        acceleration: 'anderson',
        dtype,
        arithmetic: 'reproducible',
        threads: 1,
        seed,
        start: 'auto',
        maxSweeps: 500,
        tolerance: 1e-5,
        timeLimit: null,
        noise: 'auto',
        duplicates: 'refuse',
        inline: 'auto',
        certificate: 'full',
        residency: 'auto',
        memoryLimit: 1e9,
      },
      utilization: [1],
      memoryBytes: { planned: 1000, peakRss: 1e8 },
      notes: [],
      digest: hash.digest('hex'),
      versions: { hadamard: '0.1.0', node: process.versions.node },
    },
  });
}
