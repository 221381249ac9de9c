/**
 * Arrow IPC, through apache-arrow: files (.arrow, .feather version 2) and streams, one record batch at a
 * time (https://arrow.apache.org/docs/format/Columnar.html).
 */
import type { FileHandle } from 'node:fs/promises';
import {
  AsyncByteQueue,
  CompressionType,
  compressionRegistry,
  type Data,
  DataType,
  DateUnit,
  Field,
  Float64,
  Int64,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  RecordBatchReader,
  Schema,
  Struct,
  type TimeUnit,
  Utf8,
  Vector,
  vectorFromArray,
} from 'apache-arrow';
import { decompressZstd } from 'hyparquet-compressors';
import { HadamardError, isHadamardError } from '../errors.js';
import { checkFile, checkStream } from './arrowMessages.js';
import { type ByteFile, openBytes } from './byteFile.js';
import { type ColumnBatch, type ColumnSource, pandasIndex } from './columnSource.js';
import { excerpt } from './excerpt.js';
import { malformed } from './lines.js';
import { unpackLz4 } from './lz4.js';
import type { Chunks, OutputColumns } from './output.js';
import { decimalOf, textOf, timeText } from './valueLabels.js';

const magic = 'ARROW1';
/** A length beyond it is none: the file is of another kind. */
const longestSchema = 1 << 28;

