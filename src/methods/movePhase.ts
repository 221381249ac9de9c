/** x ← x − step·g over a block of rows: the vector part of a gradient step. */
import { noTotals, type Phase } from '../parallel/phase.js';
import { factorBuffer, penaltyOf } from './rowPhases.js';

/** `own` is x, `extra` is g, `out` the moved point; the sums' penalty is that of `out`. */
export const movePhase: Phase = {
  name: 'move',
  run({ fit }, call, block) {
    const boundaries = fit.blocks[call.side];
    const first = boundaries[block] as number;
    const last = boundaries[block + 1] as number;
    const from = factorBuffer(fit, call.side, call.own as number);
    const slope = factorBuffer(fit, call.side, call.extra as number);
    const out = factorBuffer(fit, call.side, call.out as number);
    const step = call.step as number;
    for (let i = first * fit.stride; i < last * fit.stride; i++)
      out[i] = (from[i] as number) - step * (slope[i] as number);
    return { ...noTotals, penalty: penaltyOf(fit, call.side, out, 0, [first, last]) };
  },
};
