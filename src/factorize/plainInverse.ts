/** The inverse of a symmetric positive definite matrix, and how far it is to be trusted. */

/** Pivots so much below or above where they vanish, as a factor: rounding decides whether they do. */
const doubt = { below: 4, above: 256 };

/**
 * The inverse of a symmetric positive definite matrix in its place, by its Cholesky factor.
 *
 * @param margin pivots below so many roundings of their entry vanish. @returns as `rank` how many do not; fewer than `order`: no inverse.
 */
export function invert(
  S: Float64Array,
  order: number,
  margin: number,
): { rank: number; cancellation: number; doubtful: number } {
  let rank = 0;
  let doubtful = 0;
  let cancellation = 1;
  const least = order * margin * Number.EPSILON;
  for (let r = 0; r < order; r++)
    for (let c = 0; c <= r; c++) {
      const entry = S[r * order + c] as number;
      let value = entry;
      for (let e = 0; e < c; e++) value -= (S[r * order + e] as number) * (S[c * order + e] as number);
      const pivot = S[c * (order + 1)] as number;
      if (c < r) {
        S[r * order + c] = pivot > 0 ? value / pivot : 0;
        continue;
      }
      if (value > (least / doubt.below) * entry && value < least * doubt.above * entry) doubtful++;
      S[r * (order + 1)] = value > least * entry ? Math.sqrt(value) : 0;
      if (!(value > least * entry)) continue;
      rank++;
      cancellation = Math.max(cancellation, entry / value);
    }
  if (rank < order) return { rank, cancellation, doubtful };
  // Column c of L⁻¹ to row c of the upper half, then (L⁻¹)ᵀL⁻¹.
  const diagonal = Float64Array.from({ length: order }, (_, i) => 1 / (S[i * (order + 1)] as number));
  for (let c = 0; c < order; c++)
    for (let r = c + 1; r < order; r++) {
      let sum = (S[r * order + c] as number) * (diagonal[c] as number);
      for (let e = c + 1; e < r; e++) sum += (S[r * order + e] as number) * (S[c * order + e] as number);
      S[c * order + r] = -sum * (diagonal[r] as number);
    }
  for (let r = 0; r < order; r++) S[r * (order + 1)] = diagonal[r] as number;
  for (let c = 0; c < order; c++)
    for (let r = c; r < order; r++) {
      let sum = 0;
      for (let e = r; e < order; e++) sum += (S[r * order + e] as number) * (S[c * order + e] as number);
      S[c * order + r] = sum;
    }
  for (let r = 0; r < order; r++) for (let c = 0; c < r; c++) S[r * order + c] = S[c * order + r] as number;
  return { rank, cancellation, doubtful };
}
