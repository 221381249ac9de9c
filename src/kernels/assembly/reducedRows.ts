/**
 * Block rows of the matrix of the reduced problem: see reduced.ts. Eliminated row i brings to block (j, j′), both of its
 * entries, s hhᵀ with s = z_ij·z_ij′; Gauss–Newton's matrix is therefore made of symmetric blocks, packed while they add up.
 */
import { RowJob } from "./job";
import { madd, nmadd, sumLanes } from "./lanes";
import { even, Reduced } from "./reduced";
import { weightOf } from "./residual";

/** The most vectors of a packed block that stay in registers. */
const mostVectors: usize = 12;

/** Block rows first … last−1 of H, from the diagonal on; `own` are the rows that stay, `other` those eliminated. */
export function reducedRows(job: RowJob, reduced: Reduced, first: i32, last: i32): void {
  const q = reduced.staying;
  const count = reduced.count;
  const h = job.scratch;
  const products = h + (even(q) << 3);
  const outer = products + (even(count) << 3);
  const strip = outer + <usize>q * (even(q) << 3);
  memory.fill(h, 0, even(q) << 3);
  memory.fill(outer, 0, <usize>q * (even(q) << 3));
  const blockBytes = (reduced.isExact ? <usize>q * even(q) : even((q * (q + 1)) >> 1)) << 3;
  for (let row = first; row < last; row++) {
    memory.fill(strip, 0, <usize>(count - row) * blockBytes);
    const end = <usize>load<u32>(job.pointers + (<usize>row << 2), 4);
    for (let t = <usize>load<u32>(job.pointers + (<usize>row << 2)); t < end; t++) {
      const i = <usize>load<u32>(job.indices + (t << 2));
      const at = entryOf(reduced, i, row);
      const pairs = <usize>load<u32>(reduced.pointers + (i << 2), 4) - at;
      const u = job.other + ((i * <usize>job.stride) << 3);
      for (let b = 0; b < q; b++) store<f64>(h + (<usize>b << 3), b < job.rank ? load<f64>(u + (<usize>b << 3)) : 1);
      multiply(reduced, at, pairs, products);
      const w = weightOf<f64>(job, t);
      // What is left of the row itself: w² of the diagonal block that is not taken away.
      store<f64>(products, load<f64>(products) - w * w);
      const index = reduced.indices + (at << 2);
      const blocks = strip - <usize>row * blockBytes;
      if (reduced.isExact) {
        makeOuter(job, reduced, i, at, h, outer);
        subtractExact(job, reduced, at, pairs, h, outer, products, blocks, blockBytes);
      } else {
        makePacked(h, q, outer);
        subtractPacked(index, pairs, products, outer, blocks, blockBytes);
      }
    }
    for (let a = 0; a < q; a++) {
      const penalties = a < job.rank ? job.penalties : job.biasPenalties;
      const at = strip + (reduced.isExact ? <usize>a * (even(q) << 3) + (<usize>a << 3) : packedAt(a, a, q));
      store<f64>(at, load<f64>(at) + load<f64>(penalties + (<usize>row << 3)));
    }
    writeStrip(reduced, row, count, strip, blockBytes);
  }
}

/** Where element (a, b ≥ a) of a packed block stands: upper half, row by row. */
// @ts-ignore: decorator
@inline
function packedAt(a: i32, b: i32, q: i32): usize {
  return <usize>(((a * (2 * q - a - 1)) >> 1) + b) << 3;
}

/** s of entry `at` with itself and those behind it, `pairs` in all. */
function multiply(reduced: Reduced, at: usize, pairs: usize, products: usize): void {
  const zBytes = even(reduced.eliminated) << 3;
  const z = reduced.z + at * zBytes;
  switch (<i32>(zBytes >> 4)) {
    case 1: return multiplyBy(1, z, pairs, zBytes, products);
    case 2: return multiplyBy(2, z, pairs, zBytes, products);
    case 3: return multiplyBy(3, z, pairs, zBytes, products);
    case 4: return multiplyBy(4, z, pairs, zBytes, products);
    default: return multiplyBy(5, z, pairs, zBytes, products);
  }
}

