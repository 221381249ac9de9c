/** Held-out entries: never fitted, the same for every order and number of threads; early stopping keeps the best factors. */
import { describe, expect, test } from 'vitest';
import { listEntries } from '../../dist/src/data/listing.js';
import { holdOut } from '../../dist/src/factorize/validation.js';
import { type FactorizeOptions, factorize, type Model, openSession, plan } from '../../dist/src/index.js';
import { compressed, dense, problem, reordered, sqrtWeights, triples, withEntries } from '../helpers/problem.js';
import { permutation } from '../helpers/random.js';

/** Noise at a rank that fits it: the held-out error falls, then rises. */
const of = problem({ m: 60, n: 40, density: 0.4, rank: 2, noise: 1.5, isWeighted: true, seed: 3 });
const A = triples(of);
const weights = sqrtWeights(of);
const options: FactorizeOptions = { rank: 6, lambda: 0.01, weights, holdout: 0.2, seed: 4 };
const listing = listEntries(A, weights, 'refuse');
const isHeld = holdOut(listing, 0.2, 4);

/** √(ΣW²r²/ΣW²) of the held-out entries, in plain code. */
function heldError(model: Model): number {
  let [sum, total] = [0, 0];
  isHeld.forEach((held, t) => {
    if (!held) return;
    const w = listing.weights?.[t] ?? 1;
    const r = (listing.values[t] as number) - model.predict(listing.rows[t] as number, listing.columns[t] as number);
    sum += w * w * r * r;
    total += w * w;
  });
  return Math.sqrt(sum / total);
}

const errorsOf = ({ trace }: Model) => trace.flatMap(({ validation }) => (validation ? [validation.loss] : []));

describe('a share held out', () => {
  test('has the size that was asked for, and does not depend on how A is listed', async () => {
    expect(isHeld.reduce((sum, held) => sum + held, 0)).toBe(Math.round(0.2 * of.entries.length));
    const digests = await Promise.all(
      [
        [A, weights],
        [compressed(of), weights],
        [dense(of), { sqrtWeight: dense(of, (e) => e.weight) }],
        ...[5, 6].map((seed) => {
          const other = reordered(of, permutation(of.entries.length, seed));
          return [triples(other), sqrtWeights(other)] as const;
        }),
      ].map(async ([data, w]) => (await factorize(data as typeof A, { ...options, weights: w as never })).fit.digest),
    );
    expect(new Set(digests).size).toBe(1);
  });

  test('is never fitted: its values do not change a bit of the model', async () => {
    const changed = withEntries(of, ({ row, column, value }) => {
      const t = listing.rows.findIndex((r, i) => r === row && listing.columns[i] === column);
      return isHeld[t] ? { value: 100 - 3 * value, weight: 5 } : {};
    });
    const model = await factorize(A, { ...options, biases: 'both' });
    const other = await factorize(triples(changed), { ...options, biases: 'both', weights: sqrtWeights(changed) });
    expect(other.fit.digest).toBe(model.fit.digest);
    expect(other.fit.validation?.rmse).not.toBe(model.fit.validation?.rmse);
    // And it is the fit of the others alone.
    const rest = { ...of, entries: of.entries.filter((_, t) => !isHeld[t]) };
    const alone = await factorize(triples(rest), {
      ...options,
      holdout: undefined,
      biases: 'both',
      weights: sqrtWeights(rest),
    });
    expect(alone.fit.digest).toBe(model.fit.digest);
    expect(alone.fit.validation).toBeUndefined();
  });

  test('is reported with its error, and without patience changes nothing', async () => {
    const model = await factorize(A, { ...options, lambda: 1 });
    expect(model.fit).toMatchObject({ status: 'converged', validation: { sweep: model.fit.sweeps } });
    expect(model.fit.validation?.entries).toBe(Math.round(0.2 * of.entries.length));
    expect(model.fit.validation?.rmse).toBeCloseTo(heldError(model), 6);
    expect(model.fit.observed + (model.fit.validation?.entries ?? 0)).toBe(of.entries.length);
    expect(errorsOf(model)).toHaveLength(model.fit.sweeps);
  });

  test('with a background is unlisted like the rest, and what is excluded from it stays', async () => {
    const entries = of.entries.map((entry, t) => ({ ...entry, weight: t % 5 === 0 ? 0 : 1 }));
    const zeros = { ...of, entries };
    const held = holdOut(listEntries(triples(zeros), sqrtWeights(zeros), 'refuse', true), 0.3, 1);
    expect(entries.some((entry, t) => entry.weight === 0 && held[t] === 1)).toBe(false);
    expect(held.reduce((sum, each) => sum + each, 0)).toBe(
      Math.round(0.3 * entries.filter((e) => e.weight > 0).length),
    );
    const model = await factorize(triples(zeros), {
      rank: 2,
      lambda: 1,
      background: 0.1,
      holdout: 0.3,
      weights: sqrtWeights(zeros),
    });
    expect(model.fit.validation?.rmse).toBeGreaterThan(0);
  });
});

