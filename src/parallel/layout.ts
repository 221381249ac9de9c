/**
 * Where everything stands in the shared memory of a fit, decided before anything is allocated.
 *
 * One WebAssembly.Memory of fixed size holds the control words, the factors, the penalties, each task's scratch and,
 * where they fit, the observations; otherwise these stay in SharedArrayBuffers and each block is staged into the
 * scratch of the task that works on it.
 */
import type { RealArray } from '../data/input.js';
import type { Observations, Orientation } from '../data/observations.js';
import { type Dtype, totalNames } from '../kernels/load.js';
import { allocate } from './memoryPool.js';
import { leastSorted, type SortingSpace, sortingSpace } from './sortingSpace.js';

/** `rows` solves for U with V fixed, `columns` the other way round. */
export type Side = 'rows' | 'columns';
export const sides: readonly Side[] = ['rows', 'columns'];

export type PerSide<T> = Readonly<Record<Side, T>>;

export const otherSide = (side: Side): Side => (side === 'rows' ? 'columns' : 'rows');

/** wasm32 addresses end here. */
export const memoryCeiling = 2 ** 32 - 65536;
const pageBytes = 65536;

/** The control words, as indices of an Int32Array at address 0. */
export const control = { nextBlock: 0, stopRequested: 1 } as const;
const controlBytes = 64;

/** A block adds so many float64 sums to the results: see {@link Totals}. */
export const totalsPerBlock = totalNames.length;

export interface LayoutRequest {
  readonly dtype: Dtype;
  /** Elements between factor rows: k and a bias slot, rounded up to 4. */
  readonly stride: number;
  readonly hasBias: boolean;
  readonly isWeighted: boolean;
  readonly observed: number;
  readonly counts: PerSide<number>;
  readonly blocks: PerSide<number>;
  /** Factor-sized buffers the method works with on each side. */
  readonly buffers: PerSide<number>;
  readonly threads: number;
  /** Kernel scratch of one task. */
  readonly kernelScratch: number;
  /** The largest block's rows and entries, for staging. */
  readonly largestBlock: { readonly rows: number; readonly entries: number };
  readonly residency: 'auto' | 'staged';
  /** Entries stand in files, pointers alone in memory. */
  readonly isOnDisk: boolean;
  /** Set aside what a composed objective needs. */
  readonly terms: TermRequest | undefined;
  /** Set aside sums over all rows of a side; undefined: no row problem needs them. */
  readonly gram: GramRequest | undefined;
  /** Bytes that the method keeps beside factors. */
  readonly workspace: number;
  /** Resident entries of rows stand once more, in the order of a method's blocks. */
  readonly hasGrid: boolean;
  /** Bytes for the covariances of one side. */
  readonly covariances: number;
}

/** Which lists a composed objective keeps for each row. */
export interface TermRequest {
  readonly hasL1: boolean;
  readonly isHeld: PerSide<boolean>;
}

export interface GramRequest {
  /** Doubles of a side's sums. */
  readonly length: number;
  /** Bytes of the eigenbasis of a side's Gram matrix; 0: rows beside it are not solved in it. */
  readonly basis: PerSide<number>;
}

/** A side's sums are taken over so many groups of rows at the most, and added up in their order. */
export const gramGroups = 32;

/** Addresses (0: absent) of what all rows of the other side share. */
export interface GramAddresses {
  /** Sums over this side's own rows, one for each group of rows, and added up. */
  readonly groups: number;
  readonly sums: number;
  /** The eigenbasis of the sums' matrix, and this side's factor in it. */
  readonly basis: number;
  readonly rotated: number;
  /** f64 a row: what it counts in the sums of its side. */
  readonly weights: number;
}

/** Addresses (0: absent) of a side's part of a composed objective. */
export interface TermAddresses {
  /** f64 a row: μ_i, and the certificate's residual. */
  readonly l1: number;
  readonly residuals: number;
  /** u8 an entry of the factor. */
  readonly held: number;
  /** f64 a latent column: 0 where it carries no penalty. */
  readonly multiples: number;
}

export interface SideAddresses {
  /** One address a factor buffer. */
  readonly buffers: readonly number[];
  /** f64 a row: λ_i, and the bias's. */
  readonly penalties: number;
  readonly biasPenalties: number;
  /** u8 a row, set by the solver where a row needs the rank-revealing route. */
  readonly status: number;
  /** u32 a block: whether it is done. */
  readonly done: number;
  /** f64 × {@link totalsPerBlock} a block. */
  readonly results: number;
  readonly terms: TermAddresses | undefined;
  readonly gram: GramAddresses | undefined;
  /** Where the observations are resident. */
  readonly resident: EntryAddresses | undefined;
}

