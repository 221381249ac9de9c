/** Finds labels by their bytes: plain integers in a table by value, others by a hash that is confirmed byte by byte. */
import { LabelRecord, LabelTable, LineJob } from "./lineJob";

/** A label in its table: a short one stands in it, so that it is found with one look at memory. */
@unmanaged
class Slot {
  /** Of a short label its first 8 bytes, zeros behind them; of a long one its hash. */
  head: u64;
  /** The next 4 bytes; the address of the record. */
  tail: u32;
  /** 0: empty. The place among labels in slots + 1; {@link isLong}. */
  info: u32;
}

const isLong: u32 = 0x80000000;

/** Of an integer that has no number yet. */
const isSeen: u32 = 0x80000000;
/** Marks of labels that have no number yet: an integer by its value, others by their place in slots. */
export const isLate: u32 = 0x80000000;
const isHashed: u32 = 0x40000000;
const ofMark: u32 = 0x3fffffff;

/** Bytes of a label that stands in its slot. */
const mostInSlot: u32 = 12;

const zeros: u64 = 0x3030303030303030;

/**
 * The number of the label of `length` ≥ 1 bytes at `start` where it is an integer, or its mark, which {@link knownOf} is for. 8 bytes
 * behind it are readable.
 */
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
      if (integer < table.limit) {
        const place = table.direct + (<usize>integer << 2);
        const known = load<u32>(place);
        // 0 wraps around.
        if (known - 1 < isSeen - 1) return known - 1;
        if (known == 0) {
          store<u32>(place, isSeen);
          addFresh(table, (integer << 1) | 1);
        }
        return integer | isLate;
      }
    }
  }
  return placeInSlots(job, table, start, length) | isLate | isHashed;
}

/** The number of a label in slots by its mark, or the mark: to look at many in turn waits for memory once. */
// @ts-ignore: decorator
@inline
export function knownOf(table: LabelTable, mark: u32): u32 {
  const place = mark & ofMark;
  if ((mark & isHashed) == 0 || place >= table.limit) return mark;
  const known = load<u32>(table.known + (<usize>place << 2));
  return known != 0 ? known - 1 : mark;
}

// @ts-ignore: decorator
@inline
function addFresh(table: LabelTable, label: u32): void {
  store<u32>(table.fresh + (<usize>table.freshCount << 2), label);
  table.freshCount++;
}

function placeInSlots(job: LineJob, table: LabelTable, start: usize, length: u32): u32 {
  // Without a zero at its end a label is one with itself and zeros behind.
  if (length > mostInSlot || load<u8>(start + length - 1) == 0) return longPlace(job, table, start, length);
  const head = length < 8 ? tailOf(start, length) : load<u64>(start);
  const tail = length > 8 ? <u32>tailOf(start + 8, length - 8) : 0;
  let slot = slotAt(table, hashOfShort(head, tail) & job.hashMask);
  for (; slot.info != 0; slot = slotAfter(table, slot))
    if (slot.head == head && slot.tail == tail && slot.info < isLong) return slot.info - 1;
  const place = keep(job, table, start, length).place;
  slot.head = head;
  slot.tail = tail;
  slot.info = place + 1;
  return place;
}

function longPlace(job: LineJob, table: LabelTable, start: usize, length: u32): u32 {
  const hash = hashOf(start, length) & job.hashMask;
  let slot = slotAt(table, hash);
  for (; slot.info != 0; slot = slotAfter(table, slot)) {
    if (slot.head != <u64>hash || slot.info < isLong) continue;
    const record = changetype<LabelRecord>(<usize>slot.tail);
    if (record.length == length && isSame(<usize>slot.tail + offsetof<LabelRecord>(), start, length)) return record.place;
  }
  const record = keep(job, table, start, length);
  slot.head = hash;
  slot.tail = <u32>changetype<usize>(record);
  slot.info = isLong;
  return record.place;
}

/** Looks at where the search for a label begins: of many labels in turn this waits for memory once. What it returns says nothing. */
// @ts-ignore: decorator
@inline
export function touchSlot(job: LineJob, table: LabelTable, start: usize, length: u32): u32 {
  const hash =
    length > mostInSlot
      ? hashOf(start, length)
      : hashOfShort(length < 8 ? tailOf(start, length) : load<u64>(start), length > 8 ? <u32>tailOf(start + 8, length - 8) : 0);
  return slotAt(table, hash & job.hashMask).info;
}

// @ts-ignore: decorator
@inline
function slotAt(table: LabelTable, hash: u32): Slot {
  return changetype<Slot>(table.slots + (<usize>(hash & table.mask) << 4));
}

// @ts-ignore: decorator
@inline
function slotAfter(table: LabelTable, slot: Slot): Slot {
  return slotAt(table, <u32>((changetype<usize>(slot) - table.slots) >> 4) + 1);
}

/** The last 1 to 8 bytes of a label, zeros behind them. */
// @ts-ignore: decorator
@inline
function tailOf(at: usize, length: u32): u64 {
  return load<u64>(at) & (<u64>-1 >> (64 - (length << 3)));
}

/** Folds the upper half onto the lower before and after a multiplication (by 2⁶⁴ divided by the golden ratio). */
// @ts-ignore: decorator
@inline
function mixed(x: u64): u64 {
  x = (x ^ (x >> 32)) * 0x9e3779b97f4a7c15;
  return x ^ (x >> 32);
}

// @ts-ignore: decorator
@inline
function hashOfShort(head: u64, tail: u32): u32 {
  return <u32>mixed(head ^ (<u64>tail * 0xff51afd7ed558ccd));
}

function hashOf(start: usize, length: u32): u32 {
  let hash: u64 = length;
  for (; length > 8; length -= 8, start += 8) hash = mixed(hash ^ load<u64>(start));
  return <u32>mixed(hash ^ tailOf(start, length));
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
  record.place = table.hashed++;
  record.length = length;
  let to = job.records + offsetof<LabelRecord>();
  let left = length;
  for (; left > 8; left -= 8, to += 8, start += 8) store<u64>(to, load<u64>(start));
  store<u64>(to, tailOf(start, left));
  job.records = to + 8;
  addFresh(table, <u32>changetype<usize>(record));
  return record;
}

/** Puts the labels of `table` into `slots` empty slots, `mask` one less than there are. */
export function moveLabels(job: LineJob, table: LabelTable, slots: usize, mask: u32): void {
  const last = table.slots + (<usize>table.mask << 4);
  let old = table.slots;
  table.slots = slots;
  table.mask = mask;
  for (; old <= last; old += 16) {
    const from = changetype<Slot>(old);
    if (from.info == 0) continue;
    let slot = slotAt(table, from.info < isLong ? hashOfShort(from.head, from.tail) & job.hashMask : <u32>from.head);
    while (slot.info != 0) slot = slotAfter(table, slot);
    slot.head = from.head;
    slot.tail = from.tail;
    slot.info = from.info;
  }
}
