/** Entry of both builds, strict and relaxed: the kernels by name. */
import { backgroundRows } from "./backgroundRows";
import { blockRows } from "./blockRows";
import { choleskySolve, solveFactored } from "./cholesky";
import { composedLoss, composedMeasure, composedSolve } from "./composedRows";
import { Descent } from "./descent";
import { exp, log } from "./elementary";
import { gradientRows } from "./gradientRows";
import { gram } from "./gram";
import { factorRows, hessianRows, preconditionRows, Tangent } from "./hessianRows";
import { RowJob } from "./job";
import { moveLabels } from "./labelNumbers";
import { LabelTable, LineJob } from "./lineJob";
import { parseLines } from "./parseLines";
import { peak } from "./peak";
import { preconditionedRows } from "./preconditionedRows";
import { projectRows, Reduced } from "./reduced";
import { reducedRows } from "./reducedRows";
import { lossRows } from "./residual";
import { rotateRows } from "./rotateRows";
import { ScoreJob, scoreRows } from "./scoreRows";
import { Grid, gridRows, placeRows } from "./sgdGrid";
import { sgdLossRows } from "./sgdLoss";
import { sgdRows } from "./sgdRows";
import { accumulateOnly, solveRows } from "./solveRows";
import { bandEntries, bandRows, sortBand, SortJob } from "./sortEntries";
import { squaresSolve } from "./squaresSolve";
import { Terms } from "./terms";
import { tridiagonalize } from "./tridiagonal";
import { reflectRows, turnPair } from "./turns";
import { advance, combine, dot } from "./vectors";

export function solveRows32(job: usize, first: i32, last: i32): void {
  solveRows<f32, f32>(changetype<RowJob>(job), first, last);
}
export function solveRows64(job: usize, first: i32, last: i32): void {
  solveRows<f64, f64>(changetype<RowJob>(job), first, last);
}
/** f32 storage, f64 arithmetic. */
export function solveRows32in64(job: usize, first: i32, last: i32): void {
  solveRows<f32, f64>(changetype<RowJob>(job), first, last);
}
export function gradientRows32(job: usize, first: i32, last: i32): void {
  gradientRows<f32>(changetype<RowJob>(job), first, last);
}
export function gradientRows64(job: usize, first: i32, last: i32): void {
  gradientRows<f64>(changetype<RowJob>(job), first, last);
}
export function lossRows32(job: usize, first: i32, last: i32): void {
  lossRows<f32>(changetype<RowJob>(job), first, last);
}
export function lossRows64(job: usize, first: i32, last: i32): void {
  lossRows<f64>(changetype<RowJob>(job), first, last);
}

export function composedSolve32(job: usize, terms: usize, first: i32, last: i32): void {
  composedSolve<f32>(changetype<RowJob>(job), changetype<Terms>(terms), first, last);
}
export function composedSolve64(job: usize, terms: usize, first: i32, last: i32): void {
  composedSolve<f64>(changetype<RowJob>(job), changetype<Terms>(terms), first, last);
}
/** Squares, a background and a ridge alone, in f32. */
export function squaresSolve32(job: usize, terms: usize, first: i32, last: i32): void {
  squaresSolve(changetype<RowJob>(job), changetype<Terms>(terms), first, last);
}
/** Weighted squares and a ridge, in f32, by steps. */
export function preconditionedRows32(job: usize, terms: usize, first: i32, last: i32): void {
  preconditionedRows(changetype<RowJob>(job), changetype<Terms>(terms), first, last);
}
/** Rows at `from`, f32, in another basis, to `to`. */
export function rotateRows32(to: usize, from: usize, M: usize, stride: i32, count: i32): void {
  rotateRows(to, from, M, stride, count);
}
export function composedMeasure32(job: usize, terms: usize, first: i32, last: i32): void {
  composedMeasure<f32>(changetype<RowJob>(job), changetype<Terms>(terms), first, last);
}
export function composedMeasure64(job: usize, terms: usize, first: i32, last: i32): void {
  composedMeasure<f64>(changetype<RowJob>(job), changetype<Terms>(terms), first, last);
}
export function composedLoss32(job: usize, terms: usize, first: i32, last: i32): void {
  composedLoss<f32>(changetype<RowJob>(job), changetype<Terms>(terms), first, last);
}
export function composedLoss64(job: usize, terms: usize, first: i32, last: i32): void {
  composedLoss<f64>(changetype<RowJob>(job), changetype<Terms>(terms), first, last);
}
export function backgroundRows32(job: usize, terms: usize, first: i32, last: i32, out: usize): void {
  backgroundRows<f32>(changetype<RowJob>(job), changetype<Terms>(terms), first, last, out);
}
export function backgroundRows64(job: usize, terms: usize, first: i32, last: i32, out: usize): void {
  backgroundRows<f64>(changetype<RowJob>(job), changetype<Terms>(terms), first, last, out);
}