describe('early stopping', () => {
  test.each([
    ['als', {}],
    ['als without acceleration', { acceleration: 'none' }],
    ['f32 with biases', { dtype: 'f32', biases: 'both' }],
    ['gradient', { method: 'gradient' }],
    ['huber', { loss: 'huber:1' }],
    ['non-negative', { nonnegative: 'both' }],
  ] as const)('keeps the best factors, not the last: %s', async (_name, more) => {
    const model = await factorize(A, { dtype: 'f64', ...options, ...more, patience: 4 });
    const losses = errorsOf(model);
    const least = Math.min(...losses);
    const { validation, status, reason, sweeps } = model.fit;
    expect({ status, reason }).toEqual({ status: 'validated', reason: 'validation' });
    expect(validation?.sweep).toBe(1 + losses.indexOf(least));
    expect(sweeps).toBe((validation?.sweep ?? 0) + 4);
    expect(losses.at(-1)).toBeGreaterThan(least);
    expect(validation?.rmse).toBeCloseTo(heldError(model), more && 'dtype' in more ? 5 : 10);
    expect(validation?.loss).toBe(least);
    expect(model.certificate.monotone).toBe(true);
    expect(model.certificate.relativeGradientNorm).toBeGreaterThan(model.certificate.tolerance);
  });

  test('gives the same bits for every number of threads', async () => {
    const fits = await Promise.all(
      [1, 2, 3].map((threads) => factorize(A, { ...options, patience: 3, threads, inline: 'never' })),
    );
    const inline = await factorize(A, { ...options, patience: 3 });
    for (const { fit } of fits) {
      expect(fit.digest).toBe(inline.fit.digest);
      expect(fit.validation).toEqual(inline.fit.validation);
    }
  });

  test('has room for the best factors in its plan', () => {
    const bytes = (more: Partial<FactorizeOptions>) => plan(A, { rank: 6, method: 'als', ...more }).bytes;
    const factor = (60 + 40) * 8 * 4;
    expect(bytes({ patience: 3 }).factors - bytes({}).factors).toBe(factor);
    expect(bytes({ holdout: 0.5 }).total).toBeGreaterThan(bytes({}).total + of.entries.length * 24);
  });

  test('a fit that converges while its error still falls is converged', async () => {
    const easy = triples(problem({ m: 30, n: 20, density: 0.8, rank: 2, noise: 0 }));
    const model = await factorize(easy, { rank: 2, lambda: 1e-6, dtype: 'f64', holdout: 0.1, patience: 500 });
    const losses = errorsOf(model);
    if (losses.at(-1) === Math.min(...losses)) expect(model.fit.status).toBe('converged');
    else expect(model.fit).toMatchObject({ status: 'validated', reason: 'validation' });
    expect(model.fit.validation?.loss).toBe(Math.min(...losses));
  });

  test('out of sweeps is a budget, with the best factors all the same', async () => {
    const full = await factorize(A, { ...options, patience: 4 });
    const best = full.fit.validation?.sweep as number;
    const model = await factorize(A, { ...options, patience: 100, maxSweeps: best + 2 });
    expect(model.fit).toMatchObject({ status: 'budget', reason: 'sweeps', digest: full.fit.digest });
    expect(model.fit.validation).toEqual(full.fit.validation);
  });

  test('watches data of your own, in a session too', async () => {
    const held = { ...of, entries: of.entries.filter((_, t) => isHeld[t]) };
    const rest = { ...of, entries: of.entries.filter((_, t) => !isHeld[t]) };
    const given = {
      ...options,
      holdout: undefined,
      patience: 4,
      weights: sqrtWeights(rest),
      validation: { data: dense(held), weights: { sqrtWeight: dense(held, (e) => e.weight) } },
    };
    const expected = await factorize(A, { ...options, patience: 4 });
    const model = await factorize(triples(rest), given);
    const session = openSession({ threads: 2 });
    const inSession = await session.factorize(triples(rest), given);
    await session.close();
    for (const { fit } of [model, inSession]) {
      expect(fit.digest).toBe(expected.fit.digest);
      expect(fit.validation).toEqual(expected.fit.validation);
    }
  });
});

describe('is refused', () => {
  const small = triples(problem({ m: 5, n: 4, density: 0.5 }));
  test.each([
    ['a holdout of 1', { holdout: 1 }, 'invalid-option'],
    ['a holdout of 0', { holdout: 0 }, 'invalid-option'],
    ['no patience', { holdout: 0.5, patience: 0 }, 'invalid-option'],
    ['patience with nothing to watch', { patience: 3 }, 'invalid-option'],
    ['two validation sets', { holdout: 0.5, validation: { data: small } }, 'invalid-option'],
    ['validation without data', { validation: {} }, 'invalid-option'],
    ['a share of no entry', { holdout: 0.01 }, 'invalid-input'],
    ['data of another shape', { validation: { data: { ...small, shape: [5, 5] } } }, 'shape-mismatch'],
    ['weights that do not say what they are', { validation: { data: small, weights: {} } }, 'ambiguous-weights'],
  ])('%s', async (_name, more, code) => {
    await expect(factorize(small, { rank: 1, ...more } as never)).rejects.toThrow(expect.objectContaining({ code }));
  });

  test('an entry listed twice, with its places in the listing of the caller', async () => {
    const twice = {
      rows: Uint32Array.of(1, 0, 1),
      columns: Uint32Array.of(1, 0, 1),
      values: Float64Array.of(1, 2, 3),
      shape: [2, 2] as const,
    };
    await expect(factorize(twice, { rank: 1, holdout: 0.5 })).rejects.toMatchObject({
      code: 'duplicate-entry',
      position: { row: 1, column: 1, first: 0, index: 2 },
    });
  });
});
