/** Choices among the factors that give the same predictions and the same f, where a preset's users expect one. */
import { factorBuffer } from '../methods/rowPhases.js';
import type { CheckedOptions } from '../options.js';
import type { FitContext } from '../parallel/phase.js';
import type { ObjectiveSpec } from './composition.js';

type Point = { readonly rows: number; readonly columns: number };

/** pmf: contributions of mean 1. pca: scores of mean 0. Only where nothing is penalised, held or bounded away from 0. */
export function settleGauge(
  fit: FitContext,
  point: Point,
  { preset, lambdaRows, lambdaColumns, biasLambda }: CheckedOptions,
  { l1, hold, bounds }: ObjectiveSpec,
): void {
  const limits = [...bounds.rows, ...bounds.columns];
  const isFree = lambdaRows + lambdaColumns + l1.rows + l1.columns === 0 && !hold.rows && !hold.columns;
  if (!isFree) return;
  if (preset === 'pmf' && limits.every((bound) => bound === 0 || !Number.isFinite(bound)))
    normaliseContributions(fit, point);
  if (preset === 'pca' && biasLambda === 0 && fit.isBiasFitted.columns && !limits.some(Number.isFinite))
    centreScores(fit, point);
}

/** Contributions (columns of U) of mean 1, profiles (columns of V) in the units of A: f is the same where it has no penalty. */
function normaliseContributions(fit: FitContext, point: Point): void {
  const { stride, rank } = fit;
  const U = factorBuffer(fit, 'rows', point.rows);
  const V = factorBuffer(fit, 'columns', point.columns);
  const m = U.length / stride;
  for (let c = 0; c < rank; c++) {
    let sum = 0;
    for (let i = c; i < U.length; i += stride) sum += U[i] as number;
    const mean = sum / m;
    if (!(mean > 0)) continue;
    for (let i = c; i < U.length; i += stride) U[i] = (U[i] as number) / mean;
    for (let j = c; j < V.length; j += stride) V[j] = (V[j] as number) * mean;
  }
}

/** Scores (columns of U) of mean 0 over the rows that are observed: what they have in common goes to the column means. */
function centreScores(fit: FitContext, point: Point): void {
  const { stride, rank } = fit;
  const U = factorBuffer(fit, 'rows', point.rows);
  const V = factorBuffer(fit, 'columns', point.columns);
  // The others stay at 0, where nothing is known of them.
  const rows = observedRows(fit);
  if (rows.length === 0) return;
  for (let c = 0; c < rank; c++) {
    const mean = rows.reduce((sum, row) => sum + (U[row * stride + c] as number), 0) / rows.length;
    for (const row of rows) U[row * stride + c] = (U[row * stride + c] as number) - mean;
    for (let j = 0; j < V.length; j += stride) V[j + rank] = (V[j + rank] as number) + mean * (V[j + c] as number);
  }
}

/** With a background there is something known of all. */
function observedRows({ observations, terms }: FitContext): number[] {
  const { pointers } = observations.rows;
  const all = Array.from({ length: pointers.length - 1 }, (_, row) => row);
  return terms?.hasGram ? all : all.filter((row) => (pointers[row + 1] as number) > (pointers[row] as number));
}
