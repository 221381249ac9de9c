/** Numbers labels by their bytes: plain integers through a table by value, others through a hash that is confirmed byte by byte. */
import { LabelRecord, LabelTable, LineJob } from "./lineJob";

const zeros: u64 = 0x3030303030303030;

/** The number of the label of `length` ≥ 1 bytes at `start`, the next free one if it is new. 8 bytes behind it are readable. */
// @ts-ignore: decorator
@inline
export function numberOf(job: LineJob, table: LabelTable, start: usize, length: u32): u32 {
  if (length < 8) {
    // Digits to the upper end, zeros before them: eight digits, whatever the length.
    const word = (load<u64>(start) << (64 - (length << 3))) | (zeros >> (length << 3));
    const isDigits = (((word & 0xf0f0f0f0f0f0f0f0) ^ zeros) | (((word + 0x0606060606060606) & 0xf0f0f0f0f0f0f0f0) ^ zeros)) == 0;
    // A leading zero would make two labels of one value.
    if (isDigits && (length == 1 || load<u8>(start) != 48)) {
      let x = (word & 0x0f0f0f0f0f0f0f0f) * 2561 >> 8;
      x = (x & 0x00ff00ff00ff00ff) * 6553601 >> 16;
      const integer = <u32>((x & 0x0000ffff0000ffff) * 42949672960001 >> 32);
      if (integer < table.directLimit) {
        const place = table.direct + (<usize>integer << 2);
        const known = load<u32>(place);
        if (known != 0) return known - 1;
        store<u32>(place, table.labels + 1);
        return keep(job, table, start, length).number;
      }
    }
  }
  return hashedNumber(job, table, start, length);
}

function hashedNumber(job: LineJob, table: LabelTable, start: usize, length: u32): u32 {
  const hash = hashOf(start, length) & job.hashMask;
  let slot = hash & table.mask;
  for (;;) {
    const known = load<u64>(table.slots + (<usize>slot << 3));
    if (known == 0) break;
    if (<u32>known == hash) {
      const record = changetype<LabelRecord>(<usize>(known >> 32));
      if (record.length == length && isSame(<usize>(known >> 32) + offsetof<LabelRecord>(), start, length)) return record.number;
    }
    slot = (slot + 1) & table.mask;
  }
  const record = keep(job, table, start, length);
  store<u64>(table.slots + (<usize>slot << 3), (<u64>changetype<usize>(record) << 32) | <u64>hash);
  table.hashed++;
  return record.number;
}

/** The last 1 to 8 bytes of a label, zeros behind them. */
// @ts-ignore: decorator
@inline
function tailOf(at: usize, length: u32): u64 {
  return load<u64>(at) & (<u64>-1 >> (64 - (length << 3)));
}

/** Multiplied and folded, eight bytes at a time (the constant is 2⁶⁴ divided by the golden ratio). */
function hashOf(start: usize, length: u32): u32 {
  let hash: u64 = length;
  let left = length;
  let at = start;
  for (; left > 8; left -= 8, at += 8) {
    hash = (hash ^ load<u64>(at)) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 32;
  }
  hash = (hash ^ tailOf(at, left)) * 0x9e3779b97f4a7c15;
  return <u32>(hash >> 32) ^ <u32>hash;
}

/** Whether the bytes of a record are these. */
// @ts-ignore: decorator
@inline
function isSame(kept: usize, start: usize, length: u32): bool {
  let left = length;
  for (; left > 8; left -= 8, kept += 8, start += 8) if (load<u64>(kept) != load<u64>(start)) return false;
  return load<u64>(kept) == tailOf(start, left);
}

/** Makes the record of a new label; there is room for it. */
function keep(job: LineJob, table: LabelTable, start: usize, length: u32): LabelRecord {
  const record = changetype<LabelRecord>(job.records);
  record.number = table.labels++;
  record.length = length;
  let to = job.records + offsetof<LabelRecord>();
  let left = length;
  for (; left > 8; left -= 8, to += 8, start += 8) store<u64>(to, load<u64>(start));
  store<u64>(to, tailOf(start, left));
  job.records = to + 8;
  store<u32>(table.fresh + (<usize>table.freshCount << 2), <u32>changetype<usize>(record));
  table.freshCount++;
  return record;
}

/** Puts the labels of `table` into `slots` empty slots, `mask` one less than there are. */
export function moveLabels(table: LabelTable, slots: usize, mask: u32): void {
  for (let i: u32 = 0; i <= table.mask; i++) {
    const known = load<u64>(table.slots + (<usize>i << 3));
    if (known == 0) continue;
    let slot = <u32>known & mask;
    while (load<u64>(slots + (<usize>slot << 3)) != 0) slot = (slot + 1) & mask;
    store<u64>(slots + (<usize>slot << 3), known);
  }
  table.slots = slots;
  table.mask = mask;
}
