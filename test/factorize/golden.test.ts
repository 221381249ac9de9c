/** Saved models measured by numpy (test/golden/factorize/objective.py), by plain TypeScript and by this build's kernels. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readNpy } from '../../dist/src/formats/npy.js';
import type { FactorizeOptions } from '../../dist/src/index.js';
import { loadModel } from '../../dist/src/model/load.js';
import type { Totals } from '../../dist/src/parallel/phase.js';
import { expectClose } from '../helpers/compare.js';
import { openFit } from '../helpers/fit.js';
import type { Entry, Problem } from '../helpers/problem.js';
import {
  at,
  firstOrderAt,
  gradientAt,
  objectiveAt,
  pointOf,
  type Variable,
  weightedMean,
} from '../helpers/reference.js';

interface Measured {
  readonly mean: number;
  readonly loss: number;
  readonly regularization: number;
  readonly objective: number;
  readonly normU: number;
  readonly normV: number;
  readonly relativeGradientNorm: number;
  readonly rmse: number;
  readonly gradient: Record<Variable, number[]>;
}

const golden = new URL('../golden/factorize/', import.meta.url);
const models = fileURLToPath(new URL('models/', golden));
const measured: Record<string, Measured> = JSON.parse(readFileSync(new URL('objective.json', golden), 'utf8'));

async function readProblem(isWeighted: boolean): Promise<Problem> {
  const [A, W] = [await readNpy(`${models}A.npy`), await readNpy(`${models}W.npy`)];
  const [m = 0, n = 0] = A.shape;
  const entries = Array.from({ length: m * n }, (_, i): Entry => {
    const weight = isWeighted ? at(W.data, i) : 1;
    return { row: Math.floor(i / n), column: i % n, value: at(A.data, i), weight };
  });
  return { m, n, entries: entries.filter((e) => !Number.isNaN(e.value) && e.weight > 0) };
}

test('numpy has measured every saved model', () => {
  const folders = readdirSync(models).filter((name) => !name.endsWith('.npy'));
  expect(Object.keys(measured).sort()).toEqual(folders.sort());
});

describe('objective and gradient of U.npy and V.npy are those that numpy computes', () => {
  test.each(Object.entries(measured))('%s', async (name, numpy) => {
    const of = await readProblem(!name.includes('unweighted'));
    const model = await loadModel(`${models}${name}`);
    const { options, certificate, ...fit } = model.fit;
    const point = pointOf(model);

    // What the fit said of itself when it was saved.
    const isF32 = options.dtype === 'f32';
    expectClose([model.biases.mean], [numpy.mean], isF32 ? 1e-7 : 1e-14, 'mean');
    // The data of an f32 fit are rounded to f32 on their way in.
    const rounding = isF32 ? 1e-6 : 1e-12;
    expectClose(
      [fit.loss, fit.regularization, fit.objective],
      [numpy.loss, numpy.regularization, numpy.objective],
      rounding,
      'said objective',
    );
    expectClose([certificate.relativeGradientNorm], [numpy.relativeGradientNorm], isF32 ? 1e-4 : 1e-9, 'said gradient');
    expectClose([certificate.gradientNorm.V], [numpy.normV], isF32 ? 1e-4 : 1e-10, 'said ‖∂f/∂V‖');
    expectClose([fit.rmse.train], [numpy.rmse], rounding, 'said RMSE');

    // Plain TypeScript.
    expect(weightedMean(of)).toBeCloseTo(options.biases === 'none' ? weightedMean(of) : numpy.mean, 12);
    const here = { ...point, mean: numpy.mean };
    const f = objectiveAt(of, here, options);
    expectClose(
      [f.loss, f.regularization, f.objective],
      [numpy.loss, numpy.regularization, numpy.objective],
      1e-12,
      'objective',
    );
    const gradient = gradientAt(of, here, options);
    const variables = ['U', 'V', 'b', 'c'] as const;
    const flat = variables.flatMap((name) => Array.from(gradient[name] ?? []));
    const expected = variables.flatMap((name) => numpy.gradient[name]);
    expectClose(flat, expected, 1e-12, 'gradient');
    expectClose([firstOrderAt(of, here, options).relativeGradientNorm], [numpy.relativeGradientNorm], 1e-9);
    const data = {
      rows: Uint32Array.from(of.entries, (e) => e.row),
      columns: Uint32Array.from(of.entries, (e) => e.column),
      values: Float64Array.from(of.entries, (e) => e.value),
      shape: [of.m, of.n] as const,
    };
    const weights = { sqrtWeight: Float64Array.from(of.entries, (e) => e.weight) };
    expectClose([model.objective(data, { weights })], [numpy.objective], isF32 ? 1e-7 : 1e-12, 'model.objective');

    // This build's kernels at the same factors.
    const { run, centredNorm } = await openFit(
      of,
      { ...options, timeLimit: undefined } as unknown as FactorizeOptions,
      point,
    );
    const norm = (of: Totals) => Math.sqrt(of.gradientSquared + of.biasGradientSquared);
    const phase = { phase: 'gradient', own: 0, other: 0, out: null };
    const ofU = await run({ ...phase, side: 'rows' });
    const ofV = await run({ ...phase, side: 'columns' });
    expectClose(
      [ofU.loss, ofU.penalty + ofV.penalty],
      [numpy.loss, numpy.regularization],
      rounding,
      'kernel objective',
    );
    expectClose([norm(ofV)], [numpy.normV], isF32 ? 1e-4 : 1e-10, 'kernel ‖∂f/∂V‖');
    expect(Math.abs(norm(ofU) - numpy.normU)).toBeLessThan((isF32 ? 1e-5 : 1e-12) * centredNorm);
  });
});
