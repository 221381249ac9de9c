/** The machine's ceiling: multiply-adds between registers alone, ten chains so that none waits for another. */
import { madd, sumLanes } from "./lanes";

/** `rounds` × 10 vectors of x ← a + x·b. Returns a sum, so that nothing is left out. */
export function peak<T>(rounds: i32, a: T, b: T): T {
  const add = v128.splat<T>(a), factor = v128.splat<T>(b);
  let x0 = add, x1 = add, x2 = add, x3 = add, x4 = add, x5 = add, x6 = add, x7 = add, x8 = add, x9 = add;
  for (let i = 0; i < rounds; i++) {
    x0 = madd<T>(x0, factor, add); x1 = madd<T>(x1, factor, add); x2 = madd<T>(x2, factor, add);
    x3 = madd<T>(x3, factor, add); x4 = madd<T>(x4, factor, add); x5 = madd<T>(x5, factor, add);
    x6 = madd<T>(x6, factor, add); x7 = madd<T>(x7, factor, add); x8 = madd<T>(x8, factor, add);
    x9 = madd<T>(x9, factor, add);
  }
  const s = v128.add<T>(v128.add<T>(v128.add<T>(x0, x1), v128.add<T>(x2, x3)), v128.add<T>(v128.add<T>(x4, x5), v128.add<T>(x6, x7)));
  return sumLanes<T>(v128.add<T>(s, v128.add<T>(x8, x9)));
}