/** With vectors of so many registers; 5: of any length from there. */
// @ts-ignore: decorator
@inline
function multiplyBy(vectors: i32, z: usize, pairs: usize, zBytes: usize, products: usize): void {
  const z0 = v128.load(z);
  const z1 = vectors > 1 ? v128.load(z, 16) : z0;
  const z2 = vectors > 2 ? v128.load(z, 32) : z0;
  const z3 = vectors > 3 ? v128.load(z, 48) : z0;
  let other = z;
  const end = products + (pairs << 3);
  for (let to = products; to != end; to += 8, other += zBytes) {
    let sum = f64x2.mul(z0, v128.load(other));
    if (vectors > 1) sum = madd<f64>(z1, v128.load(other, 16), sum);
    if (vectors > 2) sum = madd<f64>(z2, v128.load(other, 32), sum);
    if (vectors > 3) sum = madd<f64>(z3, v128.load(other, 48), sum);
    if (vectors > 4)
      for (let o: usize = 64; o < zBytes; o += 16) sum = madd<f64>(v128.load(z + o), v128.load(other + o), sum);
    store<f64>(to, sumLanes<f64>(sum));
  }
}

/** hhᵀ, packed, with 0 behind where that fills a vector. */
function makePacked(h: usize, q: i32, to: usize): void {
  for (let a = 0; a < q; a++) {
    const ha = load<f64>(h + (<usize>a << 3));
    for (let b = a; b < q; b++, to += 8) store<f64>(to, ha * load<f64>(h + (<usize>b << 3)));
  }
}

/** blocks −= s·packed, as many vectors at once as registers hold. */
function subtractPacked(index: usize, pairs: usize, products: usize, packed: usize, blocks: usize, blockBytes: usize): void {
  const vectors = blockBytes >> 4;
  const chunks = (vectors + mostVectors - 1) / mostVectors;
  for (let chunk: usize = 0, done: usize = 0; chunk < chunks; chunk++) {
    const next = (vectors * (chunk + 1)) / chunks;
    const P = packed + (done << 4), to = blocks + (done << 4);
    switch (<i32>(next - done)) {
      case 1: subtractVectors(1, index, pairs, products, P, to, blockBytes); break;
      case 2: subtractVectors(2, index, pairs, products, P, to, blockBytes); break;
      case 3: subtractVectors(3, index, pairs, products, P, to, blockBytes); break;
      case 4: subtractVectors(4, index, pairs, products, P, to, blockBytes); break;
      case 5: subtractVectors(5, index, pairs, products, P, to, blockBytes); break;
      case 6: subtractVectors(6, index, pairs, products, P, to, blockBytes); break;
      case 7: subtractVectors(7, index, pairs, products, P, to, blockBytes); break;
      case 8: subtractVectors(8, index, pairs, products, P, to, blockBytes); break;
      case 9: subtractVectors(9, index, pairs, products, P, to, blockBytes); break;
      case 10: subtractVectors(10, index, pairs, products, P, to, blockBytes); break;
      case 11: subtractVectors(11, index, pairs, products, P, to, blockBytes); break;
      default: subtractVectors(12, index, pairs, products, P, to, blockBytes);
    }
    done = next;
  }
}