/** @throws HadamardError `malformed-file`, `unsupported-format`, and as every file. */
export async function openArrow(path: string): Promise<ColumnSource> {
  // The library has no codecs of its own; those that its host has set stay.
  if (!compressionRegistry.get(CompressionType.LZ4_FRAME))
    compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: unpackLz4 });
  if (!compressionRegistry.get(CompressionType.ZSTD))
    compressionRegistry.set(CompressionType.ZSTD, { decode: unpackZstd });
  const file = await openBytes(path);
  try {
    const footer = await footerLength(path, file);
    const reader = await understood(path, async () => {
      await (footer === undefined ? checkStream(file) : checkFile(file, footer));
      return (await RecordBatchReader.from(asHandle(file))).open();
    });
    const { fields, metadata } = unsearched(reader.schema);
    if (fields.some(({ name }) => typeof name !== 'string')) throw broken(path, 'has a column without a name');
    return {
      names: fields.map(({ name }) => name),
      indexColumn: pandasIndex(metadata.get('pandas')),
      batches: (places) => batches(path, reader, fields, places),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** A file as the library reads one, at any place: only what is there is ever read. */
function asHandle(file: ByteFile): FileHandle {
  return {
    fd: 0,
    stat: async () => ({ size: file.size }),
    async read(buffer: Uint8Array, offset: number, length: number, position: number) {
      const bytes = await file.read(position, Math.min(file.size, position + length));
      buffer.set(bytes, offset);
      return { bytesRead: bytes.length, buffer };
    },
    close: async () => undefined,
  } as unknown as FileHandle;
}

/** Of a file, which has its magic word at both ends; undefined for a stream, which begins with the length of its schema. */
async function footerLength(path: string, file: ByteFile): Promise<number | undefined> {
  const head = await file.read(0, Math.min(8, file.size));
  if (head.toString('latin1', 0, 4) === 'FEA1') throw oldFeather(path);
  if (head.toString('latin1', 0, magic.length) !== magic) {
    const first = head.length === 8 ? head.readInt32LE(0) : 0;
    if (first === -1 || (first > 0 && first < longestSchema)) return undefined;
    throw noArrow(path);
  }
  const tail = file.size >= 24 ? await file.read(file.size - 10, file.size) : Buffer.alloc(10);
  const length = tail.readInt32LE(0);
  if (tail.toString('latin1', 4) !== magic || length <= 0 || length > file.size - 18)
    throw broken(path, 'ends before its footer');
  return length;
}

/** A copy where the bytes do not begin as numbers of 8 bytes must. */
function unpackZstd(bytes: Uint8Array): Uint8Array {
  const unpacked = decompressZstd(bytes);
  return unpacked.byteOffset % 8 === 0 ? unpacked : unpacked.slice();
}

async function* batches(
  path: string,
  reader: RecordBatchReader,
  fields: readonly Field[],
  places: readonly number[],
): AsyncGenerator<ColumnBatch> {
  for (const place of places) checkType(path, fields[place] as Field);
  const iterator = (reader as AsyncIterable<RecordBatch>)[Symbol.asyncIterator]();
  let count = 0;
  for (;;) {
    const batch = await understood(path, async () => {
      const { done, value } = await iterator.next();
      if (done) return undefined;
      const length = value.numRows;
      // An empty table has one batch without buffers, which the file need not hold.
      if (length === 0) return { length, columns: [] };
      const columns = places.map((place) => valuesOf(path, fields[place] as Field, value.getChildAt(place), length));
      return { length, columns };
    });
    if (batch === undefined) break;
    count++;
    if (batch.length > 0) yield batch;
  }
  if (reader.isFile() && count < reader.numRecordBatches)
    throw broken(path, `announces ${reader.numRecordBatches} batches and has ${count}`);
}

/** The values of a column: none is left to be decoded twice. */
function valuesOf(path: string, field: Field, vector: Vector | null, length: number): ArrayLike<unknown> {
  const data = vector?.data[0];
  if (vector === null || data === undefined || data.length !== length || !isWhole(data))
    throw broken(path, `has a column "${excerpt(field.name)}" shorter than its batch`);
  const { type } = data;
  if (DataType.isDictionary(type)) {
    const words = (data.dictionary?.data ?? []).flatMap((part) => Array.from(valuesOfData(part)));
    return mapped(vector, length, (i) => words[data.values[i]]);
  }
  return valuesOfData(data);
}

/** null where a value is none. */
function valuesOfData(data: Data): ArrayLike<unknown> {
  const { type, length } = data;
  if (!isWhole(data)) throw new Error('a list of values is shorter than it says');
  const vector = new Vector([data]);
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) {
    const at = (i: number) => Number(data.valueOffsets[i]);
    return mapped(vector, length, (i) => textOf(data.values.subarray(at(i), at(i + 1))));
  }
  if (DataType.isTimestamp(type)) {
    const perSecond = [1n, 1000n, 1_000_000n, 1_000_000_000n][type.unit as TimeUnit] as bigint;
    return mapped(vector, length, (i) => timeText(BigInt(data.values[i]), perSecond));
  }
  if (DataType.isDate(type)) {
    const isDay = type.unit === DateUnit.DAY;
    return mapped(vector, length, (i) =>
      isDay ? timeText(BigInt(data.values[i]) * 86_400n, 1n) : timeText(BigInt(data.values[i]), 1000n),
    );
  }
  if (DataType.isDecimal(type)) {
    const words = type.bitWidth / 32;
    return mapped(vector, length, (i) =>
      decimalOf(integerOf(data.values.subarray(i * words, (i + 1) * words)), type.scale),
    );
  }
  if (data.nullCount === 0 && (DataType.isInt(type) || (DataType.isFloat(type) && type.precision > 0)))
    return data.values.subarray(0, length);
  return mapped(vector, length, (i) => vector.get(i));
}

function mapped(vector: Vector, length: number, read: (index: number) => unknown): unknown[] {
  return Array.from({ length }, (_, i) => (vector.isValid(i) ? read(i) : null));
}

/** Whether the buffers hold as many values as the batch says: nothing else says how many there are. */
function isWhole(data: Data): boolean {
  const { type, length, values, valueOffsets, nullBitmap } = data;
  if (data.nullCount > 0 && nullBitmap.length * 8 < length) return false;
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type))
    return valueOffsets.length > length && Number(valueOffsets[length]) <= values.length;
  if (DataType.isBool(type)) return values.length * 8 >= length;
  if (DataType.isDecimal(type)) return values.length >= (length * type.bitWidth) / 32;
  return values.length >= length;
}

/** Two's complement in 32-bit words, lowest first. */
function integerOf(words: Uint32Array): bigint {
  const unsigned = words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n);
  return BigInt.asIntN(words.length * 32, unsigned);
}

