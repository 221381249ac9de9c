/**
 * What other tools minimise, in our terms: the same knobs, so that a result can be compared number by number. Each is
 * held against a small reference of that tool's objective in test/factorize/like.test.ts; docs/objectives.md has the table.
 */
import ndarray, { type NdArray } from 'ndarray';
import { refuse } from '../data/chunks.js';
import { listedCount, visitEntries } from '../data/entries.js';
import { isCompressed, isTriples } from '../data/forms.js';
import type { MatrixInput, RealArray, WeightsInput } from '../data/input.js';
import { inSteps } from '../data/inSteps.js';
import { HadamardError } from '../errors.js';
import type { FactorizeOptions } from './factorizeOptions.js';

export interface Tool {
  /** Its objective, as it writes it. */
  readonly minimises: string;
  /** What that is in ours. */
  readonly inOurs: string;
  /** Options that stand for its defaults; what the caller gives comes before them. */
  readonly options: Partial<FactorizeOptions>;
  /** A confidence model: value and W² of a listed entry r, and the weight of the others. */
  readonly confidence?: (r: number, alpha: number) => { readonly value: number; readonly weight: number };
  readonly background?: (alpha: number) => number;
}

export const tools = {
  implicit: {
    minimises:
      'Σ c(p − x·y)² + λ(‖X‖² + ‖Y‖²) over all entries; c = α|r| and p = [r > 0] where listed, else c = 1, p = 0',
    inOurs: 'value [r > 0], W² = α|r|, background 1, λ by row',
    options: { lambdaScale: 'row' },
    confidence: (r, alpha) => ({ value: r > 0 ? 1 : 0, weight: alpha * Math.abs(r) }),
    background: () => 1,
  },
  rsparse: {
    minimises: 'WRMF, implicit feedback: as implicit with c = r, no α',
    inOurs: 'value [r > 0], W² = |r|, background 1, λ by row',
    options: { lambdaScale: 'row' },
    confidence: (r) => ({ value: r > 0 ? 1 : 0, weight: Math.abs(r) }),
    background: () => 1,
  },
  irspack: {
    minimises: 'Σ_listed (x·y − 1)² + α₀ Σ_all (x·y)² + λ Σ (n_u + α₀·items)^ν ‖x_u‖² + the same of Y',
    inOurs:
      'value 1/(1 + α), W² = 1 + α, background α, λ by count to the power ν; f is less by α/(1 + α) for each listed entry',
    options: { lambdaScale: 'count' },
    confidence: (_r, alpha) => ({ value: 1 / (1 + alpha), weight: 1 + alpha }),
    background: (alpha) => alpha,
  },
  spark: {
    minimises: 'explicit ALS: Σ (r − x·y)² + λ(Σ n_u‖x_u‖² + Σ n_i‖y_i‖²)',
    inOurs: 'λ by count',
    options: { lambdaScale: 'count' },
  },
  libmf: {
    minimises: 'Σ (r − p·q)² + λ‖p_u‖² + λ‖q_v‖², the penalties once for each entry',
    inOurs: 'λ by count',
    options: { lambdaScale: 'count' },
  },
  cmfrec: {
    minimises:
      'CMF: Σ w(x − μ − b_u − b_i − a·b)² + λ(‖A‖² + ‖B‖² + ‖b_u‖² + ‖b_i‖²), μ the weighted mean; scale_lam is λ by count',
    inOurs: 'weights as W², biases both, λ by row',
    options: { biases: 'both', lambdaScale: 'row' },
  },
  softimpute: {
    minimises: '½‖P(X − UVᵀ)‖² + (λ/2)(‖U‖² + ‖V‖²), the form of λ‖UVᵀ‖_*',
    inOurs: 'the same λ by row; f is twice its objective',
    options: { lambdaScale: 'row', dtype: 'f64' },
  },
} as const satisfies Readonly<Record<string, Tool>>;

export type ToolName = keyof typeof tools;

/** A and the options with the named tool's meaning. */
export function asTool(
  A: MatrixInput,
  options: FactorizeOptions,
): { readonly A: MatrixInput; readonly options: FactorizeOptions } {
  const name = options?.like;
  if (name === undefined || !Object.hasOwn(tools, name)) return { A, options };
  const tool: Tool = tools[name as ToolName];
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const merged = { ...tool.options, ...given } as unknown as FactorizeOptions;
  const { confidence, background } = tool;
  if (!confidence || !background) return { A, options: merged };
  if (options.weights !== undefined || options.background !== undefined)
    throw new HadamardError({
      code: 'incompatible-options',
      what: `like "${name}" makes weights and background from the values of A, and others are given.`,
      position: { option: 'like' },
      rule: tool.inOurs,
      remedy: 'Leave weights and background out, or leave like out and give them all.',
    });
  const alpha = options.alpha ?? 1;
  const values = new Float64Array(listedCount(A));
  const weight = new Float64Array(values.length);
  const put = (r: number, index: number) => {
    const entry = confidence(r, alpha);
    values[index] = entry.value;
    weight[index] = entry.weight;
  };
  const putAll = (list: RealArray, from: number, to: number): boolean => {
    let isSound = true;
    for (let t = from; t < to; t++) {
      const r = list[t] as number;
      if (!Number.isFinite(r)) isSound = false;
      put(r, t);
    }
    return isSound;
  };
  const weights: WeightsInput = { weight };
  const asked = { ...merged, weights, background: background(alpha) };
  if (isTriples(A) || isCompressed(A)) {
    const list = A.values;
    // Where an entry stands is looked at with what becomes of it.
    inSteps(list.length, (from, to) => {
      if (!putAll(list, from, to)) refuse(A, undefined);
    });
    return { A: { ...A, values }, options: asked };
  }
  values.fill(Number.NaN);
  visitEntries(A, undefined, (_row, _column, r, _weight, index) => put(r, index));
  return { A: ndarray(values, [...(A as NdArray<RealArray>).shape]), options: asked };
}

/** What predictions of the fit are of, for entries in the values of the tool that it was `like`: themselves, or its preferences. */
export function targetsOf(options: Pick<FactorizeOptions, 'like' | 'alpha'>, values: Float64Array): Float64Array {
  const { confidence }: Partial<Tool> = options.like === undefined ? {} : tools[options.like];
  return confidence ? values.map((r) => confidence(r, options.alpha ?? 1).value) : values;
}
