/** Row i of ∂f/∂X = 2(Σ W²(prediction − a)·v_j + λ_i x_i), summed in float64. */
import { RowJob } from "./job";
import { nextDots, penaltyOfRow, widen } from "./residual";
import { panelRows } from "./space";
import { addSums } from "./wideSums";

export function gradientRows<S>(job: RowJob, first: i32, last: i32): void {
  // Fields are read once: the compiler cannot know that no store changes them.
  const stride = job.stride, other = job.other, indices = job.indices, values = job.values, weights = job.weights;
  const width = <usize>stride * sizeof<S>();
  const wide = job.scratch;
  const g = wide + (<usize>stride << 3);
  const scales = g + (<usize>stride << 3);
  const addresses = scales + (panelRows << 3);
  for (let row = first; row < last; row++) {
    const bias = widen<S>(job, job.own + <usize>row * width, wide);
    const offset = job.mean + bias;
    memory.fill(g, 0, <usize>stride << 3);
    let ofBias: f64 = 0, loss: f64 = 0, squares: f64 = 0, excluded: usize = 0;
    const start = <usize>load<u32>(job.pointers + (<usize>row << 2)), end = <usize>load<u32>(job.pointers + (<usize>row << 2), 4);
    for (let t = start; t < end; ) {
      const count = min(panelRows, end - t);
      // A product stands where its scale will.
      for (let i: usize = 0; i < count; )
        i += nextDots<S>(wide, other, indices + ((t + i) << 2), count - i, stride, scales + (i << 3));
      for (let i: usize = 0; i < count; i++, t++) {
        const gap = <f64>load<S>(values + t * sizeof<S>()) - offset - load<f64>(scales + (i << 3));
        const w = weights ? <f64>load<S>(weights + t * sizeof<S>()) : 1;
        const r = w * gap;
        loss += r * r;
        if (weights) {
          if (w > 0) squares += gap * gap;
          else excluded++;
        }
        ofBias -= w * r;
        store<u32>(addresses + (i << 2), <u32>(other + <usize>load<u32>(indices + (t << 2)) * width));
        store<f64>(scales + (i << 3), -w * r);
      }
      addSums<S>(false, addresses, scales, scales, count, g, g, stride);
    }
    job.loss += loss;
    job.squares += weights ? squares : loss;
    job.weightedSquares += loss;
    job.observed += <f64>(end - start - excluded);
    job.penalty += penaltyOfRow(job, wide, bias, row);
    finishRow<S>(job, row, g, ofBias, bias);
  }
}

/** Doubles, adds the penalty's part, adds the squares up and stores the gradient if it is wanted. */
function finishRow<S>(job: RowJob, row: i32, g: usize, ofBias: f64, bias: f64): void {
  const stride = job.stride, rank = job.rank;
  const width = <usize>stride * sizeof<S>();
  const lambda = load<f64>(job.penalties + (<usize>row << 3));
  const wide = job.scratch;
  for (let c = 0; c < rank; c++) {
    const x = load<f64>(wide + (<usize>c << 3));
    const o = g + (<usize>c << 3);
    const d = 2 * (load<f64>(o) + lambda * x);
    store<f64>(o, d);
    job.addGradient(c, d);
    job.addOwn(c, x);
  }
  for (let c = rank; c < stride; c++) store<f64>(g + (<usize>c << 3), 0);
  if (job.ownBiasFree) {
    const d = 2 * (ofBias + load<f64>(job.biasPenalties + (<usize>row << 3)) * bias);
    store<f64>(g + (<usize>rank << 3), d);
    job.addGradient(rank, d);
    job.addOwn(rank, bias);
  }
  if (job.out == 0) return;
  const out = job.out + <usize>row * width;
  for (let c = 0; c < stride; c++) store<S>(out + <usize>c * sizeof<S>(), <S>load<f64>(g + (<usize>c << 3)));
}
