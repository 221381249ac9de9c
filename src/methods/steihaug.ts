/**
 * Conjugate gradients on a quadratic model within a trust region: T. Steihaug, SIAM J. Numer. Anal. 20 (1983), the lengths in
 * the preconditioner's norm as in A. R. Conn, N. I. M. Gould & Ph. L. Toint, Trust-Region Methods (2000), 7.5.1.
 */

type Vector = Float32Array | Float64Array;

/** Vectors of the side that stays, its rows being few: the coordinator's own loops cost little beside the two passes of a product. */
export interface KrylovSpace {
  readonly x: Vector;
  readonly r: Vector;
  readonly z: Vector;
  readonly p: Vector;
  /** Sp */
  readonly q: Vector;
  /** q = Sp. @returns p·q. */
  multiply(): Promise<number>;
  /** z = M⁻¹r. @returns r·z. */
  precondition(): Promise<number>;
}

export interface KrylovResult {
  /** ‖x‖ in the preconditioner's norm. */
  readonly length: number;
  /** −gᵀx − ½xᵀSx: what the model falls by. */
  readonly fall: number;
  readonly isAtBoundary: boolean;
  /** A direction of negative curvature ended it. */
  readonly isIndefinite: boolean;
  readonly iterations: number;
}

/** Curvature along p of less than this, in units of the preconditioner's norm, is rounding. */
const flat = 1e-13;

/**
 * Minimises ½xᵀSx + gᵀx from x = 0, −g being in r: until ‖r‖ in M⁻¹'s norm has fallen by `tolerance`, at the boundary where x
 * reaches it or p has negative curvature.
 *
 * @param radius in the preconditioner's norm; given the norm of the first residual there.
 */
export async function steihaug(
  space: KrylovSpace,
  radius: (residual: number) => number,
  tolerance: number,
  mostIterations: number,
): Promise<KrylovResult> {
  const { x, r, z, p, q } = space;
  let rz = await space.precondition();
  x.fill(0);
  p.set(z);
  const first = rz;
  const limit = radius(Math.sqrt(Math.max(0, rz)));
  // Products in M's norm by their recurrences: ‖x‖², x·p, ‖p‖².
  let [xx, xp, pp] = [0, 0, rz];
  let fall = 0;
  let iterations = 0;
  while (iterations < mostIterations && rz > tolerance * tolerance * first) {
    const curvature = await space.multiply();
    iterations++;
    if (Math.abs(curvature) <= flat * pp && iterations > 1) break;
    const step = rz / curvature;
    if (curvature <= 0 || xx + 2 * step * xp + step * step * pp >= limit * limit) {
      const toBoundary = (-xp + Math.sqrt(xp * xp + pp * (limit * limit - xx))) / pp;
      add(x, toBoundary, p);
      fall += toBoundary * rz - 0.5 * toBoundary * toBoundary * curvature;
      return { length: limit, fall, isAtBoundary: true, isIndefinite: curvature <= 0, iterations };
    }
    add(x, step, p);
    add(r, -step, q);
    fall += 0.5 * step * rz;
    xx += step * (2 * xp + step * pp);
    const before = rz;
    rz = await space.precondition();
    const ratio = rz / before;
    xp = ratio * (xp + step * pp);
    pp = rz + ratio * ratio * pp;
    for (let i = 0; i < p.length; i++) p[i] = (z[i] as number) + ratio * (p[i] as number);
  }
  return { length: Math.sqrt(xx), fall, isAtBoundary: false, isIndefinite: false, iterations };
}

/** x ← x + step·p */
function add(x: Vector, step: number, p: Vector): void {
  for (let i = 0; i < x.length; i++) x[i] = (x[i] as number) + step * (p[i] as number);
}
