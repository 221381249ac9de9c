/**
 * Lines of row, column, value and maybe weight from bytes. What is not plainly an entry (a quote, a field too many or too
 * few, an empty label) is not judged here: the parser stops, and the file is for a reader that says what is wrong.
 */
import { isLate, knownOf, numberOf, touchSlot } from "./labelNumbers";
import { LabelTable, LineJob } from "./lineJob";

/** All is read. */
const done: i32 = 0;
/** There may be too little room for the labels or slow numbers of one line more: make some and call again. */
const full: i32 = 1;
const unusual: i32 = 2;

const newline: u32 = 10;
const space: u8 = 32;
const quote: u32 = 34;

/** A longer label is unusual. */
const longestLabel: u32 = 1 << 12;
/** Entries whose labels are numbered together: looks at memory that wait for none before them are made at the same time. */
const batch: u32 = 64;
/** The slots of so many labels stay in the cache. */
const fewLabels: u32 = 1 << 12;
/** Records of both labels of every line of a batch. */
const batchRecords: usize = <usize>batch * 2 * (8 + <usize>longestLabel + 8);

/** Reads lines up to the job's end; up to 64 bytes behind that are readable. */
export function parseLines(job: LineJob): i32 {
  const delimiter = job.delimiter;
  const isDouble = job.isDouble != 0;
  const isSpace = delimiter == <u32>space;
  const isPlain = !isDouble && !isSpace;
  const fields = job.fields;
  const end = job.end;
  const needed = job.needed;
  const delimiters = i8x16.splat(<i8>delimiter);
  const newlines = i8x16.splat(<i8>newline);
  const quotes = i8x16.splat(<i8>quote);
  const rowLabels = changetype<LabelTable>(job.rowLabels);
  const columnLabels = changetype<LabelTable>(job.columnLabels);

  let block = job.at;
  let marks = marksOf(block, delimiters, newlines, quotes);
  let taken: u32 = 0;
  while (job.at < end) {
    if (taken == batch) {
      numberLabels(job, rowLabels, columnLabels, taken);
      taken = 0;
    }
    if (
      taken == 0 &&
      (job.recordsEnd - job.records < batchRecords ||
        isFull(rowLabels) ||
        isFull(columnLabels) ||
        job.slowCount + 2 * batch > job.slowCapacity)
    )
      return full;
    let start = job.at;
    let field = 0;
    let last: usize = 0;
    for (;;) {
      while (marks == 0) {
        block += 64;
        marks = marksOf(block, delimiters, newlines, quotes);
      }
      const mark = block + <usize>ctz(marks);
      marks &= marks - 1;
      const byte = <u32>load<u8>(mark);
      if (byte == delimiter) {
        if (!isPlain) {
          if (isSpace) {
            if (mark == start) {
              start++;
              continue;
            }
          } else if (mark < start || load<u8>(mark, 1) != <u8>delimiter) continue;
        }
        if (field < needed) setField(fields, field, start, mark);
        field++;
        start = mark + 1 + <usize>isDouble;
      } else if (byte == newline) {
        last = mark;
        break;
      } else return unusual;
    }
    const next = last + 1;
    if (last > job.at && load<u8>(last - 1) == 13) last--;
    if (start < last || (!isSpace && last > job.at)) {
      if (field < needed) setField(fields, field, start, last);
      field++;
    }
    if (field < needed) {
      if (field > 1 || (field == 1 && load<usize>(fields) != load<usize>(fields, 4))) return unusual;
      job.isAfterGap = 1;
    } else {
      if (field > job.width) return unusual;
      if (!takeEntry(job, job.labels + (<usize>taken << 4))) return unusual;
      taken++;
      if (job.isAfterGap != 0 && !addGap(job)) return unusual;
      job.entries++;
    }
    job.lines++;
    job.at = next;
  }
  numberLabels(job, rowLabels, columnLabels, taken);
  return done;
}

/** One bit a byte of 64 that ends a field or a line, or is a quote. */
// @ts-ignore: decorator
@inline
function marksOf(block: usize, delimiters: v128, newlines: v128, quotes: v128): u64 {
  return (
    marksOf16(v128.load(block), delimiters, newlines, quotes) |
    (marksOf16(v128.load(block, 16), delimiters, newlines, quotes) << 16) |
    (marksOf16(v128.load(block, 32), delimiters, newlines, quotes) << 32) |
    (marksOf16(v128.load(block, 48), delimiters, newlines, quotes) << 48)
  );
}

// @ts-ignore: decorator
@inline
function marksOf16(bytes: v128, delimiters: v128, newlines: v128, quotes: v128): u64 {
  return <u64>(<u32>i8x16.bitmask(v128.or(v128.or(i8x16.eq(bytes, delimiters), i8x16.eq(bytes, newlines)), i8x16.eq(bytes, quotes))));
}

/** Notes where a field stands, spaces around it left out. */
// @ts-ignore: decorator
@inline
function setField(fields: usize, field: i32, start: usize, end: usize): void {
  while (start < end && load<u8>(start) == space) start++;
  while (end > start && load<u8>(end - 1) == space) end--;
  store<usize>(fields + (<usize>field << 3), start);
  store<usize>(fields + (<usize>field << 3), end, 4);
}

// @ts-ignore: decorator
@inline
function isFull(table: LabelTable): bool {
  return (table.hashed + batch) * 4 > table.mask * 3;
}

/** @returns false where there is no room. */
function addGap(job: LineJob): bool {
  if (job.gapCount == job.gapCapacity) return false;
  job.isAfterGap = 0;
  const gap = job.gaps + (<usize>job.gapCount << 3);
  store<u32>(gap, job.entries);
  store<u32>(gap, job.lines, 4);
  job.gapCount++;
  return true;
}

