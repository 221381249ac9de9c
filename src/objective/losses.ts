/** What one observation costs, as a function of its prediction: the losses by name, and their plain float64 twin. */
import type { LossName } from '../kernels/composed.js';

export interface Loss {
  readonly name: LossName;
  /** δ of huber, ε of l1; 0 where there is none. */
  readonly parameter: number;
}

/**
 * ℓ(w, a, p), w = W, with r = p − a:
 *
 * - quadratic W²r²
 * - huber ρ_δ(Wr), ρ_δ(z) = z² for |z| ≤ δ, else 2δ|z| − δ² (δ in units of σ = 1/W); rawHuber W²ρ_δ(r)
 * - l1 W²(√(r² + ε²) − ε), which is below W²|r| by at most εW²
 * - logistic W² log(1 + e^(−ap)), a = ±1
 * - poisson W²(a log(a/p) − a + p), the Kullback–Leibler divergence with the identity as link, p > 0
 */
export function lossValue({ name, parameter }: Loss, w: number, a: number, p: number): number {
  const r = p - a;
  switch (name) {
    case 'quadratic':
      return (w * r) ** 2;
    case 'huber':
      return rho(w * r, parameter);
    case 'rawHuber':
      return w * w * rho(r, parameter);
    case 'l1':
      return w * w * ((r * r) / (Math.hypot(r, parameter) + parameter));
    case 'logistic':
      return w * w * (Math.max(0, -a * p) + Math.log1p(Math.exp(-Math.abs(a * p))));
    case 'poisson':
      if (a === 0) return p >= 0 ? w * w * p : Number.POSITIVE_INFINITY;
      return p > 0 ? w * w * a * divergence((p - a) / a) : Number.POSITIVE_INFINITY;
  }
}

/** ∂ℓ/∂p */
export function lossSlope({ name, parameter }: Loss, w: number, a: number, p: number): number {
  const r = p - a;
  switch (name) {
    case 'quadratic':
      return 2 * w * w * r;
    case 'huber':
      return 2 * w * Math.max(-parameter, Math.min(parameter, w * r));
    case 'rawHuber':
      return 2 * w * w * Math.max(-parameter, Math.min(parameter, r));
    case 'l1':
      return (w * w * r) / Math.hypot(r, parameter);
    case 'logistic':
      return (-w * w * a) / (1 + Math.exp(a * p));
    case 'poisson':
      return a === 0 ? w * w : w * w * (1 - a / p);
  }
}

/**
 * ω of the quadratic ω(x − p)² + ℓ′(p)(x − p) + ℓ(p) that touches ℓ at p, and lies above it but for poisson, where ω is half
 * the curvature: W² for squares.
 */
export function lossCurvature({ name, parameter }: Loss, w: number, a: number, p: number): number {
  const r = Math.abs(p - a);
  switch (name) {
    case 'quadratic':
      return w * w;
    case 'huber':
      return w * r <= parameter ? w * w : (parameter * w) / r;
    case 'rawHuber':
      return r <= parameter ? w * w : (w * w * parameter) / r;
    case 'l1':
      return (w * w) / (2 * Math.hypot(r, parameter));
    case 'logistic':
      return p === 0 ? (w * w) / 8 : (w * w * Math.tanh(p / 2)) / (4 * p);
    case 'poisson':
      return a === 0 ? 0 : (w * w * a) / (2 * p * p);
  }
}

/** e − log(1 + e), by its series where the terms would cancel. */
function divergence(e: number): number {
  if (Math.abs(e) > 0.01) return e - Math.log1p(e);
  let sum = 0;
  for (let n = 10; n >= 2; n--) sum = 1 / n - e * sum;
  return e * e * sum;
}

function rho(z: number, delta: number): number {
  return Math.abs(z) <= delta ? z * z : 2 * delta * Math.abs(z) - delta * delta;
}

/** A loss from the text of its option, such as huber:1.5. */
export function lossOf(text: string): Loss {
  const [name, parameter = '0', raw] = text.split(':');
  return { name: (raw ? 'rawHuber' : name) as LossName, parameter: Number(parameter) };
}

/** The text of a loss's option. */
export function lossText({ name, parameter }: Loss): string {
  if (name === 'rawHuber') return `huber:${parameter}:raw`;
  return name === 'huber' || name === 'l1' ? `${name}:${parameter}` : name;
}
