/** Σ s_t z_t over a panel of entries in float64: the sums of some columns stay in registers from entry to entry. */

/** d += Σ s_t z_t and, with `both`, b += Σ r_t z_t; z_t at the t-th of `addresses`, s and r lists of f64, `stride` columns. */
// @ts-ignore: decorator
@inline
export function addSums<S>(
  both: bool, addresses: usize, scales: usize, rights: usize, count: usize, d: usize, b: usize, stride: i32,
): void {
  let column: usize = 0;
  for (; column + 8 <= <usize>stride; column += 8) columns<S>(4, both, addresses, scales, rights, count, d, b, column);
  if (column < <usize>stride) columns<S>(2, both, addresses, scales, rights, count, d, b, column);
}

/** `width` vectors of columns, 2 or 4. */
// @ts-ignore: decorator
@inline
function columns<S>(
  width: i32, both: bool, addresses: usize, scales: usize, rights: usize, count: usize, d: usize, b: usize, column: usize,
): void {
  const skip = column * sizeof<S>();
  d += column << 3;
  b += column << 3;
  let d0 = v128.load(d), d1 = v128.load(d, 16), d2 = d0, d3 = d0;
  let b0 = d0, b1 = d0, b2 = d0, b3 = d0;
  if (width > 2) {
    d2 = v128.load(d, 32);
    d3 = v128.load(d, 48);
  }
  if (both) {
    b0 = v128.load(b);
    b1 = v128.load(b, 16);
    if (width > 2) {
      b2 = v128.load(b, 32);
      b3 = v128.load(b, 48);
    }
  }
  for (let t: usize = 0; t < count; t++) {
    const v = <usize>load<u32>(addresses + (t << 2)) + skip;
    const s = v128.load64_splat(scales + (t << 3));
    const r = both ? v128.load64_splat(rights + (t << 3)) : s;
    let z = wide<S>(v, 0);
    d0 = f64x2.add(d0, f64x2.mul(s, z));
    if (both) b0 = f64x2.add(b0, f64x2.mul(r, z));
    z = wide<S>(v, 1);
    d1 = f64x2.add(d1, f64x2.mul(s, z));
    if (both) b1 = f64x2.add(b1, f64x2.mul(r, z));
    if (width > 2) {
      z = wide<S>(v, 2);
      d2 = f64x2.add(d2, f64x2.mul(s, z));
      if (both) b2 = f64x2.add(b2, f64x2.mul(r, z));
      z = wide<S>(v, 3);
      d3 = f64x2.add(d3, f64x2.mul(s, z));
      if (both) b3 = f64x2.add(b3, f64x2.mul(r, z));
    }
  }
  v128.store(d, d0);
  v128.store(d, d1, 16);
  if (width > 2) {
    v128.store(d, d2, 32);
    v128.store(d, d3, 48);
  }
  if (both) {
    v128.store(b, b0);
    v128.store(b, b1, 16);
    if (width > 2) {
      v128.store(b, b2, 32);
      v128.store(b, b3, 48);
    }
  }
}

/** Columns 2·pair and 2·pair + 1 at v. */
// @ts-ignore: decorator
@inline
function wide<S>(v: usize, pair: usize): v128 {
  return sizeof<S>() == 4 ? f64x2.promote_low_f32x4(v128.load64_zero(v + (pair << 3))) : v128.load(v + (pair << 4));
}
