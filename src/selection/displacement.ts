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
const pull = 200;
/** A point is as near to a level as is needed by this factor: from there φ is taken along √Q. */
const closeEnough = 1.3;
const mostFits = 7;
/** Of the fits on the way; on the Baton Rouge data bounds are those of 1e-7 to five digits. */
const displacedFit = { tolerance: 1e-6, maxSweeps: 1000 } as const;

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
  const held = Math.max(start, Math.sqrt((levels[0] as number) / conditional));
  const walk: Step[] = [];
  for (const level of levels) {
    if (zero && zero.Q - base.Q <= level) {
      settle(0, zero);
      continue;
    }
    let nearest: Step | undefined;
    for (let tries = 0; tries < mostFits; tries++) {
      const { pull: size, way } = nextStep(walk, level, conditional / 2);
      const to = Math.max(start + direction * way, start * 0.02);
      // dQ/dφ = −κm/c, and 2·rise/way is dQ/dφ on a parabola.
      const kappa = (-direction * held * size) / base.listing.shape[0];
      const point = await at({ held, scale: to / held, kappa });
      const step = { pull: size, rise: point.Q - base.Q, way: direction * (point.phi - start), point };
      walk.push(step);
      if (!nearest || distance(step, level) < distance(nearest, level)) nearest = step;
      if (distance(nearest, level) <= Math.log(closeEnough)) break;
    }
    const way = wayTo(walk, level);
    settle(way === undefined ? null : Math.max(0, start + direction * way), nearest?.point);
  }
  return result();
}

/** A point on the curve: what was pulled with (|κ|m/c), how far that went, and by how much Q rose. */
interface Step {
  readonly pull: number;
  readonly rise: number;
  readonly way: number;
  readonly point: Point;
}

const isOnCurve = ({ rise, way }: Step) => rise > 0 && way > 0;
const distance = (step: Step, level: number) =>
  isOnCurve(step) ? Math.abs(Math.log(step.rise / level)) : Number.POSITIVE_INFINITY;

/** The steps on either side of a level, as near as there are. */
function around(walk: readonly Step[], level: number): { below?: Step; above?: Step } {
  let below: Step | undefined;
  let above: Step | undefined;
  for (const step of walk) {
    if (!isOnCurve(step)) continue;
    if (step.rise <= level && !(below && below.rise >= step.rise)) below = step;
    if (step.rise > level && !(above && above.rise <= step.rise)) above = step;
  }
  return { ...(below && { below }), ...(above && { above }) };
}

/** √rise is nearly a straight line in the way, from the origin on, and dQ/dφ is known; undefined where nothing went anywhere. */
function wayTo(walk: readonly Step[], level: number): number | undefined {
  const { below, above } = around(walk, level);
  const root = Math.sqrt(level);
  const [near] = [below, above]
    .filter((step) => step !== undefined)
    .sort((one, other) => distance(one, level) - distance(other, level));
  if (near && distance(near, level) <= Math.log(closeEnough))
    return near.way + (2 * Math.sqrt(near.rise) * (root - Math.sqrt(near.rise))) / near.pull;
  if (!above) return below && below.way * Math.sqrt(level / below.rise);
  const [way, low] = below ? [below.way, Math.sqrt(below.rise)] : [0, 0];
  return way + ((above.way - way) * (root - low)) / (Math.sqrt(above.rise) - low);
}

/** How hard to pull next: on the first step by a curvature, then as rise ∝ pull² between or beyond what there is. */
function nextStep(walk: readonly Step[], level: number, curvature: number): { pull: number; way: number } {
  const { below, above } = around(walk, level);
  const way = wayTo(walk, level) ?? Math.sqrt(level / curvature);
  if (below && above) {
    const share = Math.log(level / below.rise) / Math.log(above.rise / below.rise);
    return { pull: below.pull * (above.pull / below.pull) ** Math.min(0.9, Math.max(0.1, share)), way };
  }
  const one = below ?? above;
  if (one) return { pull: one.pull * Math.min(8, Math.max(1 / 8, Math.sqrt(level / one.rise))), way };
  const last = walk.at(-1);
  // What went nowhere was pulled too little.
  return { pull: last ? 4 * last.pull : 2 * Math.sqrt(curvature * level), way };
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
  const model = await fit(() => {
    const width = kappa === 0 ? n : n + 1;
    const V = new Float64Array(width * k);
    const hold = new Float64Array(width * k).fill(Number.NaN);
    for (let j = 0; j < n; j++)
      for (let c = 0; c < k; c++) V[j * k + c] = base.V.get(j, c) / (c === factor ? scale : 1);
    V[column * k + factor] = held;
    hold[column * k + factor] = held;
    if (width > n) {
      V[n * k + factor] = 1;
      hold.set(V.subarray(n * k), n * k);
    }
    return {
      ...options,
      ...displacedFit,
      ...asInput(kappa === 0 ? listing : withPull(listing, kappa)),
      init: { V: ndarray(V, [width, k]) },
      hold: { V: ndarray(hold, [width, k]) },
    };
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