/** Of u32 pointers, u32 indices, values, weights (0: all 1). */
export interface EntryAddresses {
  readonly pointers: number;
  readonly indices: number;
  readonly values: number;
  readonly weights: number;
}

export interface Layout {
  readonly sides: PerSide<SideAddresses>;
  /** Task t's scratch: the kernel's, then its job record, then its staged block. */
  readonly scratch: number;
  readonly scratchStride: number;
  readonly jobOffset: number;
  readonly stageOffset: number;
  readonly isResident: boolean;
  /** Where entries stand once more; their pointers are those of the rows. */
  readonly grid: EntryAddresses | undefined;
  /** For sorting many resident entries. */
  readonly sorting: { readonly address: number; readonly space: SortingSpace } | undefined;
  /** Where the method's own memory begins. */
  readonly workspace: number;
  /** Where covariances are computed. */
  readonly covariances: number;
  readonly pages: number;
  /** Bytes of the shared memory, of observations outside it, and the parts of the first by purpose. */
  readonly bytes: {
    readonly memory: number;
    readonly outside: number;
    readonly factors: number;
    readonly observations: number;
    readonly scratch: number;
  };
}

export function elementBytes(dtype: Dtype): 4 | 8 {
  return dtype === 'f32' ? 4 : 8;
}

export function realView(dtype: Dtype, buffer: ArrayBufferLike, address: number, length: number): RealArray {
  return dtype === 'f32' ? new Float32Array(buffer, address, length) : new Float64Array(buffer, address, length);
}

export function strideOf(rank: number, hasBias: boolean): number {
  return Math.ceil((rank + (hasBias ? 1 : 0)) / 4) * 4;
}

export function planLayout(request: LayoutRequest): Layout {
  const resident = request.residency === 'auto' ? arrange(request, true) : undefined;
  return resident && resident.bytes.memory <= memoryCeiling ? resident : arrange(request, false);
}

/** A job record and what stands behind it. */
export const jobBytes = 320;

function arrange(request: LayoutRequest, isResident: boolean): Layout {
  const { observed, isWeighted } = request;
  const element = elementBytes(request.dtype);
  let next = controlBytes;
  const reserve = (bytes: number): number => {
    const address = next;
    next = alignUp(next + bytes);
    return address;
  };
  const factorBytes = (side: Side) => request.counts[side] * request.stride * element;
  const arrangeTerms = (terms: TermRequest, side: Side): TermAddresses => ({
    l1: terms.hasL1 ? reserve(request.counts[side] * 8) : 0,
    residuals: reserve(request.counts[side] * 8),
    held: terms.isHeld[side] ? reserve(request.counts[side] * request.stride) : 0,
    multiples: reserve(request.stride * 8),
  });
  const arrangeEntries = () => ({
    indices: reserve(observed * 4),
    values: reserve(observed * element),
    weights: isWeighted ? reserve(observed * element) : 0,
  });
  const arrangeSide = (side: Side) => ({
    done: reserve(request.blocks[side] * 4),
    results: reserve(request.blocks[side] * totalsPerBlock * 8),
    resident: isResident
      ? {
          pointers: reserve((request.counts[side] + 1) * 4),
          ...arrangeEntries(),
        }
      : undefined,
  });
  const rows = arrangeSide('rows');
  const columns = arrangeSide('columns');
  const { resident } = rows;
  const entryBytes = 4 + element * (isWeighted ? 2 : 1);
  const stageBytes = isResident
    ? 0
    : alignUp((request.largestBlock.rows + 1) * 4) + 3 * 64 + request.largestBlock.entries * entryBytes;
  const jobOffset = alignUp(request.kernelScratch);
  const stageOffset = jobOffset + jobBytes;
  const scratchStride = alignUp(stageOffset + stageBytes);
  const scratch = reserve(scratchStride * request.threads);
  // Nothing of a fit stands yet where entries are sorted.
  const start = next;
  const isSorted = resident !== undefined && observed >= leastSorted;
  const sorting = isSorted ? arrangeSorting(request, element, reserve) : undefined;
  const sorted = next;
  next = start;
  const { gram } = request;
  // One side at a time is held fixed.
  const rotated = gram ? reserve(Math.max(...sides.map((side) => gram.basis[side] && factorBytes(side)))) : 0;
  const arrangeGram = ({ length, basis }: GramRequest, side: Side): GramAddresses => ({
    groups: reserve(length * gramGroups * 8),
    sums: reserve(length * 8),
    basis: basis[side] && reserve(basis[side]),
    rotated: basis[side] && rotated,
    weights: reserve(request.counts[side] * 8),
  });
  const arrangeFactor = (side: Side) => ({
    penalties: reserve(request.counts[side] * 8),
    biasPenalties: request.hasBias ? reserve(request.counts[side] * 8) : 0,
    status: reserve(request.counts[side]),
    terms: request.terms && arrangeTerms(request.terms, side),
    gram: gram && arrangeGram(gram, side),
    buffers: Array.from({ length: request.buffers[side] }, () => reserve(factorBytes(side))),
  });
  const addresses = {
    rows: { ...rows, ...arrangeFactor('rows') },
    columns: { ...columns, ...arrangeFactor('columns') },
  };
  const grid = request.hasGrid && resident ? { ...resident, ...arrangeEntries() } : undefined;
  const workspace = reserve(request.workspace);
  const covariances = reserve(request.covariances);
  next = Math.max(next, sorted);
  const pointers = (request.counts.rows + request.counts.columns + 2) * 8;
  const observations = (grid ? 3 : 2) * observed * entryBytes + (request.counts.rows + request.counts.columns + 2) * 12;
  return {
    sides: addresses,
    scratch,
    scratchStride,
    jobOffset,
    stageOffset,
    isResident,
    grid,
    sorting,
    workspace,
    covariances,
    pages: Math.ceil(next / pageBytes),
    bytes: {
      memory: Math.ceil(next / pageBytes) * pageBytes,
      outside: isResident || request.isOnDisk ? pointers : observations,
      factors: factorBytes('rows') * request.buffers.rows + factorBytes('columns') * request.buffers.columns,
      observations,
      scratch: scratchStride * request.threads,
    },
  };
}

