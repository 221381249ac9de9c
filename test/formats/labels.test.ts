/** LabelIndex: numbers by first appearance, whatever way a label takes through it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LabelIndex } from '../../dist/src/formats/labels.js';
import { permutation } from '../helpers/random.js';

/** The indices of the labels, each amid bytes that are not its own. */
function number(index: LabelIndex, labels: readonly string[]): number[] {
  return labels.map((label) => {
    const bytes = Buffer.from(`1${label}1`);
    return index.indexOf(bytes, 1, bytes.length - 1);
  });
}

/** The same with a Map. */
function numberWithMap(labels: readonly string[]): { indices: number[]; seen: string[] } {
  const seen = new Map<string, number>();
  const indices = labels.map((label) => {
    if (!seen.has(label)) seen.set(label, seen.size);
    return seen.get(label) as number;
  });
  return { indices, seen: [...seen.keys()] };
}

describe('LabelIndex', () => {
  it('numbers in order of first appearance', () => {
    const index = new LabelIndex();
    expect(number(index, ['b', '7', 'a', 'b', '3', '7', 'c'])).toEqual([0, 1, 2, 0, 3, 1, 4]);
    expect(index.close()()).toEqual(['b', '7', 'a', '3', 'c']);
  });

  it('keeps labels apart that are one number', () => {
    const labels = ['7', '007', '07', '7.0', '+7', '-7', '0', '00', '-0', ' 7', '7 ', '70', '0x7', '٧'];
    const index = new LabelIndex();
    expect(number(index, labels)).toEqual([...labels.keys()]);
    expect(number(index, labels)).toEqual([...labels.keys()]);
    expect(index.close()()).toEqual(labels);
  });

  it('goes over from small integers to large ones', () => {
    const labels = [2 ** 24 - 1, 2 ** 24, 2 ** 24 + 1, 2 ** 24 - 2, 99_999_999, 100_000_000, 2 ** 32, 2 ** 32 + 1].map(
      String,
    );
    const long = ['9'.repeat(20), '9'.repeat(21), `1${'0'.repeat(400)}`];
    const all = [...labels, ...long, '0', '1023', '1024', '2048'];
    const index = new LabelIndex();
    expect(number(index, all)).toEqual([...all.keys()]);
    expect(number(index, [...all].reverse())).toEqual([...all.keys()].reverse());
    expect(index.close()()).toEqual(all);
  });

  it('takes the empty label for one too', () => {
    const index = new LabelIndex();
    expect(number(index, ['', 'a', ''])).toEqual([0, 1, 0]);
    expect(index.close()()).toEqual(['', 'a']);
  });

  it('keeps labels apart whose hashes are the same', () => {
    // Pairs of one FNV-1a hash, found here by the birthday paradox rather than taken on trust.
    const hash = (text: string): number =>
      [...Buffer.from(text)].reduce((h, byte) => Math.imul(h ^ byte, 0x01000193), 0x811c9dc5) >>> 0;
    const byHash = new Map<number, string>();
    const pairs: [string, string][] = [];
    for (let i = 0; i < 200_000 && pairs.length < 3; i++) {
      const label = `user ${(i * 7919).toString(36)}`;
      const other = byHash.get(hash(label));
      if (other) pairs.push([other, label]);
      byHash.set(hash(label), label);
    }
    expect(pairs.length).toBeGreaterThan(0);
    const labels = pairs.flat();
    const index = new LabelIndex();
    expect(number(index, [...labels, ...labels])).toEqual([...labels.keys(), ...labels.keys()]);
  });

  it('keeps 250,000 labels of both kinds', () => {
    const order = permutation(250_000, 5);
    const labels = Array.from(order, (i) => (i % 2 ? `user-${i}` : String(i * 50)));
    const index = new LabelIndex();
    expect(number(index, labels)).toEqual([...labels.keys()]);
    expect(number(index, labels)).toEqual([...labels.keys()]);
    expect(index.close()()).toEqual(labels);
  });

  it('does what a Map does', () => {
    const label = fc.oneof(
      fc.constantFrom('0', '00', '1', '01', 'a', 'b', '', '16777215', '16777216'),
      fc.integer({ min: 0, max: 3000 }).map(String),
      fc.string({ unit: 'binary', maxLength: 4 }),
      fc.stringMatching(/^[0-9]{1,10}$/),
    );
    fc.assert(
      fc.property(fc.array(label, { maxLength: 200 }), (labels) => {
        const index = new LabelIndex();
        const { indices, seen } = numberWithMap(labels);
        expect(number(index, labels)).toEqual(indices);
        expect(index.close()()).toEqual(seen);
      }),
      { numRuns: 50 },
    );
  });
});
