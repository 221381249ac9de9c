/** What a certificate says of curvature, as it is printed. */
import type { Certificate } from '../model/fitReport.js';
import { scientific } from './format.js';

/** Rounded down: what is said not to lie below it does not. */
function shortBelow(value: number): string {
  const rounded = scientific(value);
  return Number(rounded) <= value ? rounded : scientific(value - Math.abs(value) * 0.05);
}

/**
 * A sentence that is true as it stands; undefined where nothing was looked at. Eigenvalues are in units of the rows' own curvature:
 * of the Hessian, scaled so that its diagonal blocks are 1, beyond the directions that leave f as it is.
 */
export function curvatureInWords({
  curvature,
  smallestEigenvalue,
  eigenvalueBound,
  p,
  escapes = 0,
}: Certificate): string | undefined {
  const left = escapes === 0 ? '' : `; ${escapes === 1 ? 'a saddle was' : `${escapes} saddles were`} left on the way`;
  if (curvature === undefined || smallestEigenvalue === undefined) return undefined;
  const found = `smallest eigenvalue found ${scientific(smallestEigenvalue)} of a row's own curvature`;
  if (curvature === 'saddle')
    return `a saddle: the objective falls along a direction of negative curvature (${found})${left}`;
  if (curvature === 'unknown') return `too close to call: ${found}${left}`;
  const bound =
    eigenvalueBound === undefined || p === undefined
      ? ''
      : `, none below ${shortBelow(eigenvalueBound)} (p < ${scientific(p)})`;
  return `no negative direction found: ${found}${bound}${left}`;
}
