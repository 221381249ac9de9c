/**
 * A step that satisfies the strong Wolfe conditions, by bracketing and interpolation: J. Nocedal & S. J. Wright, Numerical
 * Optimization (2006), section 3.5. Where f is flat to its rounding their approximate form decides, from slopes alone: W. W. Hager
 * & H. Zhang, SIAM J. Optim. 16 (2005), (4.1).
 */

/** f and its slope along the direction at a step, and what else was found there. */
export interface Trial<Found> {
  readonly step: number;
  readonly value: number;
  readonly slope: number;
  readonly found: Found;
}

const sufficientDecrease = 1e-4;
const curvature = 0.9;
const mostTrials = 40;
/** What f is not known better than, relative. */
const rounding = 1e-13;

/** @returns what was found at a step that f falls by; undefined where there is none. */
export async function wolfeSearch<Found>(
  evaluate: (step: number) => Promise<Trial<Found>>,
  start: { readonly value: number; readonly slope: number },
  first: number,
): Promise<Found | undefined> {
  const noise = rounding * Math.abs(start.value);
  let low: { readonly step: number; readonly slope: number } = { step: 0, slope: start.slope };
  let high: { readonly step: number; readonly slope: number } | undefined;
  let step = first;
  for (let trials = 0; trials < mostTrials; trials++) {
    const trial = await evaluate(step);
    const { value, slope } = trial;
    const isLower = value <= start.value + sufficientDecrease * step * start.slope;
    const isFlat = value <= start.value + noise && slope <= (2 * sufficientDecrease - 1) * start.slope;
    if (!(isLower || isFlat)) {
      high = { step, slope: value > start.value || !Number.isFinite(value) ? Number.NaN : slope };
      step = between(low, high, parabola(start, low, trial));
    } else if (slope < curvature * start.slope) {
      low = { step, slope };
      step = high ? between(low, high, secant(low, high)) : 2 * step;
    } else if (slope > -curvature * start.slope) {
      high = { step, slope };
      step = between(low, high, secant(low, high));
    } else return trial.found;
    // The bracket has shrunk to nothing: f cannot tell its ends apart.
    if (high && high.step - low.step <= 1e-12 * high.step) return undefined;
  }
  return undefined;
}

interface End {
  readonly step: number;
  readonly slope: number;
}

/** Where the line between two slopes crosses 0. */
const secant = (a: End, b: End): number => a.step - (a.slope * (b.step - a.step)) / (b.slope - a.slope);

/** The minimum of the parabola with the slope at the start and the value found, where the bracket begins there. */
function parabola(
  start: { readonly value: number; readonly slope: number },
  low: End,
  { step, value }: Trial<unknown>,
): number {
  if (low.step > 0) return Number.NaN;
  return (-start.slope * step * step) / (2 * (value - start.value - start.slope * step));
}

/** A step well within the bracket: the middle where the guess is no number. */
function between(low: End, high: End, guess: number): number {
  const width = high.step - low.step;
  const safe = Number.isFinite(guess) ? guess : low.step + 0.5 * width;
  return Math.min(high.step - 0.1 * width, Math.max(low.step + 0.1 * width, safe));
}
