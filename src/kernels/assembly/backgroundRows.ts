/** The background's sums over rows of the factor that is held fixed: one Gram matrix for all rows that are solved. */
import { openComposed } from "./composedSpace";
import { gram } from "./gram";
import { RowJob } from "./job";
import { Loss } from "./losses";
import { collect } from "./panel";
import { offsetOf, panelRows } from "./tangent";
import { Terms } from "./terms";

/**
 * Σ c_j z_j z_jᵀ, Σ c_j (β − o_j) z_j and Σ c_j (β − o_j)² over rows first … last−1 of the factor at `job.other`, to
 * `out`: size×size (both halves), size and 1 doubles. Poisson: no matrix, −½Σ c_j z_j and Σ c_j o_j.
 */
export function backgroundRows<S>(job: RowJob, terms: Terms, first: i32, last: i32, out: usize): void {
  const work = openComposed(job);
  const space = work.space;
  const size = work.size;
  const width = size * sizeof<S>();
  const isPoisson = terms.loss == Loss.Poisson;
  memory.fill(work.G, 0, size * (size << 3));
  memory.fill(work.b, 0, size << 3);
  let constant: f64 = 0;
  for (let row = <usize>first; row < <usize>last; row += panelRows) {
    const count = min(panelRows, <usize>last - row);
    for (let t: usize = 0; t < count; t++) {
      const v = job.other + (row + t) * width;
      const c = load<f64>(terms.otherWeights + ((row + t) << 3));
      const offset = offsetOf<S>(job, v);
      const gap = terms.value - offset;
      store<u32>(space.addresses + (t << 2), <u32>v);
      store<f64>(space.scales + (t << 3), sqrt(c));
      store<f64>(space.rights + (t << 3), isPoisson ? -0.5 * c : c * gap);
      constant += isPoisson ? c * offset : c * gap * gap;
    }
    collect<S, f64>(job, space, count, space.P, true);
    if (!isPoisson) gram<f64>(work.G, space.P, <i32>count, size);
  }
  // Products with some of its rows need both halves.
  for (let r: usize = 0; r < size; r++)
    for (let c: usize = 0; c < r; c++)
      store<f64>(work.G + ((r * size + c) << 3), load<f64>(work.G + ((c * size + r) << 3)));
  memory.copy(out, work.G, size * (size << 3));
  memory.copy(out + size * (size << 3), work.b, size << 3);
  store<f64>(out + size * (size << 3) + (size << 3), constant);
}
