/** What a model says is found again from its data; what is forged, or fitted to other data, is not. */
import { describe, expect, test } from 'vitest';
import { type Claim, type FactorizeOptions, factorize, Model, update, verifyModel } from '../../dist/src/index.js';
import { base, objectives } from '../helpers/objectives.js';
import { type Problem, problem, sqrtWeights, triples, withEntries } from '../helpers/problem.js';

const fit = (of: Problem, options: Partial<FactorizeOptions>) =>
  factorize(triples(of), { rank: 3, weights: sqrtWeights(of), maxSweeps: 40, threads: 1, ...options });
const verify = (model: Model, of: Problem) => verifyModel(model, triples(of), { weights: sqrtWeights(of) });
const wrong = (claims: readonly Claim[]) => claims.filter(({ agrees }) => agrees === false).map(({ claim }) => claim);

describe('every objective', () => {
  const cases = Object.entries(objectives).flatMap(([name, { of = base, options }]) =>
    (['f32', 'f64'] as const).map((dtype) => [`${name}, ${dtype}`, of, options, dtype] as const),
  );
  test.each(cases)('%s', async (_name, of, options, dtype) => {
    const model = await fit(of, { ...options, dtype });
    const { claims, agrees } = verify(model, of);
    expect(claims.filter((claim) => claim.agrees === false)).toEqual([]);
    expect(agrees).toBe(true);
    const compared = claims.filter((claim) => claim.agrees !== null).map(({ claim }) => claim);
    expect(compared).toEqual(expect.arrayContaining(['digest', 'objective', 'loss', 'rmse.trainWeighted']));
    expect(compared.includes('certificate.gradientNorm.U')).toBe(options.hold === undefined);
    // A part in a thousand is no rounding.
    for (const name of ['objective', 'loss'] as const) {
      const forged = new Model({ ...parts(model), fit: { ...model.fit, [name]: 1.001 * model.fit[name] } });
      expect(wrong(verify(forged, of).claims)).toEqual([name]);
    }
  });
});

test('columns of many scales, each as well known: biases take the middle of all values off the smallest', async () => {
  const scaleOf = (column: number) => 10 ** (column % 5);
  const of = withEntries(problem({ m: 60, n: 20, density: 0.8, noise: 0.3, offset: 1, seed: 3 }), (entry) => ({
    value: entry.value * scaleOf(entry.column),
    weight: 1e3 / scaleOf(entry.column),
  }));
  for (const dtype of ['f32', 'f64'] as const)
    for (const biases of ['columns', 'both'] as const) {
      const model = await fit(of, { biases, lambda: 1, dtype, holdout: 0.1, patience: 3 });
      expect(wrong(verify(model, of).claims), `${dtype}, ${biases}`).toEqual([]);
    }
  const positive = withEntries(of, ({ value }) => ({ value: 1e3 * Math.abs(value) }));
  const sources = await fit(positive, { preset: 'pmf', biases: 'columns' });
  expect(wrong(verify(sources, positive).claims)).toEqual([]);
});

test('what was fitted to nothing is stationary', async () => {
  const nothing = { ...problem({ m: 4, n: 3 }), entries: [] };
  for (const dtype of ['f32', 'f64'] as const) {
    const model = await fit(nothing, { rank: 1, dtype });
    expect(model.fit.status).toBe('converged');
    expect(wrong(verify(model, nothing).claims), dtype).toEqual([]);
  }
});

/** A model's own parts, so that some may be changed. */
function parts({ U, V, biases, labels, fit, background }: Model) {
  return { U, V, biases, labels, fit, ...(background && { background }) };
}

