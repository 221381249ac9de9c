/**
 * exp and log in float64 by the methods of fdlibm (Sun Microsystems 1993): argument reduction and a minimax polynomial,
 * errors below 1 ulp. Our own, since a host's may differ in the last bit, and AssemblyScript's keep tables in the memory
 * that the layout takes to be its own.
 */

const ln2High: f64 = 6.93147180369123816490e-1;
const ln2Low: f64 = 1.90821492927058770002e-10;

/** 2ᵏ for −1022 ≤ k ≤ 1023. */
// @ts-ignore: decorator
@inline
function powerOf2(k: i32): f64 {
  return reinterpret<f64>((<i64>(k + 1023)) << 52);
}

export function exp(x: f64): f64 {
  if (x > 709) return x > 709.782712893384 ? Infinity : exp(x - 1) * 2.718281828459045;
  if (x < -708) return x < -745.2 ? 0 : exp(x + 60) * 8.75651076269652e-27;
  // x = k ln 2 + r, |r| ≤ ½ ln 2; e^r = 1 + 2r/(R − r) with R = r(e^r + 1)/(e^r − 1) by its series.
  const k = nearest<f64>(x * 1.4426950408889634);
  const high = x - k * ln2High, low = k * ln2Low;
  const r = high - low;
  const t = r * r;
  const c = r - t * (1.66666666666666019037e-1 + t * (-2.77777777770155933842e-3 + t * (6.61375632143793436117e-5 + t * (-1.65339022054652515390e-6 + t * 4.13813679705723846039e-8))));
  return (1 - (low - (r * c) / (2 - c) - high)) * powerOf2(<i32>k);
}

/** Of a positive number. */
export function log(x: f64): f64 {
  let scale = 0;
  if (x < 2.2250738585072014e-308) {
    x *= 18014398509481984;
    scale = -54;
  }
  // x = 2ᵏ(1 + f), √½ < 1 + f < √2; s = f/(2 + f), log(1 + f) = 2s + s³·series.
  const bits = reinterpret<u64>(x) + ((<u64>0x3ff00000 - <u64>0x3fe6a09e) << 32);
  const k = <f64>(<i32>(bits >> 52) - 1023 + scale);
  const f = reinterpret<f64>((bits & 0x000fffffffffffff) + (<u64>0x3fe6a09e << 32)) - 1;
  const s = f / (2 + f);
  const z = s * s, w = z * z;
  const even = w * (3.999999999940941908e-1 + w * (2.222219843214978396e-1 + w * 1.531383769920937332e-1));
  const odd = z * (6.666666666666735130e-1 + w * (2.857142874366239149e-1 + w * (1.818357216161805012e-1 + w * 1.479819860511658591e-1)));
  const half = 0.5 * f * f;
  return s * (half + even + odd) + k * ln2Low - half + f + k * ln2High;
}

/** log(1 + x) for 0 ≤ x ≤ 1: the logarithm of what 1 + x rounds to, and what that lost. */
export function log1p(x: f64): f64 {
  const u = 1 + x;
  return log(u) - (u - 1 - x) / u;
}