function checkType(path: string, { name, type }: Field): void {
  const of = DataType.isDictionary(type) ? type.dictionary : type;
  const isKnown = [
    DataType.isInt,
    DataType.isFloat,
    DataType.isBool,
    DataType.isUtf8,
    DataType.isLargeUtf8,
    DataType.isDate,
    DataType.isTimestamp,
    DataType.isDecimal,
  ].some((is) => is(of));
  if (isKnown) return;
  throw new HadamardError({
    code: 'unsupported-format',
    what: `Column "${excerpt(name)}" of ${path} is of the type ${String(of)}.`,
    position: { file: path },
    rule: 'Columns hold numbers, text, booleans, dates or times.',
    remedy: 'Name other columns with --columns, or convert it: cast in pyarrow.',
  });
}

/** Runs the decoder; whatever it throws is about the file. */
async function understood<T>(path: string, decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (error) {
    if (isHadamardError(error)) throw error;
    throw broken(path, `cannot be decoded: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function broken(path: string, what: string): HadamardError {
  return malformed(
    path,
    `${path} ${what}.`,
    {},
    'Messages of Arrow IPC are complete, and a file ends in a footer.',
    'The file seems truncated or changed: fetch it again.',
  );
}

function noArrow(path: string): HadamardError {
  return malformed(
    path,
    `${path} does not begin as Arrow IPC.`,
    { byte: 0 },
    'A file begins with ARROW1, a stream with the length of its schema.',
    'Check that it is the right file and whole.',
  );
}

function oldFeather(path: string): HadamardError {
  return new HadamardError({
    code: 'unsupported-format',
    what: `${path} is Feather of version 1.`,
    position: { file: path, byte: 0 },
    rule: 'Feather files are of version 2, which is Arrow IPC.',
    remedy: 'Write it anew: pyarrow.feather.write_feather(pyarrow.feather.read_table(path), path).',
  });
}

/** An IPC file: labels as utf8, indices as int64, numbers as float64, null for NaN; a record batch a batch. */
export async function* arrowChunks({ columns, batches }: OutputColumns): Chunks {
  const schema = unsearched(
    new Schema(columns.map(({ name, kind, isSparse }) => new Field(name, arrowTypes[kind](), isSparse === true))),
  );
  const writer = new RecordBatchFileWriter();
  const sink = new Sink();
  writer.reset(sink, schema);
  for await (const batch of batches) {
    const length = batch[0]?.length ?? 0;
    const children = columns.map(({ kind, isSparse }, c) => {
      const values = batch[c] as ArrayLike<string | number>;
      if (kind === 'index') return vectorOf(BigInt64Array.from(values as ArrayLike<number>, BigInt), new Int64());
      if (kind === 'label') return vectorOf(Array.from(values), new Utf8());
      if (!isSparse) return vectorOf(Float64Array.from(values as ArrayLike<number>), new Float64());
      return vectorOf(
        Array.from(values, (value) => (Number.isNaN(value) ? null : value)),
        new Float64(),
      );
    });
    writer.write(new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length, children })));
    yield sink.taken();
  }
  writer.finish();
  yield sink.taken();
}

/** Holds what was written until it is taken. The library's own queue is never full, and slow where it is long. */
class Sink extends AsyncByteQueue {
  #pieces: Uint8Array[] = [];

  override write(piece: Uint8Array): void {
    this.#pieces.push(piece);
  }

  taken(): Buffer {
    const bytes = Buffer.concat(this.#pieces);
    this.#pieces = [];
    return bytes;
  }
}

/** A schema that is not held against itself, name by name, at every batch: with a million columns that takes hours. */
function unsearched<T extends Schema>(schema: T): T {
  schema.assign = () => schema as never;
  return schema;
}

const arrowTypes = { label: () => new Utf8(), index: () => new Int64(), number: () => new Float64() };

function vectorOf(values: readonly unknown[] | BigInt64Array | Float64Array, type: DataType): Data {
  return vectorFromArray(values as readonly unknown[], type).data[0] as Data;
}