/** Rows improved by blocks of `width` columns at the most. */
export function blockRows32(job: usize, terms: usize, width: i32, first: i32, last: i32): void {
  blockRows<f32, f32>(changetype<RowJob>(job), changetype<Terms>(terms), width, first, last);
}
export function blockRows64(job: usize, terms: usize, width: i32, first: i32, last: i32): void {
  blockRows<f64, f64>(changetype<RowJob>(job), changetype<Terms>(terms), width, first, last);
}
export function blockRows32in64(job: usize, terms: usize, width: i32, first: i32, last: i32): void {
  blockRows<f32, f64>(changetype<RowJob>(job), changetype<Terms>(terms), width, first, last);
}

/** Variable projection: what each eliminated row brings, and the reduced Hessian of the rows that stay. */
export function projectRows64(job: usize, reduced: usize, first: i32, last: i32): void {
  projectRows(changetype<RowJob>(job), changetype<Reduced>(reduced), first, last);
}
export function reducedRows64(job: usize, reduced: usize, first: i32, last: i32): void {
  reducedRows(changetype<RowJob>(job), changetype<Reduced>(reduced), first, last);
}

/** Products with the Hessian, the rows' normal equations factored, and products with their inverses. */
export function hessianRows64(job: usize, tangent: usize, first: i32, last: i32): void {
  hessianRows(changetype<RowJob>(job), changetype<Tangent>(tangent), first, last);
}
export function factorRows64(job: usize, tangent: usize, first: i32, last: i32): void {
  factorRows(changetype<RowJob>(job), changetype<Tangent>(tangent), first, last);
}
export function preconditionRows64(job: usize, tangent: usize, first: i32, last: i32): void {
  preconditionRows(changetype<RowJob>(job), changetype<Tangent>(tangent), first, last);
}

/** Stochastic gradient steps over a block of entries; both sides move. */
/** Vector work: see assembly/vectors.ts. */
export function advance32(x: usize, g: usize, before: usize, r: usize, step: usize, copy: usize, count: i32): void {
  advance<f32>(x, g, before, r, step, copy, count);
}
export function advance64(x: usize, g: usize, before: usize, r: usize, step: usize, copy: usize, count: i32): void {
  advance<f64>(x, g, before, r, step, copy, count);
}
export function dot32(a: usize, b: usize, count: i32): f64 {
  return dot<f32>(a, b, count);
}
export function dot64(a: usize, b: usize, count: i32): f64 {
  return dot<f64>(a, b, count);
}
export function combine32(terms: usize, size: i32, base: usize, out: usize, count: i32): void {
  combine<f32>(terms, size, base, out, count);
}
export function combine64(terms: usize, size: i32, base: usize, out: usize, count: i32): void {
  combine<f64>(terms, size, base, out, count);
}

export function gridRows32(job: usize, grid: usize, first: i32, last: i32): void {
  gridRows<f32>(changetype<RowJob>(job), changetype<Grid>(grid), first, last);
}
export function gridRows64(job: usize, grid: usize, first: i32, last: i32): void {
  gridRows<f64>(changetype<RowJob>(job), changetype<Grid>(grid), first, last);
}
export function placeRows32(job: usize, grid: usize, first: i32, last: i32, at: u32): void {
  placeRows<f32>(changetype<RowJob>(job), changetype<Grid>(grid), first, last, at);
}
export function placeRows64(job: usize, grid: usize, first: i32, last: i32, at: u32): void {
  placeRows<f64>(changetype<RowJob>(job), changetype<Grid>(grid), first, last, at);
}
export function sgdRows32(job: usize, descent: usize, first: i32, last: i32): void {
  sgdRows<f32>(changetype<RowJob>(job), changetype<Descent>(descent), first, last);
}
export function sgdRows64(job: usize, descent: usize, first: i32, last: i32): void {
  sgdRows<f64>(changetype<RowJob>(job), changetype<Descent>(descent), first, last);
}
export function sgdLossRows32(job: usize, first: i32, last: i32): void {
  sgdLossRows<f32>(changetype<RowJob>(job), first, last);
}
export function sgdLossRows64(job: usize, first: i32, last: i32): void {
  sgdLossRows<f64>(changetype<RowJob>(job), first, last);
}

