/** Dense CSV tables: what stands for an unknown value. */
import type { NdArray } from 'ndarray';
import { expect, it } from 'vitest';
import { readTable } from '../../dist/src/formats/readTable.js';
import { failure, fileOf } from './files.js';

it('takes empty cells, NA, N/A and NaN as unobserved, and says which words it has met', async () => {
  const path = fileOf('.csv', 'id,a,b,c\nx,1,NA,na\ny,,NaN,n/a\nz,2,NA,3\n');
  const { matrix, notes } = await readTable(path, { table: true });
  const nan = Number.NaN;
  expect([...((matrix as NdArray).data as Float64Array)]).toEqual([1, nan, nan, nan, nan, nan, 2, nan, 3]);
  expect(notes).toEqual([
    `${path}: "NA" in 2 cells, taken as unobserved.`,
    `${path}: "na" in 1 cell, taken as unobserved.`,
    `${path}: "NaN" in 1 cell, taken as unobserved.`,
    `${path}: "n/a" in 1 cell, taken as unobserved.`,
  ]);
});

it('is said only of tables: in triples these words are refused', async () => {
  for (const word of ['NA', 'NaN', ''])
    expect((await failure(readTable(fileOf('.csv', `a,x,1\nb,y,${word}\n`)))).position.line).toBe(2);
});
