/** Entry of both builds, strict and relaxed: the kernels by name. */
import { gradientRows } from "./gradientRows";
import { RowJob } from "./job";
import { lossRows } from "./residual";
import { solveRows } from "./solveRows";

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
