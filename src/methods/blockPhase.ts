/** Rows improved from their present values by blocks of coordinates, each to its own minimum. */
import { type TermFields, writeTerms } from '../kernels/composed.js';
import { readTotals } from '../kernels/load.js';
import type { Phase } from '../parallel/phase.js';
import { isSingle, redoInDouble, termsOf } from './composedPhases.js';
import { behindJob, openJob } from './rowPhases.js';

/** Squares and a ridge. */
const noTerms: TermFields = {
  loss: 0,
  innerSteps: 0,
  gram: 0,
  gramSum: 0,
  ownWeights: 0,
  otherWeights: 0,
  l1: 0,
  columnMultiples: 0,
  held: 0,
  isFull: 0,
  residuals: 0,
  basis: 0,
  rotated: 0,
  start: 0,
  isSettled: 0,
  lossParameter: 0,
  lower: Number.NEGATIVE_INFINITY,
  upper: Number.POSITIVE_INFINITY,
  value: 0,
  constant: 0,
};

/** From `own` to `out`; loss and penalty are those of `out`. `width`: columns of a block at the most. */
export const blockPhase: Phase = {
  name: 'block',
  run(workbench, call, block) {
    const { fit, kernels, view } = workbench;
    const job = openJob(workbench, call, block);
    const terms = job.address + behindJob;
    const fields = fit.terms ? termsOf(fit, fit.terms, call) : noTerms;
    writeTerms(view, terms, fit.terms?.isFull ? { ...fields, gram: 0, isFull: 0 } : fields);
    const width = call.width as number;
    const inDouble = fit.dtype === 'f64' ? kernels.blockRows64 : kernels.blockRows32in64;
    if (!isSingle(fit, call)) {
      inDouble(job.address, terms, width, job.first, job.last);
      return readTotals(view, job.address);
    }
    kernels.blockRows32(job.address, terms, width, job.first, job.last);
    return redoInDouble(workbench, call, job, (row) => inDouble(job.address, terms, width, row, row + 1));
  },
};
