/** The distinct optima that starts have found, and whether they are likely to be all. */

/** A start that has ended: what it reached, and whether that is a stationary point. */
export interface EndedStart {
  readonly index: number;
  readonly objective: number;
  readonly isConverged: boolean;
}

/** An optimum, and which starts found it: the least objective of them. */
export interface FoundOptimum {
  readonly objective: number;
  /** Their indices, in order. */
  readonly starts: readonly number[];
}

/** Converged starts have found the same optimum where their objectives differ by no more than this, relative, */
const sameOptimum = 1e-6;

/** or, where the data is fitted exactly, by no more than this share of f at a constant prediction. */
const exactFit = 1e-12;

/** How far from the least objective of an optimum others are still that optimum. */
export function widthOf(least: number, atConstant: number): number {
  return Math.max(sameOptimum * Math.abs(least), exactFit * atConstant);
}

/**
 * The optima of the converged starts, the best first; each is told from the one below it by its least objective.
 *
 * @param atConstant f where the prediction is a constant: the measure of what is nothing.
 */
export function distinctOptima(ended: readonly EndedStart[], atConstant: number): FoundOptimum[] {
  const converged = ended.filter(({ isConverged }) => isConverged);
  converged.sort((a, b) => a.objective - b.objective || a.index - b.index);
  const optima: { objective: number; starts: number[] }[] = [];
  for (const { index, objective } of converged) {
    const last = optima.at(-1);
    if (last && objective - last.objective <= widthOf(last.objective, atConstant)) last.starts.push(index);
    else optima.push({ objective, starts: [index] });
  }
  for (const { starts } of optima) starts.sort((a, b) => a - b);
  return optima;
}

/** Fewer converged starts say too little about optima that were not seen. */
const fewestConverged = 20;
const fewestHits = 2;

/**
 * Whether the optima seen are likely to be all: the best was hit twice, N ≥ 20 starts have converged, and the Bayesian
 * estimate of the number of optima from N starts that found w, w(N − 1)/(N − w − 2), is w when rounded (C. G. E. Boender &
 * A. H. G. Rinnooy Kan, Mathematical Programming 37 (1987)).
 */
export function isSearched(optima: readonly FoundOptimum[]): boolean {
  const w = optima.length;
  const N = optima.reduce((sum, { starts }) => sum + starts.length, 0);
  const hits = optima[0]?.starts.length ?? 0;
  return hits >= fewestHits && N >= fewestConverged && N > w + 2 && (w * (N - 1)) / (N - w - 2) < w + 0.5;
}
