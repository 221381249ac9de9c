/**
 * One profile element moved until Q has risen by dQmax, all else fitted again: the profile likelihood of φ = v_jp·mean(u_p).
 *
 * φ does not depend on the scale of a factor, which Q leaves free. Where Q is least among all factors with a given φ, it is
 * stationary in Q + κ Σ_i u_ip with v_jp held at any c: there dQ/dφ = −κm/c. So the curve Q(φ) is walked by κ, and each fit,
 * at whatever κ, is a point on it. κ Σ u_ip comes in as one more column of A that v is known of: v = e_p, a_i = ±K for all i,
 * W² = |κ|/2K, which is −|κ| u_ip·sign + … for K much larger than u. That K is finite tilts it by u/K, and Q at its
 * optimum by the square of that.
 */
import ndarray, { type NdArray } from 'ndarray';
import { asInput, type Listing } from '../data/listing.js';
import type { FactorizeOptions } from '../factorize/factorizeOptions.js';
import type { Model } from '../model/model.js';
import { matchFactors } from './factorMatching.js';
import type { Fit } from './fits.js';

/** The factors that are displaced, contributions of mean 1, and their Q on the data. */
export interface DisplacementBase {
  readonly listing: Listing;
  readonly U: NdArray<Float64Array>;
  readonly V: NdArray<Float64Array>;
  readonly Q: number;
}

export interface Displacement {
  readonly factor: number;
  readonly column: number;
  readonly direction: 1 | -1;
  /** Of each level: where φ stands then; null where Q never rises by so much. */
  readonly reached: readonly (number | null)[];
  /** Of each level: factors that are no longer themselves. */
  readonly swapped: readonly (readonly number[])[];
  /** The most that Q fell. */
  readonly fall: number;
}

/** K in units of the mean contribution. */
const pull = 1000;
/** A point is as near to a level as is needed: from there φ is taken along a parabola. */
const closeEnough = 0.3;
const mostFits = 8;
/** Of the fits on the way; on the Baton Rouge data bounds are those of 1e-7 to five digits, in half the time. */
const displacedFit = { tolerance: 1e-5, maxSweeps: 1000 } as const;

/** How well Q knows φ of an element, where all else is held: ½∂²Q/∂φ², 0 where nothing is observed. */
function curvatureOf({ listing, U }: DisplacementBase, factor: number, column: number): number {
  let sum = 0;
  listing.columns.forEach((j, t) => {
    if (j !== column) return;
    const w = listing.weights ? (listing.weights[t] as number) : 1;
    sum += (w * U.get(listing.rows[t] as number, factor)) ** 2;
  });
  return sum;
}

/** Walks one side of one element through the levels, which rise. */
export async function displaceElement(
  fit: Fit,
  base: DisplacementBase,
  options: FactorizeOptions,
  factor: number,
  column: number,
  direction: 1 | -1,
  levels: readonly number[],
  threshold: number,
): Promise<Displacement> {
  const start = base.V.get(column, factor);
  const reached: (number | null)[] = [];
  const swapped: number[][] = [];
  let fall = 0;
  const result = () => ({ factor, column, direction, reached, swapped, fall });
  const at = async (pulled: Pulled): Promise<Point> => {
    const point = await fitPulled(fit, base, options, factor, column, pulled, threshold);
    fall = Math.max(fall, base.Q - point.Q);
    return point;
  };
  const settle = (value: number | null, point: Point | undefined) => {
    reached.push(value);
    swapped.push([...(point?.swapped ?? [])]);
  };
  const conditional = curvatureOf(base, factor, column);
  if (conditional === 0 || (direction < 0 && start === 0)) {
    for (const _level of levels) settle(direction < 0 ? 0 : null, undefined);
    return result();
  }
  // All the way down: below that there is nothing.
  const zero = direction < 0 ? await at({ held: 0, scale: 1, kappa: 0 }) : undefined;
  const held = start > 0 ? start : Math.sqrt((levels[0] as number) / conditional);
  // Q rises by this times the square of the way gone: less than where all else is held.
  let curvature = zero ? Math.max(zero.Q - base.Q, 0) / start ** 2 : conditional / 2;
  for (const level of levels) {
    if (zero && zero.Q - base.Q <= level) {
      settle(0, zero);
      continue;
    }
    let best: Point | undefined;
    let bestWay = Number.NaN;
    for (let tries = 0; tries < mostFits; tries++) {
      const way = Math.sqrt(level / curvature);
      const to = Math.max(start + direction * way, start * 0.02);
      const kappa = (-direction * held * 2 * Math.sqrt(curvature * level)) / base.listing.shape[0];
      const point = await at({ held, scale: to / held, kappa });
      const rise = point.Q - base.Q;
      const moved = direction * (point.phi - start);
      if (rise > 0 && moved > 0 && (!best || nearer(rise, best.Q - base.Q, level))) {
        best = point;
        bestWay = moved * Math.sqrt(level / rise);
      }
      if (best === point && Math.abs(rise / level - 1) <= closeEnough) break;
      // κ² ∝ curvature·level, and Q rises by κ²; a point that went nowhere says that κ was too small.
      curvature *= rise > 0 ? Math.min(16, Math.max(1 / 16, level / rise)) : 16;
    }
    settle(best ? Math.max(0, start + direction * bestWay) : null, best);
    if (best) curvature = level / bestWay ** 2;
  }
  return result();
}

