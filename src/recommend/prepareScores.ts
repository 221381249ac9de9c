/** Lays a request out in shared memory: the kernel's factors, scratch for each task, and each batch's answers. */
import type { RealArray } from '../data/input.js';
import type { Model } from '../model/model.js';
import type { Factors } from '../model/objective.js';
import { alignUp, memoryCeiling, totalsPerBlock } from '../parallel/layout.js';
import { acquireMemory, allocate } from '../parallel/memoryPool.js';
import type { ScoreRequest } from './request.js';
import { blockRows, type ScoreContext, type ScoreKernel, type Seen } from './scoreContext.js';
import { panelBytes, planKernel, writePanels } from './scoreKernel.js';

export interface PreparedScores {
  /** The context of the rows first … last − 1 of the request. */
  context(first: number, last: number): ScoreContext;
}

export interface Threads {
  readonly module: WebAssembly.Module;
  readonly slots: number;
  /** Factors cross threads, so they are copied to shared memory unless they are there. */
  readonly isShared: boolean;
  /** Rows of a batch at the most. */
  readonly batch: number;
}

const pageBytes = 65536;
const controlBytes = 64;

/** @throws HadamardError `not-enough-memory` */
export function prepareScores(model: Model, request: ScoreRequest, threads: Threads): PreparedScores {
  const { columns, seen } = request;
  const places = Math.max(1, Math.min(request.top, columns.length));
  const blocks = Math.ceil(threads.batch / blockRows);
  const done = controlBytes;
  const results = alignUp(done + 4 * blocks);
  const panels = alignUp(results + 8 * totalsPerBlock * blocks);
  const plan = planKernel(model, columns, places, largestSeen(request));
  const scratch = plan ? alignUp(panels + panelBytes(columns.length, plan.size)) : panels;
  const scratchStride = plan ? alignUp(plan.scratch.bytes) : 0;
  const end = scratch + scratchStride * threads.slots;
  // Beyond what 32-bit addresses reach the rows are scored in float64, from memory of any size.
  const isKernelUsed = plan !== undefined && end <= memoryCeiling;
  const memory = acquireMemory(Math.ceil((isKernelUsed ? end : panels) / pageBytes));
  const share = <T extends RealArray | Uint32Array>(array: T): T => (threads.isShared ? toShared(array) : array);
  const factors = factorsOf(model, share);
  const kernel: ScoreKernel | undefined = isKernelUsed
    ? {
        ...plan,
        panels,
        columnNorm: writePanels(
          model,
          columns,
          plan,
          new Float32Array(memory.buffer, panels, panelBytes(columns.length, plan.size) / 4),
        ),
      }
    : undefined;
  const side = { done, results };
  const common = {
    memory,
    module: threads.module,
    layout: { scratch, scratchStride, sides: { rows: side, columns: side } },
    factors,
    rows: share(request.rows),
    columns: share(columns),
    seen: seen && sharedSeen(seen, share),
    top: places,
    kernel,
  };
  const room = (bytes: number) =>
    allocate(bytes, () => (threads.isShared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes)));
  return {
    context(first, last) {
      const rows = last - first;
      const boundaries = Array.from({ length: Math.ceil(rows / blockRows) }, (_, block) => first + block * blockRows);
      return {
        ...common,
        blocks: { rows: Uint32Array.from([...boundaries, last]), columns: new Uint32Array(1) },
        found: {
          first,
          counts: new Uint32Array(room(4 * rows)),
          columns: new Uint32Array(room(4 * rows * places)),
          predictions: new Float64Array(room(8 * rows * places)),
        },
      };
    },
  };
}

/** The most positions that the rows of a block have seen: of any rows, since a request names them in any order. */
function largestSeen({ rows, seen }: ScoreRequest): number {
  if (!seen) return 0;
  let largest = 0;
  for (let first = 0; first < rows.length; first += blockRows) {
    let sum = 0;
    for (const row of rows.subarray(first, first + blockRows))
      sum += (seen.pointers[row + 1] as number) - (seen.pointers[row] as number);
    largest = Math.max(largest, sum);
  }
  return largest;
}

function factorsOf({ U, V, biases }: Model, share: <T extends RealArray>(array: T) => T): Factors {
  return {
    U: { data: share(U.data), shape: U.shape },
    V: { data: share(V.data), shape: V.shape },
    biases: {
      ...biases,
      ...(biases.rows && { rows: share(biases.rows) }),
      ...(biases.columns && { columns: share(biases.columns) }),
    },
  };
}

function sharedSeen({ pointers, positions }: Seen, share: <T extends RealArray | Uint32Array>(array: T) => T): Seen {
  return { pointers: share(pointers), positions: share(positions) };
}

function toShared<T extends RealArray | Uint32Array>(array: T): T {
  if (array.buffer instanceof SharedArrayBuffer) return array;
  const buffer = allocate(array.byteLength, () => new SharedArrayBuffer(array.byteLength));
  const copy = new (array.constructor as new (buffer: SharedArrayBuffer) => T)(buffer);
  copy.set(array);
  return copy;
}
