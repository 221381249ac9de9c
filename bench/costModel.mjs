/**
 * What a sweep costs on paper: floating-point operations by the kernel that does them, and bytes, from the lengths of rows and
 * columns alone. Nothing is fitted to sweeps: seconds are operations over the rate that each kernel has alone with its factors
 * in cache.
 */
import { isConjugate, isShort } from '../dist/src/kernels/backgroundBasis.js';

/** Entries of each row and of each column. */
export function lengthsOf({ rowPointers, columnIndices, shape: [rows, columns] }) {
  const perColumn = new Uint32Array(columns);
  for (const column of columnIndices) perColumn[column]++;
  return {
    rows: Uint32Array.from({ length: rows }, (_, i) => rowPointers[i + 1] - rowPointers[i]),
    columns: perColumn,
  };
}

const add = (work, kernel, width, operations) => {
  const part = work.find((each) => each.kernel === kernel && each.width === width);
  if (part) part.operations += operations;
  else work.push({ kernel, width, operations });
};

/** A row of n entries solved exactly: k×k normal equations, or n×n where they are smaller, counted at the Gram's rate. */
function solve(work, n, k) {
  if (n < k) return add(work, 'accumulate', k, n * n * k + n ** 3 / 3 + 2 * n * k);
  add(work, 'accumulate', k, n * k * (k + 3));
  add(work, 'factorAndSolve', k, k ** 3 / 3 + 2 * k * k);
}

/** Steps of conjugate gradients that a row takes in a sweep; the residual it begins with costs as much as one. */
const steps = { plain: 2, background: 3 };

/** At the gradient's rate, in a basis that all rows share, and turned there, back, and there once more for the other side's. */
function step(work, n, k, count) {
  add(work, 'gradient', k, (count + 1) * 4 * n * k);
  add(work, 'accumulate', k, 6 * k * k);
}

/** A row of plain ALS: by steps where src/kernels/backgroundBasis.ts says so. */
function solvePlain(work, n, k) {
  if (isConjugate(k) && !isShort(n, k)) step(work, n, k, steps.plain);
  else solve(work, n, k);
}

/** A row beside a background: n×n in that basis or by steps; else k×k. */
function solveBeside(work, n, k) {
  if (isShort(n, k)) add(work, 'accumulate', k, n * n * k + n ** 3 / 3 + 6 * n * k + 6 * k * k);
  else if (isConjugate(k)) step(work, n, k, steps.background);
  else {
    add(work, 'accumulate', k, n * k * (k + 3));
    add(work, 'factorAndSolve', k, k ** 3 / 3 + 2 * k * k);
  }
}

/** Columns of block ALS's blocks: see src/methods/blockAls.ts. */
const widest = 64;

/** Operations of one sweep: `{ kernel, width, operations }`, width that of the kernel's matrices. */
export const workOf = {
  als({ rows, columns }, k) {
    const work = [];
    for (const lengths of [rows, columns]) for (const n of lengths) solvePlain(work, n, k);
    if (isConjugate(k)) add(work, 'accumulate64', k, (rows.length + columns.length) * k * (k + 1));
    add(work, 'loss', k, 2 * k * sum(rows));
    return work;
  },
  /** As als; the Gram matrix of each whole factor is summed in float64, and every row's loss has a product with it. */
  background({ rows, columns }, k) {
    const work = [];
    for (const lengths of [rows, columns]) for (const n of lengths) solveBeside(work, n, k);
    add(work, 'accumulate64', k, (rows.length + columns.length) * k * (k + 1));
    add(work, 'loss', k, 2 * k * sum(rows) + rows.length * 2 * k * k);
    return work;
  },
  /** Residuals are made, and followed after each block but the last of a column. */
  'block-als'({ rows, columns }, k) {
    const work = [];
    const b = Math.min(widest, k);
    for (const lengths of [rows, columns])
      for (const n of lengths) {
        if (n <= 1.25 * b) {
          solve(work, n, k);
          continue;
        }
        add(work, 'accumulate', b, n * k * (b + 3));
        add(work, 'factorAndSolve', b, (k / b) * (b ** 3 / 3 + 2 * b * b));
        add(work, 'loss', k, 2 * n * (lengths === rows ? 2 * k : 2 * k - b));
      }
    return work;
  },
  /** A product and two moves, each with its shrinking, at the rate of a product and one move; then the loss of the epoch. */
  sgd({ rows }, k) {
    const work = [];
    add(work, 'gradient', k, 8 * k * sum(rows));
    add(work, 'loss', k, 2 * k * sum(rows));
    return work;
  },
};

/** @param rate operations a second of a kernel at a width. */
export function secondsOf(work, rate) {
  return work.reduce((seconds, { kernel, width, operations }) => seconds + operations / rate(kernel, width), 0);
}

/**
 * Bytes of a sweep between memory and caches, f32 without weights: at the least entries and factors once for each pass over
 * them; at the most every gathered factor row as well, as if no cache kept one from one entry to the next.
 *
 * @param bands of sgd's grid: each of its sub-epochs copies both factors.
 */
export function bytesOf(method, { rows, columns }, k, bands) {
  const entries = sum(rows);
  const factors = 4 * k * (rows.length + columns.length);
  const gathered = 4 * k * entries;
  // Indices and values, on both sides or for the steps and the loss.
  const least = 2 * 8 * entries + (method === 'sgd' ? (2 * bands + 1) * factors : 2 * factors);
  // The columns that a block of sgd gathers from stay in a core's own cache: its loss alone may miss.
  return { least, most: least + (method === 'sgd' ? 1 : 2) * gathered };
}

const sum = (counts) => counts.reduce((all, count) => all + count, 0);
