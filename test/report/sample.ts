/** Models and data for pages. */
import type { Triples } from '../../dist/src/data/input.js';
import { factorize } from '../../dist/src/factorize/factorize.js';
import type { FactorizeOptions } from '../../dist/src/factorize/factorizeOptions.js';
import type { ByFactor, FactorUncertainty } from '../../dist/src/model/factorUncertainty.js';
import { Model, type ModelParts } from '../../dist/src/model/model.js';
import { uniform } from '../helpers/random.js';

/** Labels that would break a page that did not escape them. */
export const hostile = [
  '</script><script>document.title="owned"</script>',
  '<img src=x onerror="document.title=1">',
  "quo\"te 'and' &amp; ampersand",
  'line\nbreak\u2028here',
  'שלום עולם',
  '\u202egnp.exe',
  '<!-- <script>',
  '{"json": "}"}',
];

export interface Sample {
  readonly A: Triples;
  readonly sigma: Float64Array;
  readonly labels: { readonly rows: string[]; readonly columns: string[] };
}

/** 40 × 12 of rank 2 with noise, four fifths listed, all positive. */
export function sampleData(m = 40, n = 12, isHostile = false): Sample {
  const random = uniform(7);
  const u = Array.from({ length: 2 * m }, () => 0.2 + random());
  const v = Array.from({ length: 2 * n }, () => 0.2 + random());
  const listed = Array.from({ length: m * n }, (_, t) => t).filter(() => random() < 0.8);
  const values = listed.map((t) => {
    const [i, j] = [Math.floor(t / n), t % n];
    return (
      (u[2 * i] as number) * (v[2 * j] as number) + (u[2 * i + 1] as number) * (v[2 * j + 1] as number) + 0.1 * random()
    );
  });
  const name = (noun: string) => (_: unknown, i: number) => (isHostile && hostile[i]) || `${noun} ${i}`;
  return {
    A: {
      rows: Uint32Array.from(listed, (t) => Math.floor(t / n)),
      columns: Uint32Array.from(listed, (t) => t % n),
      values: Float64Array.from(values),
      shape: [m, n],
    },
    sigma: Float64Array.from(listed, (_, t) => 0.05 + 0.01 * (t % 7)),
    labels: { rows: Array.from({ length: m }, name('row')), columns: Array.from({ length: n }, name('column')) },
  };
}

export function fitSample(sample: Sample, options: Partial<FactorizeOptions> = {}): Promise<Model> {
  return factorize(sample.A, {
    rank: 2,
    labels: sample.labels,
    weights: { sigma: sample.sigma },
    threads: 1,
    ...options,
  });
}

/** What a bootstrap might say of two profiles of n columns. */
export function bootstrapped(n: number): FactorUncertainty {
  const profile = (size: number): ByFactor =>
    Array.from({ length: 2 }, (_, p) => Array.from({ length: n }, (_, j) => size + p + j));
  return {
    bootstrap: {
      runs: 20,
      converged: 20,
      blockRows: 5,
      threshold: 0.6,
      seed: 1,
      mapping: [
        [19, 0],
        [1, 20],
      ],
      unmapped: [1, 0],
      objective: { lowest: 1, p25: 2, median: 3, p75: 4, highest: 5 },
      profiles: profile(3),
      percentiles: { p5: profile(1), p25: profile(2), p50: profile(3), p75: profile(4), p95: profile(5) },
    },
  };
}

/** The same model with parts of it replaced. */
export function withParts(model: Model, parts: Partial<ModelParts>): Model {
  const { U, V, biases, labels, fit, run } = model;
  return new Model({ U, V, biases, labels, fit, ...(run && { run }), ...parts });
}
