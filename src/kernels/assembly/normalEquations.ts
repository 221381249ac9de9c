/** A row with at least as many observations as unknowns: (ZᵀZ + D)x = Zᵀy, k×k. */
import { choleskySolve } from "./cholesky";
import { gram } from "./gram";
import { RowJob } from "./job";
import { epsilon, madd, sumLanes } from "./lanes";
import { gather } from "./panel";
import { panelRows, Space } from "./space";

/** What a panel may fill of a first-level cache of 32 KiB, which also holds the tiles of G. */
export const panelBytes: usize = 16384;

/** @returns false when a pivot vanishes; the solution is left in space.b. */
export function normalEquations<S, T>(
  job: RowJob, space: Space, start: usize, end: usize, active: usize, largest: f64, lambda: f64, beta: f64,
): bool {
  const stride = <usize>job.stride;
  const bytes = stride * sizeof<T>();
  accumulate<S, T>(job, space, start, end, largest);
  let biggest: f64 = 0;
  for (let c: usize = 0; c < stride; c++) {
    const diagonal = space.G + c * bytes + c * sizeof<T>();
    const penalty = c < <usize>job.rank ? lambda : beta;
    store<T>(diagonal, c < active ? load<T>(diagonal) + <T>penalty : <T>1);
    if (c < active) biggest = max(biggest, <f64>load<T>(diagonal));
  }
  if (job.own) addGradient<T>(job, space, space.G, stride, active, 2 * largest * largest);
  return choleskySolve<T>(space.G, stride, active, <T>(<f64>active * epsilon<T>() * biggest), space.b);
}

/** G = ZᵀZ and b = Zᵀy, a panel of rows at a time. */
export function accumulate<S, T>(job: RowJob, space: Space, start: usize, end: usize, largest: f64): void {
  const stride = <usize>job.stride;
  const bytes = stride * sizeof<T>();
  memory.fill(space.G, 0, stride * bytes);
  memory.fill(space.b, 0, bytes);
  const most = max<usize>(8, min(panelRows, panelBytes / bytes));
  for (let t = start; t < end; t += most) {
    const count = min(most, end - t);
    gather<S, T>(job, space, t, count, largest, space.P);
    gram<T>(space.G, space.P, <i32>count, stride);
  }
}

/** Gx − b times `scale`, from the upper half of G: each row gives a dot product and its mirror image an axpy. */
export function addGradient<T>(job: RowJob, space: Space, G: usize, stride: usize, active: usize, scale: f64): void {
  const lanes: usize = 16 / sizeof<T>();
  const g = space.wide;
  for (let c: usize = 0; c < stride; c++) store<T>(g + c * sizeof<T>(), -load<T>(space.b + c * sizeof<T>()));
  for (let r: usize = 0; r < active; r++) {
    const row = G + r * stride * sizeof<T>();
    const x = load<T>(space.x + r * sizeof<T>());
    let sum = load<T>(row + r * sizeof<T>()) * x;
    let c = r + 1;
    for (; c < stride && (c & (lanes - 1)) != 0; c++) {
      const o = c * sizeof<T>();
      sum += load<T>(row + o) * load<T>(space.x + o);
      store<T>(g + o, load<T>(g + o) + x * load<T>(row + o));
    }
    const s = v128.splat<T>(x);
    let dot = v128.splat<T>(0);
    for (; c < stride; c += lanes) {
      const o = c * sizeof<T>();
      const entry = v128.load(row + o);
      dot = madd<T>(entry, v128.load(space.x + o), dot);
      v128.store(g + o, madd<T>(s, entry, v128.load(g + o)));
    }
    store<T>(g + r * sizeof<T>(), load<T>(g + r * sizeof<T>()) + sum + sumLanes<T>(dot));
  }
  for (let c: usize = 0; c < active; c++) job.addGradient(<i32>c, scale * <f64>load<T>(g + c * sizeof<T>()));
}