describe('what is wrong is found', () => {
  const of = problem({ m: 30, n: 20, density: 0.6, isWeighted: true, noise: 0.3, seed: 6 });
  const options = { lambda: 0.3, biases: 'both', dtype: 'f64', holdout: 0.1, maxSweeps: 1000 } as const;

  test.each(['f32', 'f64'] as const)('a changed factor, %s', async (dtype) => {
    const model = await fit(of, { ...options, dtype });
    expect(verify(model, of).agrees).toBe(true);
    model.U.data[7] = (model.U.data[7] as number) + 0.1;
    const found = wrong(verify(model, of).claims);
    expect(found).toEqual(
      expect.arrayContaining(['digest', 'objective', 'loss', 'certificate.relativeGradientNorm', 'status']),
    );
  });

  test('a changed datum, a changed weight, an entry too few', async () => {
    const model = await fit(of, options);
    const changed = (change: Parameters<typeof withEntries>[1]) => wrong(verify(model, withEntries(of, change)).claims);
    const isIt = (row: number, column: number) => row === of.entries[5]?.row && column === of.entries[5]?.column;
    expect(changed(({ row, column, value }) => ({ value: value + (isIt(row, column) ? 0.01 : 0) }))).toContain('loss');
    expect(changed(({ row, column, weight }) => ({ weight: weight * (isIt(row, column) ? 1.1 : 1) }))).toContain(
      'loss',
    );
    expect(wrong(verify(model, { ...of, entries: of.entries.slice(1) }).claims)).toContain('observed');
  });

  test('every number that is forged, and no other', async () => {
    const model = await fit(of, options);
    const { fit: said } = model;
    const { certificate, rmse, validation } = said;
    const forgeries: Record<string, Partial<Model['fit']>> = {
      digest: { digest: `0${said.digest.slice(1)}` },
      observed: { observed: said.observed + 1 },
      objective: { objective: said.objective * (1 - 1e-8) },
      regularization: { regularization: said.regularization * 1.0001 },
      'rmse.train': { rmse: { ...rmse, train: rmse.train * 0.9999 } },
      'rmse.trainWeighted': { rmse: { ...rmse, trainWeighted: rmse.trainWeighted * 0.9999 } },
      'certificate.objective': { certificate: { ...certificate, objective: certificate.objective * 0.9999 } },
      'certificate.relativeGradientNorm': { certificate: { ...certificate, relativeGradientNorm: 1e-9 } },
      'certificate.gradientNorm.V': {
        certificate: { ...certificate, gradientNorm: { ...certificate.gradientNorm, V: 0 } },
      },
      'certificate.globalBound': {
        certificate: { ...certificate, globalBound: (certificate.globalBound as number) * 1.001 },
      },
      'certificate.globalGap': { certificate: { ...certificate, globalGap: 0 } },
      'validation.rmse': { validation: { ...(validation as NonNullable<typeof validation>), rmse: 0.1 } },
    };
    for (const [claim, forgery] of Object.entries(forgeries)) {
      const forged = new Model({ ...parts(model), fit: { ...said, ...forgery } });
      expect(wrong(verify(forged, of).claims), claim).toEqual([claim]);
    }
    const unconverged = await fit(of, { ...options, maxSweeps: 2 });
    const boast = { ...unconverged.fit, status: 'converged' } as const;
    expect(wrong(verify(new Model({ ...parts(unconverged), fit: boast }), of).claims)).toEqual(['status']);
  });

  test('a bound is computed where the fit had none, and what cannot be checked is named', async () => {
    const model = await fit(of, options);
    const { globalBound: _bound, globalGap: _gap, globalStatement: _statement, ...rest } = model.fit.certificate;
    const older = new Model({ ...parts(model), fit: { ...model.fit, certificate: rest } });
    const { claims } = verify(older, of);
    expect(claims.find(({ claim }) => claim === 'certificate.globalBound')).toMatchObject({
      said: null,
      found: expect.closeTo(model.certificate.globalBound as number, 6),
      agrees: null,
    });
    expect(claims.find(({ claim }) => claim === 'certificate.monotone')).toMatchObject({ found: null, agrees: null });
  });

  test('after an update the claims of the fit are not held against it', async () => {
    const model = await fit(of, { ...options, holdout: undefined });
    const updated = await update(model, triples(of), { weights: sqrtWeights(of) });
    const all = { ...of, m: 60, entries: [...of.entries, ...of.entries.map((e) => ({ ...e, row: e.row + 30 }))] };
    const { claims, agrees } = verify(updated, all);
    expect(agrees).toBe(true);
    expect(claims.map(({ claim }) => claim)).toEqual(['digest', 'objective']);
  });

  test('data of another shape', async () => {
    const model = await fit(of, options);
    expect(() => verifyModel(model, triples({ ...of, m: of.m + 1 }))).toThrow(
      expect.objectContaining({ code: 'shape-mismatch' }),
    );
  });
});

test('data that an option like has changed is changed again', async () => {
  const of = withEntries(problem({ m: 20, n: 15, density: 0.4, seed: 2 }), ({ value }) => ({
    value: Math.round(4 * Math.abs(value)),
  }));
  const model = await factorize(triples(of), { rank: 2, like: 'implicit', alpha: 3, lambda: 0.2, maxSweeps: 20 });
  expect(wrong(verifyModel(model, triples(of)).claims)).toEqual([]);
  expect(verifyModel(model, triples(of)).claims.length).toBeGreaterThan(8);
});
