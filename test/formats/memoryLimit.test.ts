/** What a file announces is held against the limit before it is read; what fits is read as ever. */
import ndarray from 'ndarray';
import { describe, expect, it } from 'vitest';
import { readTable, type Table } from '../../dist/src/formats/readTable.js';
import { writeTable } from '../../dist/src/formats/writeTable.js';
import { denseOf, failure, pathOf } from './files.js';

const side = 200;
const cells = Float64Array.from({ length: side * side }, (_, t) => t);
const labels = {
  rows: Array.from({ length: side }, (_, i) => `r${i}`),
  columns: Array.from({ length: side }, (_, j) => `c${j}`),
};
const dense: Table = { matrix: ndarray(cells, [side, side]), labels, notes: [] };
const bytes = cells.byteLength;

describe('a file that announces more than the limit is refused', () => {
  it.each([
    ['.npy', bytes],
    ['.npy.gz', bytes],
    ['.npz', bytes + side * side * 4],
    ['.mtx', 2 * bytes],
    ['.parquet', bytes],
  ])('%s', async (ending, needed) => {
    const path = pathOf(ending);
    await writeTable(path, dense);
    const table = ending === '.parquet';
    const error = await failure(readTable(path, { table, memoryLimit: needed - 1 }));
    expect(error).toMatchObject({ code: 'not-enough-memory', position: { option: 'memoryLimit', file: path } });
    // With what stands beside the numbers.
    const { matrix } = await readTable(path, { table, memoryLimit: needed + 4096 });
    expect(matrix.shape).toEqual([side, side]);
  });

  it('entries of Parquet', async () => {
    const path = pathOf('.parquet');
    const matrix = { rows: Uint32Array.of(0, 1), columns: Uint32Array.of(0, 1), values: Float64Array.of(1, 2) };
    await writeTable(path, { matrix: { ...matrix, shape: [2, 2] }, notes: [] });
    expect((await failure(readTable(path, { memoryLimit: 31 }))).code).toBe('not-enough-memory');
    expect((await readTable(path, { memoryLimit: 32 })).matrix.shape).toEqual([2, 2]);
  });
});

it('an .npy whose header comes in pieces is read', async () => {
  const path = pathOf('.npy');
  await writeTable(path, dense);
  expect(denseOf(await readTable(path))).toEqual([...cells]);
});