function nearer(rise: number, other: number, level: number): boolean {
  return Math.abs(Math.log(rise / level)) < Math.abs(Math.log(other / level));
}

interface Pulled {
  /** What v_jp is held at. */
  readonly held: number;
  /** How large u_p is thought to become, in units of what it was. */
  readonly scale: number;
  readonly kappa: number;
}

interface Point {
  /** v_jp·mean(u_p) */
  readonly phi: number;
  readonly Q: number;
  readonly swapped: readonly number[];
}

async function fitPulled(
  fit: Fit,
  base: DisplacementBase,
  options: FactorizeOptions,
  factor: number,
  column: number,
  { held, scale, kappa }: Pulled,
  threshold: number,
): Promise<Point> {
  const { listing } = base;
  const [m, n] = listing.shape;
  const k = base.V.shape[1] as number;
  const width = kappa === 0 ? n : n + 1;
  const V = new Float64Array(width * k);
  const hold = new Float64Array(width * k).fill(Number.NaN);
  for (let j = 0; j < n; j++) for (let c = 0; c < k; c++) V[j * k + c] = base.V.get(j, c) / (c === factor ? scale : 1);
  V[column * k + factor] = held;
  hold[column * k + factor] = held;
  if (width > n) {
    V[n * k + factor] = 1;
    hold.set(V.subarray(n * k), n * k);
  }
  const drawn = asInput(kappa === 0 ? listing : withPull(listing, kappa));
  const model = await fit(drawn.A, {
    ...options,
    ...displacedFit,
    weights: drawn.weights,
    init: { V: ndarray(V, [width, k]) },
    hold: { V: ndarray(hold, [width, k]) },
  });
  let sum = 0;
  for (let i = 0; i < m; i++) sum += model.U.get(i, factor);
  const rows = Uint32Array.from({ length: m }, (_, i) => i);
  const mapped = matchFactors(model.U, base.U, rows, threshold);
  return {
    phi: (held * sum) / m,
    Q: squaresOf(listing, model),
    swapped: mapped.flatMap((is, c) => (is === c ? [] : [c])),
  };
}

/** One more column: see above. */
function withPull({ rows, columns, values, weights, places, shape: [m, n] }: Listing, kappa: number): Listing {
  const W = Math.sqrt(Math.abs(kappa) / (2 * pull));
  const length = values.length + m;
  const all = {
    rows: new Uint32Array(length),
    columns: new Uint32Array(length),
    values: new Float64Array(length),
    weights: new Float64Array(length).fill(1),
    places: new Float64Array(length),
    shape: [m, n + 1] as const,
  };
  all.rows.set(rows);
  all.columns.set(columns);
  all.values.set(values);
  if (weights) all.weights.set(weights);
  all.places.set(places);
  for (let i = 0; i < m; i++) {
    const t = values.length + i;
    all.rows[t] = i;
    all.columns[t] = n;
    all.values[t] = -Math.sign(kappa) * pull;
    all.weights[t] = W;
    all.places[t] = t;
  }
  return all;
}

/** ΣW²(A − UVᵀ)² over the listing. */
export function squaresOf({ rows, columns, values, weights }: Listing, { U, V }: Pick<Model, 'U' | 'V'>): number {
  const k = U.shape[1] as number;
  const [left, right] = [U.data, V.data];
  let sum = 0;
  for (let t = 0; t < values.length; t++) {
    const [i, j] = [(rows[t] as number) * k, (columns[t] as number) * k];
    let r = values[t] as number;
    for (let c = 0; c < k; c++) r -= (left[i + c] as number) * (right[j + c] as number);
    const w = weights ? (weights[t] as number) : 1;
    sum += w * w * r * r;
  }
  return sum;
}
