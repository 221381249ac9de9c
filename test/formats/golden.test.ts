/** Files written by numpy and scipy (test/golden/formats/make.py), against the values that they say are in them. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { NdArray } from 'ndarray';
import { describe, expect, it } from 'vitest';
import type { Triples } from '../../dist/src/data/input.js';
import { readNpy, readNpyMatrix, writeNpy } from '../../dist/src/formats/npy.js';
import { readTable } from '../../dist/src/formats/readTable.js';
import { denseOf, failure, pathOf } from './files.js';

type Numbers = (number | string)[];
interface Expected {
  npy: Record<string, { shape: number[]; isFortranOrder: boolean; isSingle: boolean; values: Numbers }>;
  mtx: Record<string, { shape: number[]; rows?: number[]; columns?: number[]; values?: Numbers; dense?: Numbers }>;
  write: Record<string, { shape: number[]; dtype: 'f4' | 'f8'; bytes: number; head: string; sha256: string }>;
}

const folder = new URL('../golden/formats/', import.meta.url);
const pathTo = (name: string): string => new URL(name, folder).pathname;
const expected = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as Expected;
/** NaN, infinities and −0 are recorded as text. */
const numbers = (list: Numbers): number[] => list.map(Number);

describe('.npy of numpy', () => {
  it.each(Object.entries(expected.npy))('%s', async (name, { shape, isFortranOrder, isSingle, values }) => {
    const array = await readNpy(pathTo(name));
    expect(array.shape).toEqual(shape);
    expect(array.isFortranOrder).toBe(isFortranOrder);
    expect(array.data).toBeInstanceOf(isSingle ? Float32Array : Float64Array);
    if (!isFortranOrder) expect([...array.data]).toEqual(numbers(values));
    if (shape.length === 2 && !shape.includes(0)) {
      const table = await readTable(pathTo(name));
      expect((table.matrix as NdArray).shape).toEqual(shape);
      expect(denseOf(table)).toEqual(numbers(values));
      const rounded = numbers(values).filter((value) => Number.isInteger(value) && Math.abs(value) >= 2 ** 53).length;
      const isNoted = rounded > 0 && /^[iu]8/.test(name);
      expect(table.notes).toEqual(isNoted ? [expect.stringContaining(`${rounded} integers beyond 2⁵³`)] : []);
    } else {
      const { code, rule } = await failure(readNpyMatrix(pathTo(name)));
      expect(code).toBe('shape-mismatch');
      expect(rule).toBeTruthy();
    }
  });

  it.each(['c16', 'f2', 'text', 'object', 'structured'])('refuses %s and names its type', async (kind) => {
    const error = await failure(readTable(pathTo(`refused-${kind}.npy`)));
    expect(error).toMatchObject({ code: 'unsupported-format', rule: expect.any(String), remedy: expect.any(String) });
    const names = { c16: '<c16', f2: '<f2', text: '<U1', object: '|O', structured: "'a'" };
    expect(error.what).toContain(names[kind as keyof typeof names]);
  });
});

describe('writeNpy', () => {
  it.each(Object.entries(expected.write))('writes %s as numpy does, byte for byte', async (_, golden) => {
    const length = golden.shape.reduce((a, b) => a * b, 1);
    const values = Array.from({ length }, (_, i) => (((i * 7) % 101) - 50) / 4);
    const data = golden.dtype === 'f4' ? Float32Array.from(values) : Float64Array.from(values);
    const path = pathOf('.npy');
    await writeNpy(path, data, golden.shape);
    const bytes = readFileSync(path);
    expect(bytes.subarray(0, 128).toString('hex')).toBe(golden.head);
    expect(bytes.length).toBe(golden.bytes);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(golden.sha256);
  });

  it('writes a view of a larger buffer and nothing around it', async () => {
    const whole = Float64Array.from([9, 1, 2, 3, 4, 9]);
    const path = pathOf('.npy');
    await writeNpy(path, whole.subarray(1, 5), [2, 2]);
    const { data, shape } = await readNpy(path);
    expect([...data]).toEqual([1, 2, 3, 4]);
    expect(shape).toEqual([2, 2]);
  });
});

describe('.mtx of scipy', () => {
  it.each(Object.entries(expected.mtx))('%s', async (name, golden) => {
    const table = await readTable(pathTo(name));
    expect(table.notes).toEqual([]);
    expect(table.labels).toBeUndefined();
    if (golden.dense) {
      expect((table.matrix as NdArray).shape).toEqual(golden.shape);
      expect(denseOf(table)).toEqual(numbers(golden.dense));
      return;
    }
    const { rows, columns, values, shape } = table.matrix as Triples;
    expect(shape).toEqual(golden.shape);
    const order = Array.from(values.keys()).sort(
      (s, t) => (rows[s] as number) - (rows[t] as number) || (columns[s] as number) - (columns[t] as number),
    );
    expect(order.map((t) => rows[t])).toEqual(golden.rows);
    expect(order.map((t) => columns[t])).toEqual(golden.columns);
    expect(order.map((t) => values[t])).toEqual(numbers(golden.values ?? []));
  });

  it.each(['complex', 'hermitian'])('refuses %s', async (kind) => {
    const error = await failure(readTable(pathTo(`refused-${kind}.mtx`)));
    expect(error).toMatchObject({ code: 'unsupported-format', position: { line: 1 }, rule: expect.any(String) });
    expect(error.what).toContain(kind);
  });
});
