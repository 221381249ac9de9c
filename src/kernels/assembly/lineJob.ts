/** What the line parser is asked to do, and what it leaves behind: see kernels/lines.ts, which writes and reads it. */

/**
 * The labels of one side. What number a label has in the whole file is for the caller to say, who is told of labels that are new;
 * until it has, entries have the label's own mark in place of that number: see labelNumbers.ts.
 */
@unmanaged
export class LabelTable {
  /** u32 a plain integer below `limit`: its number + 1, which the caller writes; `isSeen`; 0 where it has not been met. */
  direct: usize;
  /** u32 a label in slots, the first `limit` of them, in order of first appearance: its number + 1, which the caller writes, or 0. */
  known: usize;
  limit: u32;
  /** Open addressing, 16 bytes a slot: see labelNumbers.ts. */
  slots: usize;
  /** Slots − 1. */
  mask: u32;
  /** Labels in slots. */
  hashed: u32;
  /** u32 each: the labels that are new since the list was begun; an integer as 2·integer + 1, others by their record. */
  fresh: usize;
  freshCount: u32;
  /** u32 each: entries that have a mark in place of a number. */
  late: usize;
  lateCount: u32;
}

/** A label in slots: its place among them, its length and, behind it, its bytes with zeros up to a multiple of 8. */
@unmanaged
export class LabelRecord {
  place: u32;
  length: u32;
}

@unmanaged
export class LineJob {
  /** The next byte to be read, and the one behind the last; a line end stands before that. */
  at: usize;
  end: usize;
  delimiter: u32;
  /** 1: the delimiter is two of that byte. */
  isDouble: u32;
  /** Fields, from 0; weight is −1 where there is none. */
  row: i32;
  column: i32;
  value: i32;
  weight: i32;
  /** A line has `needed` … `width` fields. */
  needed: i32;
  width: i32;
  /** Two addresses a needed field. */
  fields: usize;
  /** Address and length of both labels of 64 entries. */
  labels: usize;
  /** u32, u32, f64 and f64 an entry. */
  rows: usize;
  columns: usize;
  values: usize;
  weights: usize;
  /** Entries and line ends so far. */
  entries: u32;
  lines: u32;
  /** {@link LabelTable}s. */
  rowLabels: usize;
  columnLabels: usize;
  /** Where the next record goes, and the end of the room for records. */
  records: usize;
  recordsEnd: usize;
  /** u32 (entry, line) each: entries before which there were empty lines. */
  gaps: usize;
  gapCount: u32;
  gapCapacity: u32;
  /** 1: the last line was empty. */
  isAfterGap: u32;
  /** u32 (entry, isWeight, address, length) each: numbers that are left to the caller. */
  slow: usize;
  slowCount: u32;
  slowCapacity: u32;
  /** 10⁰ … 10²², f64. */
  powers: usize;
  /** All ones; fewer make different labels collide. */
  hashMask: u32;
  /** Of no meaning. */
  touched: u32;
}
