/** Quantiles of the normal and of Student's t distribution. */

/** AS 241, PPND7: M. J. Wichura, Appl. Stat. 37 (1988); about seven digits. */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (
      (q * (((59.10937472 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179)) /
      (((67.1875636 * r + 78.757757664) * r + 17.895169469) * r + 1)
    );
  }
  const r = Math.sqrt(-Math.log(Math.min(p, 1 - p)));
  const tail = r <= 5 ? middle(r - 1.6) : far(r - 5);
  return q < 0 ? -tail : tail;
}

const middle = (r: number) =>
  (((0.17023821103 * r + 1.3067284816) * r + 2.75681539) * r + 1.4234372777) /
  ((0.12021132975 * r + 0.7370016425) * r + 1);

const far = (r: number) =>
  (((0.017337203997 * r + 0.42868294337) * r + 3.081322638) * r + 6.657905115) /
  ((0.012258202635 * r + 0.24197894225) * r + 1);

/**
 * By Hill's expansion around the normal (M. Abramowitz & I. A. Stegun, 26.7.5), with exact forms for one and two degrees of
 * freedom; better than one per cent at 95 % from three on, and four digits from ten on. Degrees of freedom need not be whole.
 */
export function studentQuantile(p: number, degrees: number): number {
  if (degrees < 1.5) return Math.tan(Math.PI * (p - 0.5));
  if (degrees < 2.5) return (2 * p - 1) / Math.sqrt(2 * p * (1 - p));
  const z = normalQuantile(p);
  const s = z * z;
  const terms = [
    z,
    (z * (s + 1)) / 4,
    (z * ((5 * s + 16) * s + 3)) / 96,
    (z * (((3 * s + 19) * s + 17) * s - 15)) / 384,
    (z * ((((79 * s + 776) * s + 1482) * s - 1920) * s - 945)) / 92160,
  ];
  return terms.reduceRight((sum, term) => term + sum / degrees, 0);
}

/** The value below which a share of the values lies, between two of them by a straight line; NaN where there are none. */
export function quantileOf(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (at - Math.floor(at)) * (above - below);
}
