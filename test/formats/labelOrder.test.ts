import fc from 'fast-check';
import ndarray from 'ndarray';
import { expect, test } from 'vitest';
import type { Triples } from '../../dist/src/data/input.js';
import { inLabelOrder } from '../../dist/src/formats/labelOrder.js';
import { denseOf, entriesOf } from './files.js';

/** Labels by first appearance, as readers number them. */
function tableOf(entries: readonly (readonly [string, string, number])[], isWeighted: boolean) {
  const [rows, columns] = [0, 1].map((side) => [...new Set(entries.map((entry) => entry[side] as string))]) as [
    string[],
    string[],
  ];
  const values = Float64Array.from(entries, ([, , value]) => value);
  const matrix: Triples = {
    rows: Uint32Array.from(entries, ([row]) => rows.indexOf(row)),
    columns: Uint32Array.from(entries, ([, column]) => columns.indexOf(column)),
    values,
    shape: [rows.length, columns.length],
  };
  const beside = isWeighted && { weights: values.map((value) => value + 0.5), extra: values.map((value) => -value) };
  return { matrix, labels: { rows, columns }, notes: [], ...beside };
}

const label = fc.constantFrom('a', 'B', '10', '9', 'é', '\u{1f600}', '');
const entry = fc.tuple(label, label);

test('the same entries by label, those of one place in their order, whatever order they came in', () => {
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 40 }), fc.boolean(), (places, isWeighted) => {
      const entries = places.map(([row, column], t) => [row, column, t] as const);
      const sorted = inLabelOrder(tableOf(entries, isWeighted));
      const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
      const expected = [...entries].sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]) || a[2] - b[2]);
      expect(entriesOf(sorted)).toEqual(expected.map((one) => (isWeighted ? [...one, one[2] + 0.5] : [...one])));
      expect(sorted.labels?.rows).toEqual([...new Set(places.map(([row]) => row))].sort());
      expect(sorted.labels?.columns).toEqual([...new Set(places.map(([, column]) => column))].sort());
      if (isWeighted) expect([...(sorted.extra ?? [])]).toEqual(expected.map(([, , t]) => -t));
    }),
  );
});

test('a dense table: rows by label, columns as they are', () => {
  const labels = { rows: ['b', 'a'], columns: ['y', 'x'] };
  const sorted = inLabelOrder({ matrix: ndarray(Float64Array.of(1, Number.NaN, 3, 4), [2, 2]), labels, notes: [] });
  expect(sorted.labels).toEqual({ rows: ['a', 'b'], columns: ['y', 'x'] });
  expect(denseOf(sorted)).toEqual([3, 4, 1, Number.NaN]);
});
