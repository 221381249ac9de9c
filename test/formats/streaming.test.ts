/** What is written goes out in pieces: a string or a buffer of the whole file may be longer than either can be. */
import { devNull } from 'node:os';
import ndarray from 'ndarray';
import { describe, expect, it } from 'vitest';
import { arrowChunks } from '../../dist/src/formats/arrow.js';
import { csvChunks } from '../../dist/src/formats/csvWrite.js';
import { jsonLineChunks } from '../../dist/src/formats/jsonLines.js';
import { jsonChunks } from '../../dist/src/formats/jsonRecords.js';
import { matrixMarketChunks } from '../../dist/src/formats/matrixMarketWrite.js';
import { npzChunks } from '../../dist/src/formats/npz.js';
import type { Chunks } from '../../dist/src/formats/output.js';
import { parquetChunks } from '../../dist/src/formats/parquet.js';
import { readTable } from '../../dist/src/formats/readTable.js';
import { replaceFile } from '../../dist/src/formats/replaceFile.js';
import { writeTable } from '../../dist/src/formats/writeTable.js';
import { denseOf, failure, pathOf } from './files.js';

const count = 4096;
const labels = Array.from({ length: count }, (_, i) => `${i}`.padStart(1024));
const values = Float64Array.from(labels, (_, i) => i / 7);
const records = () => ({
  columns: [
    { name: 'a', kind: 'label' },
    { name: 'b', kind: 'number' },
  ] as const,
  batches: [[labels, values]],
});
const triples = { rows: Uint32Array.from(values.keys()), columns: new Uint32Array(count), values };

describe('no piece of text is much longer than 64 KiB', () => {
  it.each<[string, () => Chunks | Generator<string>]>([
    ['csv', () => csvChunks(records(), ',')],
    ['jsonl', () => jsonChunks(records())],
    ['mtx', () => matrixMarketChunks({ ...triples, shape: [count, 1] }, 'a.mtx')],
    ['labels', () => jsonLineChunks(labels)],
  ])('%s', async (_, chunks) => {
    let pieces = 0;
    for await (const piece of chunks()) {
      expect(piece.length).toBeLessThan((1 << 16) + 2048);
      pieces++;
    }
    expect(pieces).toBeGreaterThan(1);
  });
});

it('an .npz is packed as it goes', async () => {
  const length = 1 << 19;
  const index = Uint32Array.from({ length }, (_, t) => t);
  // Bits that cannot be packed.
  const noise = Float64Array.from(index, (t) => ((t + 1) * Math.SQRT2) % 1);
  const matrix = { rows: index, columns: new Uint32Array(length), values: noise, shape: [length, 1] as const };
  let bytes = 0;
  for await (const piece of npzChunks(matrix, 'a.npz')) {
    expect(piece.length).toBeLessThanOrEqual(1 << 20);
    bytes += piece.length;
  }
  expect(bytes).toBeGreaterThan(3 << 20);
});

it('bytes are written that are more than the system takes at once', async () => {
  await replaceFile(devNull, [new Uint8Array(2 ** 31 + 1)]);
});

it.each<[string, (output: ReturnType<typeof counted>['output']) => Chunks]>([
  ['csv', (output) => csvChunks(output, ',')],
  ['jsonl', jsonChunks],
  ['parquet', parquetChunks],
  ['arrow', arrowChunks],
])('%s asks for a batch when what was made of the one before is taken', async (_, chunks) => {
  const { output, asked } = counted();
  for await (const piece of chunks(output)) if (piece.length > 0) break;
  expect(asked()).toBeLessThanOrEqual(1);
});

function counted() {
  let count = 0;
  const output = {
    columns: records().columns,
    batches: (function* () {
      for (; count < 5; ) {
        count++;
        yield [labels, values];
      }
    })(),
  };
  return { output, asked: () => count };
}

describe('wide tables', () => {
  const wide = (columns: number) => ({
    matrix: ndarray(
      Float64Array.from({ length: 2 * columns }, (_, t) => (t % 3 ? t / 7 : Number.NaN)),
      [2, columns],
    ),
    labels: { rows: ['a', 'b'], columns: Array.from({ length: columns }, (_, j) => `c${j}`) },
    notes: [],
  });

  it.each(['.parquet', '.arrow'])('%s of more columns than are read together is read as it was', async (ending) => {
    const [path, table] = [pathOf(ending), wide(1000)];
    await writeTable(path, table);
    const again = await readTable(path, { table: true });
    expect(again.labels).toEqual(table.labels);
    expect(denseOf(again)).toStrictEqual(denseOf(table));
  });

  it.each(['.parquet', '.arrow'])('%s of more than 10⁵ columns is refused', async (ending) => {
    const error = await failure(writeTable(pathOf(ending), wide(100_001)));
    expect([error.code, error.what]).toEqual(['unsupported-format', expect.stringContaining('100001 columns')]);
  });
});
