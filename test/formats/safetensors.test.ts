/** Byte for byte what Python's safetensors writes, so that Python reads it: see test/golden/formats/make_safetensors.py. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { safetensorsContent } from '../../dist/src/formats/safetensors.js';

const golden = (name: string) => readFileSync(new URL(`../golden/formats/${name}`, import.meta.url));

test.each([
  ['f4', Float32Array],
  ['f8', Float64Array],
] as const)('%s', (name, Real) => {
  const isSingle = Real === Float32Array;
  const rounded = (x: number) => (isSingle ? Math.fround(x) : x);
  const content = safetensorsContent(
    {
      rows: { data: new Real(12).map((_, i) => rounded(rounded(i / 7) - 0.5)), shape: [4, 3] },
      columns: { data: new Real(6).map((_, i) => (i * i) / 3), shape: [2, 3] },
      column_bias: { data: Real.of(0.1, -1e-30), shape: [2] },
    },
    { labels: '["say \\"hi\\"", "line\\nbreak", "λ"]' },
  );
  expect(Buffer.concat(content).equals(golden(`${name}.safetensors`))).toBe(true);
});

test('a header that no reader takes is refused', () => {
  const data = { data: Float32Array.of(1), shape: [1] };
  expect(() => safetensorsContent({ data }, { labels: 'x'.repeat(1e8) })).toThrow(
    expect.objectContaining({ code: 'invalid-option', position: { option: 'format' } }),
  );
});
