/** Presets: options that belong together. What the caller says himself comes before them. */
import type { FactorizeOptions } from './factorizeOptions.js';

type Preset = Partial<FactorizeOptions>;

export const presets = {
  /** Weighted PCA with missing entries: column means without penalty, no ridge. `model.canonical()` has the components. */
  pca: { biases: 'columns', biasLambda: 0, dtype: 'f64' },
  /** Non-negative matrix factorization. */
  nmf: { nonnegative: 'both' },
  /** Positive matrix factorization as US EPA PMF 5 means it: non-negative, W = 1/σ, no penalty. P. Paatero & U. Tapper, Environmetrics 5 (1994). */
  pmf: { nonnegative: 'both', lambda: 0, dtype: 'f64' },
  /** Counts of what was seen, everything unseen an observation of 0 with weight 1. Y. Hu, Y. Koren & C. Volinsky, ICDM 2008. */
  implicit: { background: 1, lambda: 0.01, lambdaScale: 'count', nu: 1 },
  /** Ratings: biases of rows and columns, λ by the count of observations. Y. Zhou et al., AAIM 2008. */
  explicit: { biases: 'both', lambda: 0.08, lambdaScale: 'count' },
  /** Outliers cost linearly beyond 1.345σ, which keeps 95 % efficiency at normal errors. P. J. Huber, Robust Statistics (1981). */
  robust: { loss: 'huber:1.345' },
  /** Nuclear norm: λ(‖U‖² + ‖V‖²) is 2λ‖UVᵀ‖_* at the optimum. R. Mazumder, T. Hastie & R. Tibshirani, JMLR 11 (2010). */
  softimpute: { lambda: 1, lambdaScale: 'row', dtype: 'f64' },
} as const satisfies Readonly<Record<string, Preset>>;

export type PresetName = keyof typeof presets;

/** The caller's options over those of the preset he names. */
export function withPreset(options: FactorizeOptions): FactorizeOptions {
  if (options?.preset === undefined) return options;
  // A name that there is not is refused with the other options.
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return { ...presets[options.preset as PresetName], ...given } as unknown as FactorizeOptions;
}
