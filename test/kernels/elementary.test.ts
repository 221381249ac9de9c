import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileKernels, instantiateKernels } from '../../dist/src/kernels/load.js';

interface Elementary {
  exp64(x: number): number;
  log64(x: number): number;
}

let memory: WebAssembly.Memory;
let kernels: Elementary;

beforeAll(async () => {
  const { module } = compileKernels('reproducible');
  memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
  kernels = instantiateKernels(module, memory) as unknown as Elementary;
});

describe('exp and log of our own', () => {
  it('exp is within 2 ulp of the host, subnormal results within one of theirs', () => {
    fc.assert(
      fc.property(fc.double({ min: -745, max: 709.78, noNaN: true }), (x) => {
        const expected = Math.exp(x);
        expect(Math.abs(kernels.exp64(x) - expected)).toBeLessThanOrEqual(4.5e-16 * expected + 1e-323);
      }),
      { numRuns: 20_000 },
    );
  });

  it('log is within 2 ulp of the host over all positive numbers', () => {
    fc.assert(
      fc.property(fc.double({ min: 5e-324, max: Number.MAX_VALUE, noNaN: true }), (x) => {
        const expected = Math.log(x);
        expect(Math.abs(kernels.log64(x) - expected)).toBeLessThanOrEqual(4.5e-16 * Math.abs(expected));
      }),
      { numRuns: 20_000 },
    );
  });

  it('knows the ends', () => {
    expect(kernels.exp64(0)).toBe(1);
    expect(kernels.exp64(710)).toBe(Number.POSITIVE_INFINITY);
    expect(kernels.exp64(-800)).toBe(0);
    expect(kernels.log64(1)).toBe(0);
  });

  it('keeps no tables: instantiating the kernels writes nothing to the memory', () => {
    expect(new Uint8Array(memory.buffer).every((byte) => byte === 0)).toBe(true);
  });
});
