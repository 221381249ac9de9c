/** NumPy's .npy: reads numeric arrays of either order and byte order, writes f4 and f8 in C order (NEP 1). */
import { writeFile } from 'node:fs/promises';
import ndarray from 'ndarray';
import type { RealArray } from '../data/input.js';
import { HadamardError } from '../errors.js';
import { eachChunk, malformed } from './lines.js';
import { allocate, checkRoom, mostBytes } from './room.js';
import type { Table } from './table.js';

export interface NpyArray {
  readonly data: RealArray;
  readonly shape: readonly number[];
  readonly isFortranOrder: boolean;
  /** Integers of 64 bits that float64 may not hold exactly: beyond 2⁵³. */
  readonly rounded: number;
}

const magic = Buffer.from('\x93NUMPY', 'latin1');

/** How to read one item of a dtype, little or big endian. */
const items: Record<string, { bytes: number; read: (view: DataView, at: number, isLittle: boolean) => number }> = {
  f4: { bytes: 4, read: (view, at, isLittle) => view.getFloat32(at, isLittle) },
  f8: { bytes: 8, read: (view, at, isLittle) => view.getFloat64(at, isLittle) },
  i1: { bytes: 1, read: (view, at) => view.getInt8(at) },
  u1: { bytes: 1, read: (view, at) => view.getUint8(at) },
  b1: { bytes: 1, read: (view, at) => view.getUint8(at) },
  i2: { bytes: 2, read: (view, at, isLittle) => view.getInt16(at, isLittle) },
  u2: { bytes: 2, read: (view, at, isLittle) => view.getUint16(at, isLittle) },
  i4: { bytes: 4, read: (view, at, isLittle) => view.getInt32(at, isLittle) },
  u4: { bytes: 4, read: (view, at, isLittle) => view.getUint32(at, isLittle) },
  i8: { bytes: 8, read: (view, at, isLittle) => Number(view.getBigInt64(at, isLittle)) },
  u8: { bytes: 8, read: (view, at, isLittle) => Number(view.getBigUint64(at, isLittle)) },
};

/** Headers take a few hundred bytes. */
const longestHeader = 1 << 20;

/**
 * @param memoryLimit bytes: what announces more is refused at its header.
 * @throws HadamardError `malformed-file`, `unsupported-format` (objects, strings, complex), `not-enough-memory`, and as every
 *   file.
 */
export async function readNpy(path: string, memoryLimit?: number): Promise<NpyArray> {
  let head = Buffer.alloc(0);
  let whole: Buffer | undefined;
  let length = 0;
  const most = await mostBytes(path);
  await eachChunk(path, (chunk) => {
    let next = chunk;
    if (whole === undefined) {
      next = head = Buffer.concat([head, chunk]);
      // What is no .npy is not held as a whole, be it unpacked a thousand times its size.
      if (!magic.subarray(0, head.length).equals(head.subarray(0, magic.length))) throw notNpy(path);
      if (head.length < headerEnd(head) && head.length < longestHeader) return;
      const { start, bytes } = parseNpyHeader(path, head);
      if (!(start + bytes <= most)) throw wrongLength(path, head, 'fewer');
      checkRoom(path, start + bytes, memoryLimit);
      whole = allocate(path, start + bytes);
    }
    if (length + next.length > whole.length) throw wrongLength(path, head, 'more');
    next.copy(whole, length);
    length += next.length;
  });
  return parseNpy(path, whole?.subarray(0, length) ?? head);
}

/** The same of a whole file in memory, which may be a member of an .npz. */
export function parseNpy(path: string, file: Buffer): NpyArray {
  const { start, bytes, item, shape, isLittle, isFortranOrder, isSingle, isLong } = parseNpyHeader(path, file);
  // Compared before anything of that length is made: a header may say what it likes.
  if (file.length - start !== bytes) throw wrongLength(path, file, `${file.length - start} bytes`);
  const length = bytes / item.bytes;
  const view = new DataView(file.buffer, file.byteOffset + start);
  const data = isSingle ? new Float32Array(length) : new Float64Array(length);
  for (let i = 0; i < length; i++) data[i] = item.read(view, i * item.bytes, isLittle);
  let rounded = 0;
  if (isLong) for (const value of data) if (!Number.isSafeInteger(value)) rounded++;
  return { data, shape, isFortranOrder, rounded };
}

interface NpyHeader {
  /** Where the data begins, and how long it is. */
  readonly start: number;
  readonly bytes: number;
  readonly item: { readonly bytes: number; readonly read: (view: DataView, at: number, isLittle: boolean) => number };
  readonly shape: readonly number[];
  readonly isLittle: boolean;
  readonly isFortranOrder: boolean;
  readonly isSingle: boolean;
  readonly isLong: boolean;
}