function arrangeSorting(
  { observed, counts, largestBlock, isWeighted, threads }: LayoutRequest,
  elementBytes: number,
  reserve: (bytes: number) => number,
): Layout['sorting'] {
  const rows = Math.max(counts.rows, counts.columns);
  // A block holds the longest row.
  const space = sortingSpace({ observed, rows, longest: largestBlock.entries, elementBytes, isWeighted, threads });
  return { address: reserve(space.bytes), space };
}

export function alignUp(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

/**
 * Empty storage for both orientations: inside the memory where they are resident, in SharedArrayBuffers of their own otherwise.
 *
 * @throws HadamardError `not-enough-memory`
 */
export function observationStorage(
  request: LayoutRequest,
  layout: Layout,
  memory: WebAssembly.Memory,
): { byRow: Orientation; byColumn: Orientation } {
  const element = elementBytes(request.dtype);
  const room = (bytes: number) => allocate(bytes, () => new SharedArrayBuffer(bytes));
  const storageOf = (side: Side): Orientation => {
    const { resident } = layout.sides[side];
    const length = request.observed;
    const pointers = new Float64Array(room((request.counts[side] + 1) * 8));
    if (resident)
      return {
        pointers,
        indices: new Uint32Array(memory.buffer, resident.indices, length),
        values: realView(request.dtype, memory.buffer, resident.values, length),
        weights: request.isWeighted ? realView(request.dtype, memory.buffer, resident.weights, length) : undefined,
      };
    return {
      pointers,
      indices: new Uint32Array(room(length * 4)),
      values: realView(request.dtype, room(length * element), 0, length),
      weights: request.isWeighted ? realView(request.dtype, room(length * element), 0, length) : undefined,
    };
  };
  return { byRow: storageOf('rows'), byColumn: storageOf('columns') };
}

/** Resident pointers are 32-bit entry numbers: entries that fit a wasm32 memory are fewer than 2³². */
export function writeResidentPointers(layout: Layout, memory: WebAssembly.Memory, observations: Observations): void {
  for (const side of sides) {
    const { resident } = layout.sides[side];
    const { pointers } = side === 'rows' ? observations.byRow : observations.byColumn;
    if (resident) new Uint32Array(memory.buffer, resident.pointers, pointers.length).set(pointers);
  }
}