/** @returns false where a label is empty or too long; else it is noted at `labels`. */
// @ts-ignore: decorator
@inline
function takeEntry(job: LineJob, labels: usize): bool {
  const row = job.fields + (<usize>job.row << 3);
  const column = job.fields + (<usize>job.column << 3);
  const rowStart = load<usize>(row), columnStart = load<usize>(column);
  const rowLength = <u32>(load<usize>(row, 4) - rowStart), columnLength = <u32>(load<usize>(column, 4) - columnStart);
  // 0 wraps around.
  if (rowLength - 1 >= longestLabel || columnLength - 1 >= longestLabel) return false;
  store<usize>(labels, rowStart);
  store<u32>(labels, rowLength, 4);
  store<usize>(labels, columnStart, 8);
  store<u32>(labels, columnLength, 12);
  const t = <usize>job.entries;
  takeNumber(job, job.value, job.values + (t << 3), 0);
  if (job.weight >= 0) takeNumber(job, job.weight, job.weights + (t << 3), 1);
  return true;
}

/** Numbers the labels of the last `count` entries. */
function numberLabels(job: LineJob, rowLabels: LabelTable, columnLabels: LabelTable, count: u32): void {
  numberSide(job, rowLabels, job.labels, job.rows, count);
  numberSide(job, columnLabels, job.labels + 8, job.columns, count);
}

/** Those of one side, noted from `labels` on, in passes that each look at one place in memory for all. */
function numberSide(job: LineJob, table: LabelTable, labels: usize, numbers: usize, count: u32): void {
  if (table.hashed > fewLabels) touchSlots(job, table, labels, count);
  const first = <usize>(job.entries - count);
  const last = <usize>job.entries;
  let marks: u32 = 0;
  for (let t = first; t < last; t++, labels += 16) {
    const number = numberOf(job, table, load<usize>(labels), load<u32>(labels, 4));
    store<u32>(numbers + (t << 2), number);
    marks |= number;
  }
  if (marks >= isLate) settleMarks(table, numbers, first, last);
}

/** Puts numbers in the place of marks, as far as they are known, and lists the entries where they are not. */
function settleMarks(table: LabelTable, numbers: usize, first: usize, last: usize): void {
  for (let t = first; t < last; t++) {
    const mark = load<u32>(numbers + (t << 2));
    if (mark < isLate) continue;
    const number = knownOf(table, mark);
    store<u32>(numbers + (t << 2), number);
    if (number < isLate) continue;
    store<u32>(table.late + (<usize>table.lateCount << 2), <u32>t);
    table.lateCount++;
  }
}

/** Brings the slots of the labels that are noted from `label` on into the cache. */
function touchSlots(job: LineJob, table: LabelTable, label: usize, count: u32): void {
  let touched: u32 = 0;
  for (let i: usize = 0; i < <usize>count; i++, label += 16)
    touched += touchSlot(job, table, load<usize>(label), load<u32>(label, 4));
  // Without a use the compiler would leave the looks out.
  job.touched = touched;
}

/**
 * A decimal number of up to 2⁵³ with an exponent of at most 22 either way: one exact multiplication or division, rounded
 * once (W. D. Clinger 1990). All else is left to the caller.
 */
// @ts-ignore: decorator
@inline
function takeNumber(job: LineJob, field: i32, to: usize, isWeight: u32): void {
  const start = load<usize>(job.fields + (<usize>field << 3));
  const end = load<usize>(job.fields + (<usize>field << 3), 4);
  let at = start;
  let byte: u32 = at < end ? load<u8>(at) : 0;
  const isNegative = byte == 45;
  if (isNegative || byte == 43) at++;
  const first = at;
  let mantissa: u64 = 0;
  for (; at < end; at++) {
    byte = <u32>load<u8>(at) - 48;
    if (byte > 9) break;
    mantissa = mantissa * 10 + byte;
  }
  let digits = <i32>(at - first);
  let exponent = 0;
  if (at < end && load<u8>(at) == 46) {
    const point = ++at;
    for (; at < end; at++) {
      byte = <u32>load<u8>(at) - 48;
      if (byte > 9) break;
      mantissa = mantissa * 10 + byte;
    }
    exponent = <i32>(point - at);
    digits -= exponent;
  }
  if (at < end && digits > 0 && (load<u8>(at) | 32) == 101) {
    at++;
    const sign: u32 = at < end ? load<u8>(at) : 0;
    if (sign == 45 || sign == 43) at++;
    const from = at;
    let power = 0;
    // Three digits at most: no overflow, and nothing that is exact has more.
    for (; at < end && at - from < 3; at++) {
      byte = <u32>load<u8>(at) - 48;
      if (byte > 9) break;
      power = power * 10 + <i32>byte;
    }
    if (at == from) digits = 0;
    exponent += sign == 45 ? -power : power;
  }
  // 19 digits do not overflow 64 bits.
  if (at == end && digits - 1 < 19 && digits > 0 && mantissa <= 1 << 53 && exponent >= -22 && exponent <= 22) {
    let value = <f64>mantissa;
    if (exponent < 0) value /= load<f64>(job.powers + (<usize>-exponent << 3));
    else if (exponent > 0) value *= load<f64>(job.powers + (<usize>exponent << 3));
    store<f64>(to, isNegative ? -value : value);
    return;
  }
  const slow = job.slow + (<usize>job.slowCount << 4);
  store<u32>(slow, job.entries);
  store<u32>(slow, isWeight, 4);
  store<u32>(slow, <u32>start, 8);
  store<u32>(slow, <u32>(end - start), 12);
  job.slowCount++;
}