/** @param file begins with the header; what follows may be missing. */
export function parseNpyHeader(path: string, file: Buffer): NpyHeader {
  if (file.length < 10 || !file.subarray(0, 6).equals(magic)) throw notNpy(path);
  const [major, minor] = file.subarray(6, 8) as unknown as [number, number];
  if (major < 1 || major > 3 || minor !== 0)
    throw new HadamardError({
      code: 'unsupported-format',
      what: `${path} is .npy of version ${major}.${minor}.`,
      position: { file: path, byte: 6 },
      rule: 'Versions are 1.0, 2.0 and 3.0 (NEP 1).',
      remedy: 'Save it again with numpy.save.',
    });
  const start = headerEnd(file);
  const header = file.toString('latin1', textStart(file), start);
  const descr = /'descr'\s*:\s*'([<>=|])([a-z]\d+)'/.exec(header);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header);
  const shapeText = /'shape'\s*:\s*\(([\d,\s]*)\)/.exec(header);
  if (file.length < start || !order || !shapeText)
    throw malformed(
      path,
      `The header of ${path} is truncated or damaged.`,
      { byte: 8 },
      'The header gives descr, fortran_order and shape (NEP 1).',
      'Save it again with numpy.save.',
    );
  const item = descr && items[descr[2] as string];
  if (!item)
    throw new HadamardError({
      code: 'unsupported-format',
      what: `${path} holds ${/'descr'\s*:\s*([^,}]*)/.exec(header)?.[1] ?? 'an unknown type'}.`,
      position: { file: path },
      rule: 'An array holds f4, f8, booleans or integers.',
      remedy: 'Convert it: numpy.save(path, array.astype("f8")).',
    });
  const shape = (shapeText[1] as string)
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
    .map(Number);
  return {
    start,
    bytes: shape.reduce((product, size) => product * size, item.bytes),
    item,
    shape,
    isLittle: descr[1] !== '>',
    isFortranOrder: order[1] === 'True',
    isSingle: descr[2] === 'f4',
    isLong: descr[2] === 'i8' || descr[2] === 'u8',
  };
}

/** After the magic word, the version and the length of the header, which has 2 bytes in version 1 and 4 later. */
const textStart = (file: Buffer): number => (file[6] === 1 ? 10 : 12);

function headerEnd(file: Buffer): number {
  const start = textStart(file);
  if (file.length < start) return start;
  return start + (start === 10 ? file.readUInt16LE(8) : file.readUInt32LE(8));
}

function wrongLength(path: string, file: Buffer, found: string): HadamardError {
  const { start, item, shape } = parseNpyHeader(path, file);
  return malformed(
    path,
    `${path} announces ${shape.join('×')} items of ${item.bytes} bytes and has ${found}.`,
    { byte: start },
    'The data is as long as the header says.',
    'The file seems truncated or changed: save or fetch it again.',
  );
}

function notNpy(path: string): HadamardError {
  return malformed(
    path,
    `${path} does not begin as .npy.`,
    { byte: 0 },
    'An .npy file begins with \\x93NUMPY and a version.',
    'Save it with numpy.save.',
  );
}

/** A two-dimensional .npy as a dense matrix; NaN is unobserved. */
export async function readNpyMatrix(path: string, memoryLimit?: number): Promise<Table> {
  return npyMatrix(path, await readNpy(path, memoryLimit));
}

/** @throws HadamardError `shape-mismatch` */
export function npyMatrix(path: string, { data, shape, isFortranOrder, rounded }: NpyArray): Table {
  const [rows = 0, columns = 0] = shape;
  if (shape.length !== 2 || rows === 0 || columns === 0)
    throw new HadamardError({
      code: 'shape-mismatch',
      what: `${path} has the shape (${shape.join(', ')}).`,
      position: { file: path },
      rule: 'A matrix has two dimensions, each at least 1.',
      remedy: 'Reshape it: numpy.save(path, array.reshape(rows, columns)).',
    });
  const notes = rounded > 0 ? [`${path}: ${rounded} integers beyond 2⁵³ are rounded to what float64 holds.`] : [];
  return { matrix: ndarray(data, [rows, columns], isFortranOrder ? [1, rows] : [columns, 1]), notes };
}

/** Writes {@link npyParts} to a file. */
export async function writeNpy(path: string, data: RealArray, shape: readonly number[]): Promise<void> {
  await writeFile(path, npyParts(data, shape));
}

/** Header and data of an .npy in C order, the data not copied. */
export function npyParts(
  data: RealArray | Int32Array | BigInt64Array,
  shape: readonly number[],
): [header: Buffer, data: Buffer] {
  const descr =
    data instanceof Float32Array
      ? '<f4'
      : data instanceof Float64Array
        ? '<f8'
        : data instanceof Int32Array
          ? '<i4'
          : '<i8';
  return [npyHeader(descr, shape), Buffer.from(data.buffer, data.byteOffset, data.byteLength)];
}

/** Version 1, padded so that the data begins at a multiple of 64. */
export function npyHeader(descr: string, shape: readonly number[]): Buffer {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const head = Buffer.alloc(10 + length, ' ');
  magic.copy(head);
  head.writeUInt8(1, 6);
  head.writeUInt8(0, 7);
  head.writeUInt16LE(length, 8);
  head.write(text, 10, 'latin1');
  head.write('\n', head.length - 1);
  return head;
}
