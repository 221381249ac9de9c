/** A fit laid out in memory with factors of the test's choice, so that single phases can be run on it. */
import { survey } from '../../dist/src/data/observations.js';
import { layOut, placeWithin } from '../../dist/src/factorize/layOut.js';
import { shiftOf } from '../../dist/src/factorize/layOutTerms.js';
import { resolveObjective } from '../../dist/src/factorize/objectiveSpec.js';
import { planFit } from '../../dist/src/factorize/plan.js';
import type { FactorizeOptions } from '../../dist/src/index.js';
import { compileKernels } from '../../dist/src/kernels/load.js';
import { phases } from '../../dist/src/methods/phases.js';
import { factorBuffer } from '../../dist/src/methods/rowPhases.js';
import { checkOptions } from '../../dist/src/options.js';
import { inlineCrew } from '../../dist/src/parallel/crew.js';
import type { Side } from '../../dist/src/parallel/layout.js';
import type { FitContext, PhaseCall, Totals } from '../../dist/src/parallel/phase.js';
import { type Problem, sqrtWeights, triples } from './problem.js';
import { at, type Point } from './reference.js';

export interface OpenFit {
  readonly fit: FitContext;
  readonly mean: number;
  readonly centredNorm: number;
  run(call: PhaseCall): Promise<Totals>;
  /** Buffer `index` of a side without padding: the factor, and the bias where it is fitted. */
  read(side: Side, index: number): { readonly factor: Float64Array; readonly bias: Float64Array | undefined };
}

/** Lays the problem out and puts the point's factors and biases into buffer 0 of each side. */
export async function openFit(of: Problem, options: FactorizeOptions, point?: Omit<Point, 'mean'>): Promise<OpenFit> {
  const A = triples(of);
  const weights = of.entries.some((e) => e.weight !== 1) ? sqrtWeights(of) : undefined;
  const checked = checkOptions(options);
  const found = survey(A, weights);
  const objective = resolveObjective(checked, options, [of.m, of.n]);
  const plan = planFit(found, checked, objective);
  const { pages } = plan.layout;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const shift = shiftOf(found, plan.request.hasBias, objective);
  const { module } = compileKernels(checked.arithmetic);
  const where = { plan, checked, memory, module };
  const observations = placeWithin(where, { A, weights, found, shift });
  const { fit, scales } = layOut(where, observations, options, objective, shift);
  const { rank, stride } = fit;
  const put = (side: Side, factor: Float64Array, bias: Float64Array | undefined) => {
    const buffer = factorBuffer(fit, side, 0).fill(0);
    for (let i = 0; i < factor.length; i++) buffer[Math.floor(i / rank) * stride + (i % rank)] = at(factor, i);
    bias?.forEach((value, row) => {
      buffer[row * stride + rank] = value;
    });
  };
  if (point) {
    put('rows', point.U, point.b);
    put('columns', point.V, point.c);
  }
  const crew = inlineCrew(phases);
  return {
    fit,
    mean: scales.shift + fit.mean,
    centredNorm: scales.centredNorm,
    run: (call) => crew.run(fit, call),
    read(side, index) {
      const buffer = factorBuffer(fit, side, index);
      const rows = buffer.length / stride;
      return {
        factor: Float64Array.from({ length: rows * rank }, (_, i) =>
          at(buffer, Math.floor(i / rank) * stride + (i % rank)),
        ),
        bias: fit.isBiasFitted[side]
          ? Float64Array.from({ length: rows }, (_, row) => at(buffer, row * stride + rank))
          : undefined,
      };
    },
  };
}