// @ts-ignore: decorator
@inline
function subtractVectors(vectors: i32, index: usize, pairs: usize, products: usize, P: usize, blocks: usize, blockBytes: usize): void {
  const p0 = v128.load(P);
  const p1 = vectors > 1 ? v128.load(P, 16) : p0;
  const p2 = vectors > 2 ? v128.load(P, 32) : p0;
  const p3 = vectors > 3 ? v128.load(P, 48) : p0;
  const p4 = vectors > 4 ? v128.load(P, 64) : p0;
  const p5 = vectors > 5 ? v128.load(P, 80) : p0;
  const p6 = vectors > 6 ? v128.load(P, 96) : p0;
  const p7 = vectors > 7 ? v128.load(P, 112) : p0;
  const p8 = vectors > 8 ? v128.load(P, 128) : p0;
  const p9 = vectors > 9 ? v128.load(P, 144) : p0;
  const p10 = vectors > 10 ? v128.load(P, 160) : p0;
  const p11 = vectors > 11 ? v128.load(P, 176) : p0;
  const end = products + (pairs << 3);
  for (; products != end; products += 8, index += 4) {
    const s = v128.load_splat<f64>(products);
    const to = blocks + <usize>load<u32>(index) * blockBytes;
    v128.store(to, nmadd<f64>(s, p0, v128.load(to)));
    if (vectors > 1) v128.store(to, nmadd<f64>(s, p1, v128.load(to, 16)), 16);
    if (vectors > 2) v128.store(to, nmadd<f64>(s, p2, v128.load(to, 32)), 32);
    if (vectors > 3) v128.store(to, nmadd<f64>(s, p3, v128.load(to, 48)), 48);
    if (vectors > 4) v128.store(to, nmadd<f64>(s, p4, v128.load(to, 64)), 64);
    if (vectors > 5) v128.store(to, nmadd<f64>(s, p5, v128.load(to, 80)), 80);
    if (vectors > 6) v128.store(to, nmadd<f64>(s, p6, v128.load(to, 96)), 96);
    if (vectors > 7) v128.store(to, nmadd<f64>(s, p7, v128.load(to, 112)), 112);
    if (vectors > 8) v128.store(to, nmadd<f64>(s, p8, v128.load(to, 128)), 128);
    if (vectors > 9) v128.store(to, nmadd<f64>(s, p9, v128.load(to, 144)), 144);
    if (vectors > 10) v128.store(to, nmadd<f64>(s, p10, v128.load(to, 160)), 160);
    if (vectors > 11) v128.store(to, nmadd<f64>(s, p11, v128.load(to, 176)), 176);
  }
}

/** N = h y_ijᵀ + c_ij G_i⁻¹, what every c_ij′ multiplies. */
function makeOuter(job: RowJob, reduced: Reduced, i: usize, at: usize, h: usize, N: usize): void {
  const rank = job.rank, q = reduced.staying;
  const qBytes = even(q) << 3, yBytes = even(rank) << 3;
  const y = reduced.y + at * yBytes;
  const inverse = reduced.inverses + i * <usize>rank * yBytes;
  const c = load<f64>(reduced.c + (at << 3));
  for (let a = 0; a < q; a++) {
    const ha = load<f64>(h + (<usize>a << 3));
    for (let b = 0; b < rank; b++) {
      const o = <usize>b << 3;
      const G: f64 = a < rank ? load<f64>(inverse + <usize>a * yBytes + o) : 0;
      store<f64>(N + <usize>a * qBytes + o, ha * load<f64>(y + o) + c * G);
    }
  }
}

/** blocks −= (s h + c_ij y_ij′) hᵀ + c_ij′ N */
function subtractExact(job: RowJob, reduced: Reduced, at: usize, pairs: usize, h: usize, N: usize, products: usize, blocks: usize, blockBytes: usize): void {
  switch (<i32>(even(reduced.staying) >> 1)) {
    case 1: return subtractExactBy(1, job, reduced, at, pairs, h, N, products, blocks, blockBytes);
    case 2: return subtractExactBy(2, job, reduced, at, pairs, h, N, products, blocks, blockBytes);
    case 3: return subtractExactBy(3, job, reduced, at, pairs, h, N, products, blocks, blockBytes);
    case 4: return subtractExactBy(4, job, reduced, at, pairs, h, N, products, blocks, blockBytes);
    default: return subtractExactBy(5, job, reduced, at, pairs, h, N, products, blocks, blockBytes);
  }
}

