/**
 * Apache Parquet, through hyparquet and hyparquet-writer: columns that are no lists or records, one row group at a time. What
 * a file announces is checked before anything of that size is made (https://parquet.apache.org/docs/file-format/).
 */
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import {
  type AsyncBuffer,
  type ColumnChunk,
  type CompressionCodec,
  type Compressors,
  type FileMetaData,
  type ParquetParsers,
  parquetMetadataAsync,
  parquetRead,
  parquetSchema,
  type RowGroup,
  type SchemaElement,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { ByteWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';
import { HadamardError, isHadamardError } from '../errors.js';
import { type ByteFile, openBytes } from './byteFile.js';
import { type ColumnBatch, type ColumnSource, pandasIndex } from './columnSource.js';
import { firstTwice } from './columnTable.js';
import { excerpt } from './excerpt.js';
import { malformed } from './lines.js';
import type { Chunks, OutputColumns } from './output.js';
import { checkPages } from './parquetPages.js';
import { decimalOf, textOf, timeText } from './valueLabels.js';

/** Rows of a group are decoded together; writers make groups of 10⁵ to 10⁶. */
const mostGroupRows = 1 << 25;
/** Node's own are faster, and bounded by the length that the page announces. */
const unpackers: Compressors = {
  ...compressors,
  GZIP: (input, length) => gunzipSync(input, { maxOutputLength: Math.max(1, length) }),
  BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
};

/** Told to the library for every column: it would call no unpacker for what is not packed, and the page would go unchecked. */
const anyCodec = 'SNAPPY';

/** Times keep every digit, which a Date would not, and bytes that are no UTF-8 stay bytes. */
const parsers: Partial<ParquetParsers> = {
  timestampFromMilliseconds: (count) => timeText(BigInt(count), 1000n),
  timestampFromMicroseconds: (count) => timeText(BigInt(count), 1_000_000n),
  timestampFromNanoseconds: (count) => timeText(BigInt(count), 1_000_000_000n),
  stringFromBytes: (bytes) => bytes && textOf(bytes),
  dateFromDays: (days) => timeText(BigInt(days) * 86_400n, 1n),
};

/** @throws HadamardError `malformed-file`, `unsupported-format`, and as every file. */
export async function openParquet(path: string): Promise<ColumnSource> {
  const file = await openBytes(path);
  try {
    const buffer: AsyncBuffer = {
      byteLength: file.size,
      slice: async (start, end = file.size) => toArrayBuffer(await file.read(start, end)),
    };
    const metadata = await understood(path, () => metadataOf(path, file, buffer));
    const schema = await understood(path, async () => parquetSchema(metadata).children);
    const names = schema.map(({ element }) => element.name);
    const twice = firstTwice(names);
    if (twice !== undefined) throw sameName(path, twice);
    const isFlat = schema.map(
      ({ children, element }) => children.length === 0 && element.repetition_type !== 'REPEATED',
    );
    return {
      names,
      records: Number(metadata.num_rows),
      indexColumn: pandasIndex(metadata.key_value_metadata?.find(({ key }) => key === 'pandas')?.value),
      batches(places) {
        const nested = places.find((place) => !isFlat[place]);
        if (nested !== undefined) throw nestedColumn(path, names[nested] as string);
        return groups(
          path,
          file,
          metadata,
          places.map((place) => schema[place]?.element as SchemaElement),
        );
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function metadataOf(path: string, file: ByteFile, buffer: AsyncBuffer): Promise<FileMetaData> {
  const magic = file.size >= 12 ? await file.read(0, 4) : Buffer.alloc(0);
  if (magic.toString('latin1') !== 'PAR1')
    throw malformed(
      path,
      `${path} does not begin as Parquet.`,
      { byte: 0 },
      'A Parquet file begins and ends with PAR1.',
      'Check that it is the right file and whole.',
    );
  const metadata = await parquetMetadataAsync(buffer, { parsers, geoparquet: false });
  const rows = metadata.row_groups.reduce((sum, group) => sum + group.num_rows, 0n);
  if (metadata.row_groups.some((group) => group.num_rows < 0n) || rows !== metadata.num_rows)
    throw inconsistent(path, `announces ${metadata.num_rows} rows, and its groups ${rows}`);
  return metadata;
}

async function* groups(
  path: string,
  file: ByteFile,
  metadata: FileMetaData,
  elements: readonly SchemaElement[],
): AsyncGenerator<ColumnBatch> {
  for (const group of metadata.row_groups) {
    const length = Number(group.num_rows);
    if (length === 0) continue;
    yield await understood(path, async () => {
      checkLength(path, length);
      const chunks = new Map(
        group.columns
          .filter(({ meta_data }) => meta_data?.path_in_schema.length === 1)
          .map((chunk) => [chunk.meta_data?.path_in_schema[0] as string, chunk]),
      );
      const columns: ArrayLike<unknown>[] = [];
      for (const element of elements)
        columns.push(await readColumn(path, file, metadata, group, chunks.get(element.name), element));
      return { length, columns };
    });
  }
}

/** One column of a group, as if the file had no more than its pages. */
async function readColumn(
  path: string,
  file: ByteFile,
  metadata: FileMetaData,
  group: RowGroup,
  chunk: ColumnChunk | undefined,
  element: SchemaElement,
): Promise<ArrayLike<unknown>> {
  const rows = Number(group.num_rows);
  const name = excerpt(element.name);
  if (chunk?.meta_data === undefined) throw inconsistent(path, `has no column "${name}" in one of its groups`);
  const { dictionary_page_offset, ...meta } = chunk.meta_data;
  const start = Number(dictionary_page_offset || meta.data_page_offset);
  const bytes = await file.read(start, start + Number(meta.total_compressed_size));
  const { end, checkNext } = checkPages(bytes, meta, element.repetition_type !== 'REQUIRED', rows, (what) =>
    inconsistent(path, `has ${what} in column "${name}" of a group of ${rows} rows`),
  );
  const pages = toArrayBuffer(bytes.subarray(0, end));
  const unpack = unpackerOf(meta.codec);
  const parts: ArrayLike<unknown>[] = [];
  await parquetRead({
    file: { byteLength: end, slice: (from, to = end) => (to - from === end ? pages : pages.slice(from, to)) },
    metadata: {
      ...metadata,
      schema: [{ ...(metadata.schema[0] as SchemaElement), num_children: 1 }, undecoded(element)],
      num_rows: group.num_rows,
      row_groups: [
        {
          ...group,
          columns: [
            {
              ...chunk,
              meta_data: { ...meta, codec: anyCodec, data_page_offset: 0n, total_compressed_size: BigInt(end) },
            },
          ],
        },
      ],
    },
    compressors: {
      [anyCodec]: (input, length) => {
        const page = unpack(input, length);
        checkNext(page);
        return page;
      },
    },
    parsers,
    geoparquet: false,
    onChunk: ({ columnData }) => parts.push(columnData),
  });
  const values = joined(path, element.name, parts, rows);
  return isDecimal(element) ? Array.from(values, (value) => decimal(value, element.scale ?? 0)) : values;
}

function unpackerOf(codec: CompressionCodec): (input: Uint8Array, length: number) => Uint8Array {
  const unpack = codec === 'UNCOMPRESSED' ? (input: Uint8Array) => input : unpackers[codec];
  if (unpack === undefined) throw new Error(`unsupported compression codec: ${codec}`);
  return unpack;
}

/** Bytes of variable length would be taken for text, and stay with the library. */
const isDecimal = ({ converted_type, type }: SchemaElement): boolean =>
  converted_type === 'DECIMAL' && type !== 'BYTE_ARRAY';

/** The library would make a double of a decimal: ids that differ would become one. */
function undecoded(element: SchemaElement): SchemaElement {
  if (!isDecimal(element)) return element;
  const { converted_type: _, logical_type: __, ...stored } = element;
  return stored;
}

/** An integer, or its bytes, highest first. */
function decimal(value: unknown, scale: number): unknown {
  if (typeof value === 'number' || typeof value === 'bigint') return decimalOf(BigInt(value), scale);
  if (!(value instanceof Uint8Array)) return value;
  const unsigned = BigInt(`0x${Buffer.from(value).toString('hex') || '0'}`);
  return decimalOf(BigInt.asIntN(value.length * 8, unsigned), scale);
}

function checkLength(path: string, rows: number): void {
  if (rows <= mostGroupRows) return;
  throw new HadamardError({
    code: 'not-enough-memory',
    what: `${path} has a row group of ${rows} rows.`,
    position: { file: path },
    rule: `A row group is decoded as a whole, and has ${mostGroupRows} rows at most.`,
    remedy: 'Write it with smaller row groups: row_group_size=1000000.',
  });
}

function joined(path: string, name: string, parts: readonly ArrayLike<unknown>[], length: number): ArrayLike<unknown> {
  const found = parts.reduce((sum, part) => sum + part.length, 0);
  if (found !== length)
    throw inconsistent(path, `has ${found} values in column "${excerpt(name)}" of a group of ${length} rows`);
  return parts.length === 1 ? (parts[0] as ArrayLike<unknown>) : parts.flatMap((part) => Array.from(part));
}

/** Runs the decoder; whatever it throws is about the file. */
async function understood<T>(path: string, decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (error) {
    if (isHadamardError(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    if (/unsupported|not supported/i.test(reason))
      throw new HadamardError(
        {
          code: 'unsupported-format',
          what: `${path} cannot be decoded: ${reason}.`,
          position: { file: path },
          rule: 'Parquet pages are plain, dictionary, delta or split, uncompressed, snappy, gzip, zstd, brotli or lz4.',
          remedy: 'Write it anew, for example with pandas or DuckDB.',
        },
        { cause: error },
      );
    throw inconsistent(path, `cannot be decoded: ${reason}`);
  }
}

function inconsistent(path: string, what: string): HadamardError {
  return malformed(
    path,
    `${path} ${what}.`,
    {},
    'Pages, groups and footer of a Parquet file agree.',
    'The file seems truncated or changed: fetch it again.',
  );
}

function nestedColumn(path: string, name: string): HadamardError {
  return new HadamardError({
    code: 'unsupported-format',
    what: `Column "${excerpt(name)}" of ${path} holds lists or records.`,
    position: { file: path },
    rule: 'Rows, columns and values are single values.',
    remedy: 'Name other columns with --columns, or take the list apart: unnest in DuckDB, explode in pandas.',
  });
}

function toArrayBuffer(bytes: Buffer): ArrayBuffer {
  if (bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength) return bytes.buffer as ArrayBuffer;
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}

/** Labels as text, indices as INT64, numbers as DOUBLE, null for NaN; a row group a batch, snappy. */
export async function* parquetChunks({ columns, batches }: OutputColumns): Chunks {
  const types = { label: 'STRING', index: 'INT64', number: 'DOUBLE' } as const;
  const schema = schemaFromColumnData({
    columnData: columns.map(({ name, kind, isSparse }) => ({
      name,
      type: types[kind],
      nullable: isSparse === true,
      data: [],
    })),
  });
  const writer = new ByteWriter();
  const parquet = new ParquetWriter({ writer, schema });
  for await (const batch of batches) {
    const length = batch[0]?.length ?? 0;
    const columnData = columns.map(({ name, kind, isSparse }, c) => {
      const values = batch[c] as ArrayLike<string | number>;
      return {
        name,
        // Made when its turn comes, and not held for all columns.
        get data() {
          if (kind === 'index') return BigInt64Array.from(values as ArrayLike<number>, BigInt);
          return Array.from(values, (value) => (isSparse && Number.isNaN(value) ? null : value));
        },
      };
    });
    parquet.write({ columnData, rowGroupSize: Math.max(1, length) });
    yield taken(writer);
  }
  parquet.finish();
  yield taken(writer);
}

/** What was written since; the writer goes on from its start. */
function taken(writer: ByteWriter): Uint8Array {
  const bytes = writer.getBytes().slice();
  writer.index = 0;
  return bytes;
}

function sameName(path: string, name: string): HadamardError {
  return malformed(
    path,
    `Two columns of ${path} are named "${excerpt(name)}".`,
    {},
    'The columns of a Parquet file are read by their names.',
    'Rename one of the two.',
  );
}
