/** Rating-like matrices from a seed: power-law row lengths and column popularity, a rank-10 signal plus noise. */

/** xorshift128+ would do; this 32-bit mixer (splitmix-like) is enough for test data and fast in JavaScript. */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Row lengths that follow (i + shift)^-exponent, at least `least`, summing to `total`. */
function powerLawCounts(rows, total, exponent, shift, least, most) {
  const weights = Float64Array.from({ length: rows }, (_, i) => (i + shift) ** -exponent);
  const sum = weights.reduce((a, b) => a + b, 0);
  const counts = Uint32Array.from(weights, (w) => Math.min(most, Math.max(least, Math.round((w / sum) * total))));
  let rest = total - counts.reduce((a, b) => a + b, 0);
  for (let i = 0; rest !== 0; i = (i + 1) % rows) {
    const step = Math.sign(rest);
    if (counts[i] + step < least || counts[i] + step > most) continue;
    counts[i] += step;
    rest -= step;
  }
  return counts;
}

/**
 * CSR with unsorted columns within a row. With `affinity` a column that is drawn is listed with probability
 * 1/(1 + exp(affinity·(4.5 − signal))): what is liked is listed.
 */
export function ratings({ rows, columns, observed, seed, rank = 10, noise = 0.8, affinity = 0 }) {
  const random = generator(seed);
  const counts = powerLawCounts(rows, observed, 0.75, rows / 200, 20, Math.floor(columns * 0.35));
  // Rows come in random order, so that blocks of neighbours do not sort themselves by length.
  for (let i = rows - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [counts[i], counts[j]] = [counts[j], counts[i]];
  }
  const popularity = Float64Array.from({ length: columns }, (_, j) => (j + columns / 100) ** -0.9);
  const cumulative = new Float64Array(columns + 1);
  for (let j = 0; j < columns; j++) cumulative[j + 1] = cumulative[j] + popularity[j];
  const guide = guideTable(cumulative, columns * 4);
  const U = Float32Array.from({ length: rows * rank }, () => random() - 0.5);
  const V = Float32Array.from({ length: columns * rank }, () => random() - 0.5);
  const scale = 12 / Math.sqrt(rank);
  const rowPointers = new Uint32Array(rows + 1);
  const columnIndices = new Uint32Array(observed);
  const values = new Float32Array(observed);
  const seen = new Int32Array(columns).fill(-1);
  const signalOf = (i, j) => {
    let signal = 3.5;
    for (let r = 0; r < rank; r++) signal += scale * U[i * rank + r] * V[j * rank + r];
    return signal;
  };
  const isListed = (i, j) => affinity === 0 || random() < 1 / (1 + Math.exp(affinity * (4.5 - signalOf(i, j))));
  let t = 0;
  for (let i = 0; i < rows; i++) {
    for (let c = 0; c < counts[i]; c++) {
      let j = drawFrom(cumulative, guide, random());
      for (let tries = 0; tries < 100 && !isListed(i, j); tries++) j = drawFrom(cumulative, guide, random());
      while (seen[j] === i) j = (j + 1) % columns;
      seen[j] = i;
      columnIndices[t] = j;
      values[t] = signalOf(i, j) + noise * (random() + random() - 1) * 2.45;
      t++;
    }
    rowPointers[i + 1] = t;
  }
  return { rowPointers, columnIndices, values, shape: [rows, columns] };
}

/** Where to begin looking for a quantile: index of the last cumulative value at or below each grid point. */
function guideTable(cumulative, size) {
  const total = cumulative[cumulative.length - 1];
  const guide = new Uint32Array(size + 1);
  let j = 0;
  for (let g = 0; g <= size; g++) {
    while (j + 1 < cumulative.length - 1 && cumulative[j + 1] <= (g / size) * total) j++;
    guide[g] = j;
  }
  return guide;
}

function drawFrom(cumulative, guide, u) {
  const target = u * cumulative[cumulative.length - 1];
  let j = guide[Math.floor(u * (guide.length - 1))];
  while (cumulative[j + 1] <= target) j++;
  return j;
}

/** The shape the issue of the engine names: MovieLens-20M-like. */
export const movieLens20M = { rows: 138_000, columns: 27_000, observed: 20_000_000, seed: 20 };
