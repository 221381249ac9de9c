/** The kernels of vector work against plain float64 loops, at lengths that force every tail. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Arithmetic, compileKernels, instantiateKernels } from '../../dist/src/kernels/load.js';
import { writeTerms } from '../../dist/src/kernels/vectorTerms.js';

const memory = new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true });
const arithmetics: Arithmetic[] = ['reproducible', 'fast'];
const cases = arithmetics.flatMap((arithmetic) => ([32, 64] as const).map((bits) => ({ arithmetic, bits })));

const numbers = (count: number) =>
  fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: count, maxLength: count });
/** Vectors of a multiple of 4 numbers. */
const vectors = (count: number) =>
  fc
    .integer({ min: 0, max: 9 })
    .chain((quarter) => fc.array(numbers(4 * quarter), { minLength: count, maxLength: count }));

const guard = 12345;

/** Vectors one behind the other in the memory, a guard behind each. */
function place(bits: 32 | 64, lists: readonly (readonly number[])[]) {
  const View = bits === 32 ? Float32Array : Float64Array;
  let next = 1024;
  return lists.map((list) => {
    const address = next;
    const view = new View(memory.buffer, address, list.length + 1);
    view.set([...list, guard]);
    next = Math.ceil((address + view.byteLength) / 64) * 64;
    return { address, view, values: Array.from(view.subarray(0, list.length)), isWhole: () => view.at(-1) === guard };
  });
}

type Placed = ReturnType<typeof place>[number];

test.each(cases)('sums and combinations, f$bits $arithmetic', async ({ arithmetic, bits }) => {
  const { module } = compileKernels(arithmetic);
  const kernels = instantiateKernels(module, memory);
  fc.assert(
    fc.property(vectors(3), numbers(3), (lists, coefficients) => {
      const count = lists[0]?.length as number;
      const placed = place(bits, [...lists, new Array<number>(count).fill(0)]);
      const [a, b, c, out] = placed as [Placed, Placed, Placed, Placed];
      const scale = a.values.reduce((sum, x, i) => sum + Math.abs(x * (b.values[i] as number)), 0);
      const expected = a.values.reduce((sum, x, i) => sum + x * (b.values[i] as number), 0);
      const product = (bits === 32 ? kernels.dot32 : kernels.dot64)(a.address, b.address, count);
      expect(Math.abs(product - expected)).toBeLessThanOrEqual(1e-14 * scale + 1e-300);

      writeTerms(
        new DataView(memory.buffer),
        0,
        [a, b, c].map(({ address }, i) => [address, coefficients[i] as number]),
      );
      for (const base of [undefined, c]) {
        (bits === 32 ? kernels.combine32 : kernels.combine64)(0, 3, base?.address ?? 0, out.address, count);
        for (let i = 0; i < count; i++) {
          const from = base?.values[i] ?? 0;
          const terms = [a, b, c].map(
            ({ values }, each) => ((values[i] as number) - from) * (coefficients[each] as number),
          );
          const size = terms.reduce((sum, term) => sum + Math.abs(term), Math.abs(from));
          const sum = terms.reduce((total, term) => total + term, from);
          const rounding = (bits === 32 ? 1e-7 : 1e-15) * size + 1e-44;
          expect(Math.abs((out.view[i] as number) - sum)).toBeLessThanOrEqual(rounding);
        }
      }
      expect(placed.every(({ isWhole }) => isWhole())).toBe(true);
    }),
  );
});

test.each(cases)('a residual, its change and a copy of the image, f$bits $arithmetic', async ({ arithmetic, bits }) => {
  const { module } = compileKernels(arithmetic);
  const kernels = instantiateKernels(module, memory);
  const rounded = bits === 32 ? Math.fround : (x: number) => x;
  fc.assert(
    fc.property(vectors(3), (lists) => {
      const count = lists[0]?.length as number;
      const zeros = new Array<number>(count).fill(0);
      const placed = place(bits, [...lists, zeros, zeros, zeros]);
      const [x, g, before, r, step, copy] = placed as [Placed, Placed, Placed, Placed, Placed, Placed];
      const advance = bits === 32 ? kernels.advance32 : kernels.advance64;
      advance(x.address, g.address, before.address, r.address, step.address, copy.address, count);
      const residual = g.values.map((value, i) => rounded(value - (x.values[i] as number)));
      expect(Array.from(r.view.subarray(0, count))).toEqual(residual);
      expect(Array.from(step.view.subarray(0, count))).toEqual(
        residual.map((value, i) => rounded(value - (before.values[i] as number))),
      );
      expect(Array.from(copy.view.subarray(0, count))).toEqual(g.values);
      expect(placed.every(({ isWhole }) => isWhole())).toBe(true);
    }),
  );
});