/** With rows of so many vectors; 5: of any length from there. */
// @ts-ignore: decorator
@inline
function subtractExactBy(vectors: i32, job: RowJob, reduced: Reduced, at: usize, pairs: usize, h: usize, N: usize, products: usize, blocks: usize, blockBytes: usize): void {
  const rank = job.rank, q = reduced.staying;
  const qBytes = even(q) << 3, yBytes = even(rank) << 3;
  const c = load<f64>(reduced.c + (at << 3));
  const h0 = v128.load(h);
  const h1 = vectors > 1 ? v128.load(h, 16) : h0;
  const h2 = vectors > 2 ? v128.load(h, 32) : h0;
  const h3 = vectors > 3 ? v128.load(h, 48) : h0;
  let y = reduced.y + at * yBytes;
  for (let pair: usize = 0; pair < pairs; pair++, y += yBytes) {
    const s = load<f64>(products + (pair << 3));
    const c2 = v128.load_splat<f64>(reduced.c + ((at + pair) << 3));
    let to = blocks + <usize>load<u32>(reduced.indices + ((at + pair) << 2)) * blockBytes;
    let n = N;
    for (let a = 0; a < q; a++, to += qBytes, n += qBytes) {
      const latent: f64 = a < rank ? c * load<f64>(y + (<usize>a << 3)) : 0;
      const alpha = f64x2.splat(s * load<f64>(h + (<usize>a << 3)) + latent);
      v128.store(to, nmadd<f64>(c2, v128.load(n), nmadd<f64>(alpha, h0, v128.load(to))));
      if (vectors > 1) v128.store(to, nmadd<f64>(c2, v128.load(n, 16), nmadd<f64>(alpha, h1, v128.load(to, 16))), 16);
      if (vectors > 2) v128.store(to, nmadd<f64>(c2, v128.load(n, 32), nmadd<f64>(alpha, h2, v128.load(to, 32))), 32);
      if (vectors > 3) v128.store(to, nmadd<f64>(c2, v128.load(n, 48), nmadd<f64>(alpha, h3, v128.load(to, 48))), 48);
      if (vectors > 4)
        for (let o: usize = 64; o < qBytes; o += 16)
          v128.store(to + o, nmadd<f64>(c2, v128.load(n + o), nmadd<f64>(alpha, v128.load(h + o), v128.load(to + o))));
    }
  }
}

/** The strip of blocks to the rows of H. */
function writeStrip(reduced: Reduced, row: i32, count: i32, strip: usize, blockBytes: usize): void {
  const q = reduced.staying, qBytes = even(q) << 3;
  const order = <usize>reduced.order << 3;
  for (let a = 0; a < q; a++) {
    let to = reduced.hessian + <usize>(row * q + a) * order + (<usize>(row * q) << 3);
    let from = strip;
    for (let column = row; column < count; column++, to += <usize>q << 3, from += blockBytes) {
      if (reduced.isExact) {
        memory.copy(to, from + <usize>a * qBytes, <usize>q << 3);
        continue;
      }
      for (let b = 0; b < q; b++)
        store<f64>(to + (<usize>b << 3), load<f64>(from + packedAt(min(a, b), max(a, b), q)));
    }
  }
}

/** The entry of eliminated row i in column `column`: its indices rise. */
function entryOf(reduced: Reduced, i: usize, column: i32): usize {
  let low = <usize>load<u32>(reduced.pointers + (i << 2)), high = <usize>load<u32>(reduced.pointers + (i << 2), 4);
  while (low + 1 < high) {
    const middle = (low + high) >> 1;
    if (load<u32>(reduced.indices + (middle << 2)) <= <u32>column) low = middle;
    else high = middle;
  }
  return low;
}
