/** What made a prediction: parts that add up to it, and the slope of a fold-in that measures them. */
import { describe, expect, test } from 'vitest';
import {
  type ExplainOptions,
  explain,
  type FactorizeOptions,
  factorize,
  foldIn,
  type Model,
} from '../../dist/src/index.js';
import { predictEntry } from '../../dist/src/model/objective.js';
import { expectClose } from '../helpers/compare.js';
import { base, type Objective, objectives, ones } from '../helpers/objectives.js';
import { dense, type Problem, sqrtWeights, triples, withEntries } from '../helpers/problem.js';

const fit = (of: Problem, options: Objective, more: Partial<FactorizeOptions> = {}): Promise<Model> =>
  factorize(triples(of), { rank: 3, weights: sqrtWeights(of), threads: 1, dtype: 'f64', ...options, ...more });

const told = (of: Problem, { background, hold }: Objective): ExplainOptions => ({
  weights: sqrtWeights(of),
  threads: 1,
  ...(hold?.U && { hold: { U: hold.U } }),
  ...(typeof background === 'object' &&
    typeof background.weight === 'object' && { backgroundWeights: background.weight.rows }),
});

const sumOf = ({ base: start, contributions, background, constraints }: Awaited<ReturnType<typeof explain>>) =>
  contributions.reduce((sum, { contribution }) => sum + contribution, start) + background + constraints;

/** Its slopes are those of the prediction itself, not of tangents. */
const isQuadratic = ({ loss = 'quadratic' }: Objective) => loss === 'quadratic';

describe.each(Object.entries(objectives))('%s', (_name, { of = base, options }) => {
  test('the parts add up to the prediction of the model', async () => {
    const model = await fit(of, options, { maxSweeps: 60 });
    for (const [row, column] of [
      [0, 0],
      [7, 3],
      [39, 24],
    ] as const) {
      const explanation = await explain(model, triples(of), row, column, told(of, options));
      const prediction = predictEntry(model, row, column);
      const size = explanation.contributions.reduce(
        (most, { contribution }) => Math.max(most, Math.abs(contribution)),
        1,
      );
      expect(Math.abs(explanation.prediction - prediction) / size).toBeLessThan(1e-10);
      expect(Math.abs(sumOf(explanation) - explanation.prediction) / size).toBeLessThan(1e-10);
      expect(explanation.contributions).toHaveLength(of.entries.filter((e) => e.row === row).length);
      const sizes = explanation.contributions.map(({ contribution }) => Math.abs(contribution));
      expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    }
  });

  test('the parts add up in f32 as well', async () => {
    const model = await fit(of, options, { maxSweeps: 60, dtype: 'f32' });
    const explanation = await explain(model, triples(of), 7, 3, told(of, options));
    const size = explanation.contributions.reduce((sum, { contribution }) => sum + Math.abs(contribution), 1);
    expect(Math.abs(sumOf(explanation) - explanation.prediction) / size).toBeLessThan(1e-5);
  });

  test.runIf(isQuadratic(options))('an effect is the slope of the prediction by the value', async () => {
    const model = await fit(of, options, { maxSweeps: 60 });
    const { contributions } = await explain(model, triples(of), 7, 3, told(of, options));
    for (const { column, effect, value, expected, contribution } of contributions.slice(0, 3)) {
      if (!options.background) expectClose([contribution], [effect * (value - expected)], 1e-12);
      const step = 1e-4;
      const predicted = async (by: number) => {
        const moved = withEntries(of, (e) => ({ value: e.value + (e.row === 7 && e.column === column ? by : 0) }));
        const { factor, bias } = await foldIn(model, triples(moved), { ...told(of, options) });
        return predictEntry({ ...model, U: factor, biases: { ...model.biases, ...(bias && { rows: bias }) } }, 7, 3);
      };
      const slope = ((await predicted(step)) - (await predicted(-step))) / (2 * step);
      expect(Math.abs(slope - effect)).toBeLessThan(1e-7 * Math.max(1, Math.abs(effect)));
    }
  });
});

describe('explain', () => {
  test('names columns by their labels, and gives values, weights and what was expected', async () => {
    const columns = Array.from({ length: base.n }, (_, j) => `c${j}`);
    const model = await fit(base, { lambda: 0.1, biases: 'both' }, { labels: { columns } });
    const { contributions, base: start } = await explain(model, triples(base), 2, 5, told(base, {}));
    expect(start).toBeCloseTo(model.biases.mean + (model.biases.columns?.[5] as number), 12);
    for (const { column, label, value, weight, expected } of contributions) {
      expect(label).toBe(`c${column}`);
      const entry = base.entries.find((e) => e.row === 2 && e.column === column);
      expectClose([value, weight], [entry?.value as number, entry?.weight as number], 1e-14);
      expectClose([expected], [model.biases.mean + (model.biases.columns?.[column] as number)], 1e-12);
    }
  });

  test('of a row with fewer observations than the rank adds up as well', async () => {
    const short = {
      ...base,
      entries: base.entries.filter((e) => e.row !== 4 || e.column < 4).filter((e) => e.row !== 5),
    };
    const model = await fit(short, {}, { maxSweeps: 20 });
    const explanation = await explain(model, triples(short), 4, 20, told(short, {}));
    expect(explanation.contributions.length).toBeLessThan(4);
    expectClose([sumOf(explanation)], [predictEntry(model, 4, 20)], 1e-10);
    const empty = await explain(model, triples(short), 5, 20, told(short, {}));
    expect(empty).toMatchObject({ prediction: 0, base: 0, contributions: [], background: 0, constraints: 0 });
  });

  test('of f32 adds up to its precision', async () => {
    const model = await fit(base, { lambda: 0.1, biases: 'both' }, { dtype: 'f32' });
    const explanation = await explain(model, dense(base), 3, 3, {
      weights: { sqrtWeight: dense(base, (e) => e.weight) },
    });
    expectClose([sumOf(explanation), explanation.prediction], [model.predict(3, 3), model.predict(3, 3)], 1e-5);
  });

  test('reads values as the tool that the fit was like', async () => {
    const plays = withEntries(base, (e) => ({ value: 1 + Math.round(Math.abs(e.value)), weight: 1 }));
    const model = await factorize(triples(plays), { rank: 3, dtype: 'f64', like: 'implicit', alpha: 3, lambda: 0.5 });
    const explanation = await explain(model, triples(plays), 3, 4);
    expect(explanation.contributions.every(({ value }) => value === 1)).toBe(true);
    expectClose([sumOf(explanation)], [predictEntry(model, 3, 4)], 1e-10);
  });

  test.each<[string, number, number, object, string]>([
    ['a row that is not there', 40, 0, {}, 'index-out-of-range'],
    ['a column that is not there', 0, 25, {}, 'index-out-of-range'],
    ['half a row', 0.5, 0, {}, 'index-out-of-range'],
    ['a label', 'a' as never, 0, {}, 'index-out-of-range'],
    ['an option of a fit', 0, 0, { rank: 2 }, 'invalid-option'],
    ['held entries of another shape', 0, 0, { hold: { U: ones(40).hi(40, 2) } }, 'shape-mismatch'],
  ])('refuses %s', async (_name, row, column, options, code) => {
    const model = await fit(base, { lambda: 0.1 }, { maxSweeps: 1 });
    await expect(explain(model, triples(base), row, column, options)).rejects.toMatchObject({ code });
  });
});
