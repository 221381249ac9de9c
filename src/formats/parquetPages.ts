/**
 * The pages of one column of a row group: what they announce is held against the group, and what they hold against what they
 * announce, before the library decodes them: it takes every count that it reads for true.
 */
import type { ColumnMetaData, Encoding, PageHeader } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { deltaBinaryUnpack } from 'hyparquet/src/delta.js';
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';
import { checkDeltaHeader, checkRuns } from './parquetRuns.js';

/** A page is unpacked as a whole; writers make pages of 1 MiB. */
const mostPageBytes = 1 << 30;

/** What a page, unpacked, is checked against. */
interface Page {
  /** Values, nulls among them. */
  readonly count: number;
  /** Those that are no nulls, where the header says how many. */
  readonly present: number | undefined;
  /** None for the page of a dictionary. */
  readonly encoding: Encoding | undefined;
  /** Whether it begins with a level for each value: 1, or 0 for a null. */
  readonly hasLevels: boolean;
  /** Whether its runs are bits after their length, or begin with their width. */
  readonly areBits: boolean;
}

export interface CheckedPages {
  /** Where the last page of the group ends in the bytes. */
  readonly end: number;
  /** To be called with each page that the library has unpacked, in their order. @throws Error where it does not hold what it announces. */
  readonly checkNext: (unpacked: Uint8Array) => void;
}

/**
 * Walks the page headers of a column chunk, as the library will.
 * @param isNullable whether the column has definition levels
 * @throws Error made by `fault` from what does not hold, or another where the bytes are no pages.
 */
export function checkPages(
  bytes: Uint8Array,
  { type }: ColumnMetaData,
  isNullable: boolean,
  rows: number,
  fault: (what: string) => Error,
): CheckedPages {
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset: 0 };
  const unpackedLater: Page[] = [];
  let values = 0;
  while (reader.offset < bytes.length && values < rows) {
    const header = parquetHeader(reader);
    const { compressed_page_size: packed, uncompressed_page_size: unpacked } = header;
    const { count, encoding, present } = contentOf(header, isNullable);
    const isDictionary = header.type === 'DICTIONARY_PAGE';
    if (!isDictionary) values += count;
    // A value of a dictionary takes a bit of its page at least; those of other pages are counted by the group.
    const isTooMany = isDictionary ? count > unpacked * 8 : values > rows;
    if (!(packed >= 0 && unpacked >= 0 && count >= 0) || isTooMany || unpacked > mostPageBytes)
      throw fault(`a page of ${count} values and ${unpacked} bytes`);
    const end = reader.offset + packed;
    if (end > bytes.length) throw fault(`a page of ${packed} bytes, and ends before`);
    const own = bytes.subarray(reader.offset, end);
    reader.offset = end;
    const isV2 = header.type === 'DATA_PAGE_V2';
    const page = {
      count,
      present,
      encoding,
      hasLevels: isNullable && header.type === 'DATA_PAGE',
      areBits: isV2 ? encoding === 'RLE' : type === 'BOOLEAN',
    };
    const rest = isV2 ? afterLevels(header, own, isNullable, fault) : undefined;
    if (rest) checkPage(page, rest);
    else unpackedLater.push(page);
  }
  if (values !== rows) throw fault(`${values} values`);
  let next = 0;
  return { end: reader.offset, checkNext: (page) => checkPage(unpackedLater[next++] as Page, page) };
}

function contentOf(header: PageHeader, isNullable: boolean): Pick<Page, 'count' | 'present' | 'encoding'> {
  const { type, data_page_header: v1, data_page_header_v2: v2, dictionary_page_header: dictionary } = header;
  if (type === 'DATA_PAGE' && v1)
    return { count: v1.num_values, present: isNullable ? undefined : v1.num_values, encoding: v1.encoding };
  if (type === 'DATA_PAGE_V2' && v2)
    return { count: v2.num_values, present: v2.num_values - v2.num_nulls, encoding: v2.encoding };
  if (type === 'DICTIONARY_PAGE' && dictionary)
    return { count: dictionary.num_values, present: dictionary.num_values, encoding: undefined };
  throw new Error(`a page of type ${type} without values`);
}

/**
 * The levels of a page of the second version stand before its packed part.
 * @returns that part, where the library takes it as it is.
 */
function afterLevels(
  { uncompressed_page_size: unpacked, data_page_header_v2: header }: PageHeader,
  bytes: Uint8Array,
  isNullable: boolean,
  fault: (what: string) => Error,
): Uint8Array | undefined {
  if (header === undefined) return undefined;
  const { num_values: count, num_nulls: nulls, is_compressed } = header;
  const { repetition_levels_byte_length: before, definition_levels_byte_length: length } = header;
  const end = before + length;
  if (!(before >= 0 && length >= 0 && end <= unpacked && end <= bytes.length && nulls >= 0 && nulls <= count))
    throw fault(`a page of ${count} values and ${nulls} nulls, with levels of ${before} and ${length} bytes`);
  if (isNullable) checkLevels(bytes, before, end, count);
  // The library calls no unpacker for nothing.
  return is_compressed === false || unpacked === end ? bytes.subarray(isNullable ? end : before) : undefined;
}

function checkLevels(bytes: Uint8Array, start: number, end: number, count: number): void {
  if (end > bytes.length) throw new Error(`levels of ${end - start} bytes in a page of ${bytes.length}`);
  const seen = checkRuns(bytes, start, end, 1, count);
  if (seen < count) throw new Error(`levels of ${seen} values in a page of ${count}`);
}

function checkPage({ count, present, encoding, hasLevels, areBits }: Page, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  if (hasLevels) {
    at = 4 + view.getUint32(0, true);
    checkLevels(bytes, 4, at, count);
  }
  if (encoding === 'RLE' || encoding === 'PLAIN_DICTIONARY' || encoding === 'RLE_DICTIONARY') {
    const width = areBits ? 1 : view.getUint8(at);
    checkRuns(bytes, at + (areBits ? 4 : 1), bytes.length, width, present ?? count);
  } else if (encoding?.startsWith('DELTA_')) {
    checkDeltas(view, bytes, at, present ?? ones(view, count), encoding === 'DELTA_BYTE_ARRAY');
  }
}

/** The values that are no nulls, by the levels at the start of a page. */
function ones(view: DataView, count: number): number {
  const levels = new Array<number>(count);
  readRleBitPackedHybrid({ view, offset: 0 }, 1, levels);
  return levels.reduce((sum, level) => sum + (level === 1 ? 1 : 0), 0);
}

/** Texts may begin as the one before: then no further than that goes. */
function checkDeltas(view: DataView, bytes: Uint8Array, start: number, count: number, arePrefixed: boolean): void {
  if (count === 0) return;
  checkDeltaHeader(bytes, start);
  if (!arePrefixed) return;
  const reader = { view, offset: start };
  const shared = new Int32Array(count);
  deltaBinaryUnpack(reader, count, shared);
  checkDeltaHeader(bytes, reader.offset);
  const own = new Int32Array(count);
  deltaBinaryUnpack(reader, count, own);
  let length = 0;
  for (let i = 0; i < count; i++) {
    const common = shared[i] as number;
    if (!(common >= 0 && common <= length)) throw new Error(`a text that shares ${common} bytes with one of ${length}`);
    length = common + (own[i] as number);
  }
}
