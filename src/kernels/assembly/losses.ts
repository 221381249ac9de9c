/**
 * Losses of one observation as functions of its prediction p: value, half its slope, and the curvature ω of a quadratic
 * ℓ(p) + 2·slope·(p′ − p) + ω(p′ − p)² that lies above the loss (poisson: that touches it to second order).
 */
import { exp, log, log1p } from "./elementary";

export const enum Loss {
  Quadratic = 0,
  Huber = 1,
  RawHuber = 2,
  L1 = 3,
  Logistic = 4,
  Poisson = 5,
}

/** @param w W. @param d δ or ε. */
export function lossValue(loss: i32, w: f64, a: f64, p: f64, d: f64): f64 {
  const r = p - a;
  if (loss == Loss.Quadratic) return w * r * (w * r);
  if (loss == Loss.Huber) {
    const z = abs(w * r);
    return z <= d ? z * z : 2 * d * z - d * d;
  }
  const squared = w * w;
  if (loss == Loss.RawHuber) {
    const z = abs(r);
    return squared * (z <= d ? z * z : 2 * d * z - d * d);
  }
  // √(r² + ε²) − ε without the cancellation.
  if (loss == Loss.L1) return (squared * (r * r)) / (sqrt(r * r + d * d) + d);
  if (loss == Loss.Logistic) {
    // log(1 + e^−m) from the side that does not overflow.
    const m = a * p;
    return squared * (max(0, -m) + log1p(exp(-abs(m))));
  }
  if (a == 0) return p >= 0 ? squared * p : Infinity;
  return p > 0 ? squared * a * divergence(p / a, (p - a) / a) : Infinity;
}

/** t − 1 − log t, e = t − 1: by its series where the terms would cancel. */
function divergence(t: f64, e: f64): f64 {
  if (abs(e) > 0.01) return e - log(t);
  return e * e * (0.5 - e * (1.0 / 3 - e * (0.25 - e * (0.2 - e * (1.0 / 6 - e * (1.0 / 7 - e * (0.125 - e / 9)))))));
}

export function halfSlope(loss: i32, w: f64, a: f64, p: f64, d: f64): f64 {
  // A listed entry of weight 0 is there for the background alone.
  if (w == 0) return 0;
  const r = p - a;
  const squared = w * w;
  if (loss == Loss.Quadratic) return squared * r;
  if (loss == Loss.Huber) return abs(w * r) <= d ? squared * r : r > 0 ? d * w : -d * w;
  if (loss == Loss.RawHuber) return squared * (abs(r) <= d ? r : r > 0 ? d : -d);
  if (loss == Loss.L1) return (squared * r) / (2 * sqrt(r * r + d * d));
  if (loss == Loss.Logistic) return (-0.5 * squared * a) / (1 + exp(a * p));
  return 0.5 * squared * (a == 0 ? 1 : 1 - a / p);
}

/**
 * Huber and l1: P. J. Huber, Robust Statistics (1981), 7.8. Logistic: T. Jaakkola & M. Jordan, Statistics and Computing 10
 * (2000), eq. (10). Poisson: half the second derivative.
 */
export function curvature(loss: i32, w: f64, a: f64, p: f64, d: f64): f64 {
  if (w == 0) return 0;
  const r = p - a;
  const squared = w * w;
  if (loss == Loss.Quadratic) return squared;
  if (loss == Loss.Huber) return abs(w * r) <= d ? squared : (d * w) / abs(r);
  if (loss == Loss.RawHuber) return abs(r) <= d ? squared : (squared * d) / abs(r);
  if (loss == Loss.L1) return squared / (2 * sqrt(r * r + d * d));
  if (loss == Loss.Logistic) {
    const x = abs(p);
    // tanh(x/2)/(4x), by its series where the quotient would cancel.
    if (x < 0.05) return squared * (0.125 - x * x * (1.0 / 96 - x * x * (1.0 / 960 - (x * x * 17) / 161280)));
    const e = exp(-x);
    return (squared * (1 - e)) / (4 * x * (1 + e));
  }
  // A count of 0 costs p, which does not curve, not even at p = 0.
  return a == 0 ? 0 : (0.5 * squared * a) / (p * p);
}
