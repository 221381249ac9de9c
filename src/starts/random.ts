/**
 * Random numbers by position: a counter-based generator keyed by (seed, matrix, row, column), so that a start does not
 * depend on who draws it or in which order (J. K. Salmon et al., SC 2011; the mixer is MurmurHash3's finalizer).
 */

/** 32 well-mixed bits of a position. */
function mix(a: number, b: number): number {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ b;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** What numbers are drawn for, such as the starts of U and V and what is held out. Each has numbers of its own under one seed. */
export const streams = {
  U: 0,
  V: 1,
  holdout: 2,
  folds: 3,
  rows: 4,
  columns: 5,
  given: 6,
  negatives: 7,
  growth: 8,
  starts: 9,
  bootstrap: 12,
  curvatureU: 13,
  curvatureV: 14,
  bound: 40,
} as const;

/** 32 well-mixed bits, the same for a position whoever asks. */
export function bitsAt(seed: number, stream: number, row: number, column: number): number {
  return mix(bitsOfRow(seed, stream, row), column);
}

/** What those of a row have in common. */
export function bitsOfRow(seed: number, stream: number, row: number): number {
  return mix(mix(seed, stream), row);
}

/**
 * A number of mean 0 and variance 1, near normal: the sum of four uniform ones (Irwin–Hall). No logarithm or cosine, whose
 * last bits differ between machines.
 */
export function normalAt(seed: number, matrix: number, row: number, column: number): number {
  return normalInRow(bitsOfRow(seed, matrix, row), column);
}

/** The same of a row whose {@link bitsOfRow} are known. */
export function normalInRow(bits: number, column: number): number {
  const key = mix(bits, column);
  const low = mix(key, 1);
  const high = mix(key, 2);
  const sum = (low & 0xffff) + (low >>> 16) + (high & 0xffff) + (high >>> 16);
  // Each of the four is uniform on 0…65535: mean 32767.5, variance (65536² − 1)/12.
  return (sum - 131070) / Math.sqrt((4 * (65536 * 65536 - 1)) / 12);
}
