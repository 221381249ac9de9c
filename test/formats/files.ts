/** Files of a test, in a folder that goes when the test file ends, and what their readers throw. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import type { NdArray } from 'ndarray';
import { afterAll, expect } from 'vitest';
import type { Triples } from '../../dist/src/data/input.js';
import { type ErrorPosition, type ErrorRecord, isHadamardError } from '../../dist/src/errors.js';
import { type ReadRequest, readTable, type Table } from '../../dist/src/formats/readTable.js';

const folder = mkdtempSync(join(tmpdir(), 'hadamard-formats-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

/** From Node 22.15 on. */
export const hasZstd = 'createZstdCompress' in zlib;

/** The path of a new file with this content, named so that it ends in `ending`. */
export function fileOf(ending: string, content: string | Uint8Array): string {
  const path = pathOf(ending);
  writeFileSync(path, content);
  return path;
}

/** A path at which nothing is yet. */
export function pathOf(ending: string): string {
  return join(folder, `${++count}${ending}`);
}

/** The typed error that the work must end in, complete: code, file, and the rest as a record. */
export async function failure(work: Promise<unknown>): Promise<ErrorRecord & { position: ErrorPosition }> {
  const error = await work.then(
    () => expect.unreachable('should have been refused'),
    (reason: unknown) => reason,
  );
  if (!isHadamardError(error)) throw error;
  return { ...error.toJSON(), position: error.position };
}

/** A file that a script made. */
export const golden = (name: string): Buffer => readFileSync(new URL(`../golden/formats/${name}`, import.meta.url));

/** The failure of reading this content, with all that an error must say. */
export async function refused(ending: string, content: string | Uint8Array, request: ReadRequest = {}) {
  const path = fileOf(ending, content);
  const error = await failure(readTable(path, request));
  expect(error.position.file).toBe(path);
  expect(error.what).toBeTruthy();
  expect(error.rule, 'rule').toBeTruthy();
  expect(error.remedy, 'remedy').toBeTruthy();
  return error;
}

/** The entries of a table of triples as [row label or index, column label or index, value, weight?]. */
export function entriesOf({ matrix, labels, weights }: Table): (string | number)[][] {
  const { rows, columns, values } = matrix as Triples;
  return Array.from(values, (value, t) => {
    const row = rows[t] as number;
    const column = columns[t] as number;
    const entry = [labels?.rows[row] ?? row, labels?.columns[column] ?? column, value];
    return weights ? [...entry, weights[t] as number] : entry;
  });
}

/** The values of a dense table row by row. */
export function denseOf({ matrix }: Table): number[] {
  const array = matrix as NdArray<Float64Array>;
  const [rows = 0, columns = 0] = array.shape;
  return Array.from({ length: rows * columns }, (_, t) => array.get(Math.floor(t / columns), t % columns));
}
