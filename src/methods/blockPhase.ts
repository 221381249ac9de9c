/** Rows improved from their present values by blocks of coordinates, each to its own minimum. */
import { writeTerms } from '../kernels/composed.js';
import { readTotals } from '../kernels/load.js';
import type { Phase } from '../parallel/phase.js';
import { redoInDouble } from './composedPhases.js';
import { behindJob, openJob } from './rowPhases.js';
import { isSingle, termsOf } from './termFields.js';

/** From `own` to `out`; loss and penalty are those of `out`. `width`: columns of a block at the most. */
export const blockPhase: Phase = {
  name: 'block',
  run(workbench, call, block) {
    const { fit, kernels, view } = workbench;
    const job = openJob(workbench, call, block);
    const terms = job.address + behindJob;
    const fields = termsOf(fit, call);
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
