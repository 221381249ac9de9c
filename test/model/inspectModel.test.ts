import ndarray from 'ndarray';
import { describe, expect, test } from 'vitest';
import { equationOf, factorize, inspectModel } from '../../dist/src/index.js';
import type { ResolvedOptions } from '../../dist/src/options.js';
import { sampleModel } from '../model/sample.js';
import { randomModel } from '../recommend/models.js';

const plain = sampleModel().fit.options;
const equation = (options: Partial<ResolvedOptions>) => equationOf({ ...plain, ...options });

describe('the equation has the parts that the fit had', () => {
  test.each([
    [{}, ['f = Σ W²(A − p)²', 'p = u_i·v_j']],
    [
      { lambdaRows: 0.1, lambdaColumns: 1, lambdaScale: 'count', biases: 'both', biasLambda: 0.5 },
      [
        'f = Σ W²(A − p)² + 0.1 Σ n_i ‖u_i‖² + Σ n_j ‖v_j‖² + 0.5 Σ n_i b_i² + 0.5 Σ n_j c_j²',
        'p = mean + b_i + c_j + u_i·v_j',
        'n_i, n_j: observations of the row or column',
      ],
    ],
    [
      { lambdaRows: 2, lambdaScale: 'weight', nu: 0.5, biases: 'rows', biasLambda: 0 },
      [
        'f = Σ W²(A − p)² + 2 Σ s_i ‖u_i‖²',
        'p = mean + b_i + u_i·v_j',
        's_i, s_j: ΣW² of the row or column, to the power 0.5',
      ],
    ],
    [
      { loss: 'huber:1.5', bounds: { rows: [0, null], columns: [0, 1] }, hold: { U: false, V: true } },
      [
        'f = Σ ρ(W(A − p))',
        'p = u_i·v_j',
        'ρ(z) = z² up to |z| = δ, 2δ|z| − δ² beyond; δ = 1.5',
        'U ≥ 0',
        '0 ≤ V ≤ 1',
        'known entries of V were held',
      ],
    ],
    [
      { background: { weight: 0.3, value: 0 }, l1Columns: 0.2, lambdaColumns: 0.1, freeColumns: 1 },
      [
        'f = Σ W²(A − p)² + Σ_unlisted 0.3 (0 − p)² + 0.1 Σ ‖v_j_>1‖² + 0.2 Σ ‖v_j_>1‖₁',
        'p = u_i·v_j',
        'the first 1 latent columns carry no penalty: _>1 means those after them',
      ],
    ],
    [
      { background: { weight: 1, value: 0 }, lambdaRows: 3, lambdaScale: 'count' },
      [
        'f = Σ W²(A − p)² + Σ_unlisted (0 − p)² + 3 Σ n_i ‖u_i‖²',
        'p = u_i·v_j',
        'n_i, n_j: observations of the row or column, the background counted in',
      ],
    ],
    [{ loss: 'l1:0.01' }, ['f = Σ W²(√((A − p)² + ε²) − ε)', 'p = u_i·v_j', 'ε = 0.01']],
    [{ loss: 'logistic' }, ['f = Σ W² log(1 + exp(−A p))', 'p = u_i·v_j', 'A = ±1']],
    [{ loss: 'poisson' }, ['f = Σ W²(A log(A/p) − A + p)', 'p = u_i·v_j']],
  ] as [Partial<ResolvedOptions>, string[]][])('%o', (options, lines) => {
    expect(equation(options)).toEqual(lines);
  });
});

test('numbers are those of the definitions, and of UVᵀ', () => {
  const labels = { columns: ['a', 'b', 'c', 'd', 'e'] };
  const model = randomModel({ rows: 7, columns: 5, rank: 3, dtype: 'f64', biases: 'both', labels });
  const found = inspectModel(model, { top: 2 });
  const norm = (x: ArrayLike<number> = []) => Math.sqrt(Array.from(x).reduce((sum, value) => sum + value * value, 0));
  expect(found.norms.U).toBeCloseTo(norm(model.U.data), 12);
  expect(found.norms.columnBias).toBeCloseTo(norm(model.biases.columns), 12);
  let squares = 0;
  for (let i = 0; i < 7; i++)
    for (let j = 0; j < 5; j++) {
      let sum = 0;
      for (let c = 0; c < 3; c++) sum += model.U.get(i, c) * model.V.get(j, c);
      squares += sum * sum;
    }
  const { singularValues, latent } = found;
  expect(singularValues.reduce((sum, d) => sum + d * d, 0)).toBeCloseTo(squares, 10);
  expect(latent.map(({ share }) => share)).toEqual(singularValues.map((d) => expect.closeTo((d * d) / squares, 10)));
  const { V } = model.canonical();
  latent.forEach(({ largest }, c) => {
    const all = labels.columns.map((label, column) => ({ column, label, value: V.get(column, c) }));
    all.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
    expect(largest).toEqual(all.slice(0, 2));
  });
  expect(found.unobserved).toEqual({ rows: 0, columns: 0 });
  expect(() => inspectModel(model, { top: 0 })).toThrow(expect.objectContaining({ code: 'invalid-option' }));
});

test('factors that mean something are looked at as they are; rows without observations are counted', async () => {
  const nan = Number.NaN;
  const A = ndarray(Float64Array.of(5, 3, nan, 1, nan, nan, nan, nan, 1, 1, nan, 5), [3, 4]);
  const model = await factorize(A, { rank: 2, nonnegative: 'both', lambda: 0.1, dtype: 'f64' });
  const { isCanonical, latent, unobserved, equation } = inspectModel(model, { top: 9 });
  expect(isCanonical).toBe(false);
  expect(unobserved).toEqual({ rows: 1, columns: 1 });
  latent.forEach(({ largest }, c) => {
    expect(largest).toHaveLength(4);
    for (const { column, value } of largest) expect(value).toBe(model.V.get(column, c));
  });
  expect(equation).toEqual(['f = Σ W²(A − p)² + 0.1 Σ ‖u_i‖² + 0.1 Σ ‖v_j‖²', 'p = u_i·v_j', 'U ≥ 0', 'V ≥ 0']);
});
