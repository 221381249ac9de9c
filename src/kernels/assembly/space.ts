/** A row's work space: addresses in a task's scratch. See scratchBytes in load.ts. */
import { RowJob } from "./job";

/** Panel rows gathered at a time, at the most. */
export const panelRows: usize = 64;

@unmanaged
export class Space {
  /** k×k, of T. */
  G: usize;
  /** The panel, `panelRows`×k, of T. */
  P: usize;
  /** k numbers of T, then the solution. */
  b: usize;
  /** Of the panel: targets scaled like its rows, */
  y: usize;
  /** what its rows are scaled by (W/largest), */
  scales: usize;
  /** and what multiplies the unscaled z_t in Zᵀy. */
  rights: usize;
  /** Of the factors behind the panel. */
  addresses: usize;
  /** The row at its old value, then products with it. */
  x: usize;
  wide: usize;
}

export function openSpace<T>(job: RowJob): Space {
  const stride = <usize>job.stride;
  // Rows shorter than the rank are solved in one panel.
  const rows = max(panelRows, stride);
  const space = changetype<Space>(job.scratch);
  space.G = job.scratch + 64;
  space.P = space.G + stride * stride * sizeof<T>();
  space.y = space.P + rows * stride * sizeof<T>();
  space.scales = space.y + rows * sizeof<T>();
  space.rights = space.scales + rows * sizeof<T>();
  space.b = space.rights + rows * sizeof<T>();
  space.x = space.b + stride * sizeof<T>();
  space.wide = space.x + stride * sizeof<T>();
  space.addresses = space.wide + stride * 8;
  return space;
}

/** Where the space ends and other work space may begin. */
export function endOfSpace<T>(job: RowJob): usize {
  const end = openSpace<T>(job).addresses + (max(panelRows, <usize>job.stride) << 2);
  return (end + 63) & ~63;
}
