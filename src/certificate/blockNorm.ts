/**
 * The norm in which curvature is told: that of the Hessian's own diagonal blocks, H_ii = 2G_i, G_i = Σ_j w²z zᵀ + λ_i = LLᵀ. A
 * direction d is x = Lᵀd in it. What comes out depends neither on the units of A and W nor on the basis of the factors.
 */
import { factorSpace } from '../methods/newtonPhases.js';
import { type PerSide, type Side, sides } from '../parallel/layout.js';
import { countsOf, type FitContext, unknownsOf } from '../parallel/phase.js';

export interface BlockNorm {
  /** x → d = L⁻ᵀx, in place. */
  toDirection(x: Float64Array): void;
  /** h → L⁻¹h, in place: products with the Hessian and gradients. */
  toProduct(h: Float64Array): void;
  /** d → x = Lᵀd, in place. */
  fromDirection(d: Float64Array): void;
  /** Whether unknown c of a row has curvature of its own: not where nothing is observed of it, nor where it depends on others. */
  isCurved(side: Side, row: number, c: number): boolean;
  /** The largest G_aa/L_aa² of all rows: what rounding in G is multiplied by, however its unknowns are scaled. */
  readonly cancellation: number;
}

/** @param fit with both sides' `factor` phase done. */
export function blockNorm(fit: FitContext): BlockNorm {
  const { rank, isBiasFitted } = fit;
  const counts = countsOf(fit);
  const space = factorSpace({ rank, isBiasFitted, counts });
  const inverses = (side: Side) =>
    new Float64Array(fit.memory.buffer, fit.layout.workspace + space[side], counts[side] * unknownsOf(fit, side) ** 2);
  return blockNormOf({ ...fit, counts }, { rows: inverses('rows'), columns: inverses('columns') });
}

/**
 * Vectors are the rows' buffer followed by that of the columns'.
 *
 * @param lists L⁻¹ of each row, row-major, 0 where a pivot vanishes.
 */
export function blockNormOf(
  shape: Pick<FitContext, 'rank' | 'stride' | 'isBiasFitted'> & { readonly counts: PerSide<number> },
  lists: PerSide<Float64Array>,
): BlockNorm {
  const { stride, counts } = shape;
  /** Calls back with each row: its inverse's and its vector's first places. */
  const eachRow = (visit: (inverse: Float64Array, at: number, offset: number, width: number) => void) => {
    for (const side of sides) {
      const width = unknownsOf(shape, side);
      const first = side === 'rows' ? 0 : counts.rows * stride;
      for (let row = 0; row < counts[side]; row++) visit(lists[side], row * width * width, first + row * stride, width);
    }
  };
  let cancellation = 1;
  eachRow((inverse, at, _offset, width) => {
    cancellation = Math.max(cancellation, cancellationOf(inverse, at, width));
  });
  return {
    cancellation,
    toDirection: (x) =>
      eachRow((inverse, at, offset, width) => {
        // Column a of L⁻¹ from the diagonal down: what stands above is done with.
        for (let a = 0; a < width; a++) {
          let sum = 0;
          for (let s = a; s < width; s++) sum += (inverse[at + s * width + a] as number) * (x[offset + s] as number);
          x[offset + a] = sum;
        }
      }),
    toProduct: (h) =>
      eachRow((inverse, at, offset, width) => {
        for (let a = width - 1; a >= 0; a--) {
          let sum = 0;
          for (let b = 0; b <= a; b++) sum += (inverse[at + a * width + b] as number) * (h[offset + b] as number);
          h[offset + a] = sum;
        }
      }),
    fromDirection: (d) =>
      eachRow((inverse, at, offset, width) => {
        for (let a = width - 1; a >= 0; a--) {
          let sum = d[offset + a] as number;
          for (let s = a + 1; s < width; s++)
            sum -= (inverse[at + s * width + a] as number) * (d[offset + s] as number);
          const pivot = inverse[at + a * width + a] as number;
          d[offset + a] = pivot > 0 ? sum / pivot : 0;
        }
      }),
    isCurved: (side, row, c) => {
      const width = unknownsOf(shape, side);
      return (lists[side][row * width * width + c * width + c] as number) > 0;
    },
  };
}

function cancellationOf(inverse: Float64Array, at: number, width: number): number {
  const L = new Float64Array(width * width);
  let most = 1;
  for (let a = 0; a < width; a++) {
    const pivot = inverse[at + a * width + a] as number;
    if (!(pivot > 0)) continue;
    L[a * width + a] = 1 / pivot;
    let squares = 1 / (pivot * pivot);
    for (let b = 0; b < a; b++) {
      let sum = 0;
      for (let s = b; s < a; s++) sum -= (inverse[at + a * width + s] as number) * (L[s * width + b] as number);
      L[a * width + b] = sum / pivot;
      squares += (sum / pivot) ** 2;
    }
    most = Math.max(most, squares * pivot * pivot);
  }
  return most;
}
