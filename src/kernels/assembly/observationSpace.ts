/**
 * A row with fewer observations than unknowns, solved n×n in place of k×k: x = D⁻¹Zᵀα with (ZD⁻¹Zᵀ + I)α = y (Woodbury).
 * Without penalty D = 1 and there is no I, which gives the solution of minimum norm.
 */
import { choleskySolve } from "./cholesky";
import { gram } from "./gram";
import { RowJob } from "./job";
import { epsilon, madd, sumLanes } from "./lanes";
import { gather } from "./panel";
import { Space } from "./space";

/** @returns false when ZZᵀ is too near to singular; the solution is left in space.b. */
export function observationSpace<S, T>(
  job: RowJob, space: Space, start: usize, end: usize, active: usize, largest: f64, lambda: f64, beta: f64,
): bool {
  const stride = <usize>job.stride;
  const count = end - start;
  const size = (count + 3) & ~3;
  const bytes = size * sizeof<T>();
  // Z lies where ZZᵀ will be.
  const Z = space.G;
  memory.fill(space.b, 0, stride * sizeof<T>());
  gather<S, T>(job, space, start, count, largest, Z);
  memory.fill(Z + count * stride * sizeof<T>(), 0, (size - count) * stride * sizeof<T>());
  if (job.own) addGradient<T>(job, space, Z, count, active, largest, lambda, beta);

  transpose<T>(space.P, Z, size, stride);
  // In units of D^½ = √λ all columns but the bias's are as they were.
  const ofBias: T = job.ownBiasFree && lambda > 0 ? <T>Math.sqrt(lambda / beta) : 1;
  if (job.ownBiasFree) scale<T>(space.P + <usize>job.rank * bytes, bytes, ofBias);
  memory.fill(space.G, 0, size * bytes);
  gram<T>(space.G, space.P, <i32>active, size);
  let biggest: f64 = 0;
  for (let r: usize = 0; r < size; r++) {
    const diagonal = space.G + r * bytes + r * sizeof<T>();
    store<T>(diagonal, r < count ? load<T>(diagonal) + <T>lambda : <T>1);
    if (r < count) biggest = max(biggest, <f64>load<T>(diagonal));
    else store<T>(space.y + r * sizeof<T>(), 0);
  }
  if (!choleskySolve<T>(space.G, size, count, <T>(<f64>active * epsilon<T>() * biggest), space.y)) return false;
  for (let c: usize = 0; c < active; c++) {
    let sum = v128.splat<T>(0);
    for (let o: usize = 0; o < bytes; o += 16) sum = madd<T>(v128.load(space.P + c * bytes + o), v128.load(space.y + o), sum);
    store<T>(space.b + c * sizeof<T>(), (c < <usize>job.rank ? <T>1 : ofBias) * sumLanes<T>(sum));
  }
  return true;
}

/** 2(Zᵀ(Zx − y) + Dx) */
function addGradient<T>(
  job: RowJob, space: Space, Z: usize, count: usize, active: usize, largest: f64, lambda: f64, beta: f64,
): void {
  const bytes = <usize>job.stride * sizeof<T>();
  const g = space.wide;
  for (let c: usize = 0; c < <usize>job.stride; c++) {
    const o = c * sizeof<T>();
    store<T>(g + o, <T>(c < <usize>job.rank ? lambda : beta) * load<T>(space.x + o));
  }
  for (let r: usize = 0; r < count; r++) {
    const z = Z + r * bytes;
    let dot = v128.splat<T>(0);
    for (let o: usize = 0; o < bytes; o += 16) dot = madd<T>(v128.load(z + o), v128.load(space.x + o), dot);
    const residual = v128.splat<T>(sumLanes<T>(dot) - load<T>(space.y + r * sizeof<T>()));
    for (let o: usize = 0; o < bytes; o += 16) v128.store(g + o, madd<T>(residual, v128.load(z + o), v128.load(g + o)));
  }
  for (let c: usize = 0; c < active; c++)
    job.addGradient(<i32>c, 2 * largest * largest * <f64>load<T>(g + c * sizeof<T>()));
}

/** P ← Zᵀ; `rows` and `stride` are multiples of 4. */
export function transpose<T>(P: usize, Z: usize, rows: usize, stride: usize): void {
  const lanes: usize = 16 / sizeof<T>();
  const from = stride * sizeof<T>(), to = rows * sizeof<T>();
  for (let r: usize = 0; r < rows; r += lanes)
    for (let c: usize = 0; c < stride; c += lanes) {
      const z = Z + r * from + c * sizeof<T>();
      const p = P + c * to + r * sizeof<T>();
      const z0 = v128.load(z), z1 = v128.load(z + from);
      if (sizeof<T>() == 8) {
        v128.store(p, v128.shuffle<f64>(z0, z1, 0, 2));
        v128.store(p + to, v128.shuffle<f64>(z0, z1, 1, 3));
      } else {
        const z2 = v128.load(z + 2 * from), z3 = v128.load(z + 3 * from);
        const low01 = v128.shuffle<f32>(z0, z1, 0, 4, 1, 5), low23 = v128.shuffle<f32>(z2, z3, 0, 4, 1, 5);
        const high01 = v128.shuffle<f32>(z0, z1, 2, 6, 3, 7), high23 = v128.shuffle<f32>(z2, z3, 2, 6, 3, 7);
        v128.store(p, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5));
        v128.store(p + to, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7));
        v128.store(p + 2 * to, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5));
        v128.store(p + 3 * to, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7));
      }
    }
}

function scale<T>(at: usize, bytes: usize, factor: T): void {
  const s = v128.splat<T>(factor);
  for (let o: usize = 0; o < bytes; o += 16) v128.store(at + o, v128.mul<T>(s, v128.load(at + o)));
}