/** Lists the columns that may be among each row's best; f32, whatever the model's precision. */
export function scoreRows32(job: usize): void {
  scoreRows(changetype<ScoreJob>(job));
}

/** Lines of text: see assembly/parseLines.ts. */
export function parseText(job: usize): i32 {
  return parseLines(changetype<LineJob>(job));
}
export function moveLabelsTo(job: usize, table: usize, slots: usize, mask: u32): void {
  moveLabels(changetype<LineJob>(job), changetype<LabelTable>(table), slots, mask);
}

/** Entries sorted into rows: see assembly/sortEntries.ts. */
export function bandEntries32(job: usize): bool {
  return bandEntries<f32>(changetype<SortJob>(job));
}
export function bandEntries64(job: usize): bool {
  return bandEntries<f64>(changetype<SortJob>(job));
}
export function bandRows32(job: usize): bool {
  return bandRows<f32>(changetype<SortJob>(job));
}
export function bandRows64(job: usize): bool {
  return bandRows<f64>(changetype<SortJob>(job));
}
export function sortBand32(job: usize, first: u32, last: u32, passes: u32, width: u32): i32 {
  return sortBand<f32>(changetype<SortJob>(job), first, last, passes, width);
}
export function sortBand64(job: usize, first: u32, last: u32, passes: u32, width: u32): i32 {
  return sortBand<f64>(changetype<SortJob>(job), first, last, passes, width);
}

/** Vectors turned by two, and rows reflected: see turns.ts. */
export function turnPair64(a: usize, b: usize, count: i32, cosine: f64, sine: f64): void {
  turnPair(a, b, count, cosine, sine);
}
export function reflectRows64(rows: usize, bytes: usize, count: i32, v: usize, size: i32, first: i32, half: f64): void {
  reflectRows(rows, bytes, count, v, size, first, half);
}

/** See tridiagonal.ts. */
export function tridiagonalize64(A: usize, p: i32, diagonal: usize, beside: usize, v: usize, w: usize): void {
  tridiagonalize(A, p, diagonal, beside, v, w);
}

/** G += MᵀM, its upper half; `size` columns, a multiple of 4. */
export function gramOf64(G: usize, M: usize, rows: i32, size: usize): void {
  gram<f64>(G, M, rows, size);
}

// The parts, each alone, for tests and bench/kernels.mjs.
export function exp64(x: f64): f64 {
  return exp(x);
}
export function log64(x: f64): f64 {
  return log(x);
}
export function peak32(rounds: i32, a: f32, b: f32): f32 {
  return peak<f32>(rounds, a, b);
}
export function peak64(rounds: i32, a: f64, b: f64): f64 {
  return peak<f64>(rounds, a, b);
}
/** Gathers every row of the job into panels and adds up its Gram matrix and right-hand side; nothing is solved. */
export function accumulateRows32(job: usize, first: i32, last: i32): void {
  accumulateOnly<f32, f32>(changetype<RowJob>(job), first, last);
}
export function accumulateRows64(job: usize, first: i32, last: i32): void {
  accumulateOnly<f64, f64>(changetype<RowJob>(job), first, last);
}
/** Cholesky and both triangular solves, in place. */
export function factorAndSolve32(G: usize, size: i32, b: usize): bool {
  return choleskySolve<f32>(G, size, size, 0, b);
}
export function factorAndSolve64(G: usize, size: i32, b: usize): bool {
  return choleskySolve<f64>(G, size, size, 0, b);
}
/** Both triangular solves with what the last has factored. */
export function solveFactored64(U: usize, size: i32, b: usize): void {
  solveFactored<f64>(U, size, b);
}
