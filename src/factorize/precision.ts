/** In which precision a fit can be computed. */
import type { Survey } from '../data/observations.js';
import { HadamardError } from '../errors.js';
import type { Dtype } from '../kernels/load.js';

/** Where W² spans more than this, f32 normal equations lose the small weights. */
const widestSpanOfF32 = 1e6;

/** Where the largest |A| and the largest W must lie: beyond, factors leave f32, or squares of gradients (W⁴|A|³) leave f64. */
const ranges = {
  value: { f32: [1e-15, 1e15], f64: [1e-60, 1e60] },
  weight: { f32: [1e-30, 1e30], f64: [1e-30, 1e30] },
} as const;

/** What it depends on. */
type Ranges = Pick<Survey, 'observed' | 'weightRange' | 'valueRange'>;

export interface Precision {
  readonly dtype: Dtype;
  /** Why it is f64 though nobody asked. */
  readonly reason: string | undefined;
}

/** @throws HadamardError `numeric-failure` where the numbers are too large or too small to be computed with. */
export function choosePrecision(found: Ranges, asked: Dtype | undefined): Precision {
  const [smallest, largest] = found.weightRange;
  const value = found.observed === 0 ? 0 : Math.max(-found.valueRange[0], found.valueRange[1]);
  const isWide = (largest / smallest) ** 2 > widestSpanOfF32;
  const isOutside = value > 0 && !isWithin(value, ranges.value.f32);
  const dtype = asked ?? (isWide || isOutside ? 'f64' : 'f32');
  if (value > 0 && !isWithin(value, ranges.value[dtype])) throw outside('value', value, dtype);
  if (largest > 0 && !isWithin(largest, ranges.weight[dtype])) throw outside('weight', largest, dtype);
  if (dtype === 'f32' || asked) return { dtype, reason: undefined };
  return { dtype, reason: isWide ? 'W² spans more than 1e6' : 'the values are beyond the range of f32' };
}

function isWithin(x: number, [least, most]: readonly [number, number]): boolean {
  return x >= least && x <= most;
}

function outside(name: keyof typeof ranges, x: number, dtype: Dtype): HadamardError {
  const [least, most] = ranges[name][dtype];
  const isWiderInF64 = dtype === 'f32' && isWithin(x, ranges[name].f64);
  return new HadamardError({
    code: 'numeric-failure',
    what: `The largest ${name === 'value' ? '|A|' : 'W'} is ${x}.`,
    position: { option: 'dtype' },
    rule: `In ${dtype} it is between ${least} and ${most}: squares of gradients must be finite and not vanish.`,
    remedy: `${isWiderInF64 ? "Use dtype: 'f64', or scale" : 'Scale'} the numbers: scaling A by c scales U and V by √c, scaling W by c scales λ by c².`,
  });
}
