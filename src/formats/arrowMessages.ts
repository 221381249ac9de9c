/**
 * Holds the messages of Arrow IPC against the file that they stand in, before the library decodes them: it believes every
 * length and count. FlatBuffers: a table begins with the distance back to a list of where its fields are; a vector with its
 * length (https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format, File.fbs, Message.fbs, Schema.fbs).
 */
import type { ByteFile } from './byteFile.js';

/** A schema of a million columns takes less. */
const longestMetadata = 1 << 28;
/** Types in types. */
const deepest = 32;
/** The two kinds of messages that have a body, and the one that has none. */
const [schemaMessage, dictionaryMessage, batchMessage] = [1, 2, 3];

/** @throws Error that says what is wrong; RangeError where a place lies outside. */
export async function checkStream(file: ByteFile): Promise<void> {
  for (let at = 0, count = 0; at < file.size; count++) {
    const end = await checkMessage(file, at, file.size);
    if (end === undefined) return;
    if (count === 0 && end.kind !== schemaMessage) throw new Error('it does not begin with a schema');
    at = end.at;
  }
}

/** @param footerLength the bytes before the length and the magic word at the end. */
export async function checkFile(file: ByteFile, footerLength: number): Promise<void> {
  const footerAt = file.size - 10 - footerLength;
  const flat = new Flat(await file.read(footerAt, file.size - 10));
  const footer = flat.root();
  const schema = flat.table(footer, 1);
  if (schema === undefined) throw new Error('the footer has no schema');
  checkSchema(flat, schema);
  for (const field of [2, 3]) {
    const blocks = flat.vector(footer, field, 24);
    let sum = 0;
    for (let i = 0; i < blocks.length; i++) {
      const block = blocks.at + i * 24;
      const [start, metadata, body] = [flat.long(block), flat.view.getInt32(block + 8, true), flat.long(block + 16)];
      sum += metadata + body;
      if (!(start >= 8 && metadata > 0 && body >= 0) || start + metadata + body > footerAt || sum > footerAt)
        throw new Error('the footer lists batches that are longer than the file');
      await checkMessage(file, start, footerAt);
    }
  }
}

/** Checks the message at a place; where it ends, or undefined where the stream does. */
async function checkMessage(
  file: ByteFile,
  start: number,
  limit: number,
): Promise<{ at: number; kind: number } | undefined> {
  let at = start;
  if (at + 4 > limit) throw new Error('a message is truncated');
  let length = (await file.read(at, at + 4)).readInt32LE(0);
  at += 4;
  // Before Arrow 0.15 there was no mark before the length.
  if (length === -1) {
    if (at + 4 > limit) throw new Error('a message is truncated');
    length = (await file.read(at, at + 4)).readInt32LE(0);
    at += 4;
  }
  if (length === 0) return undefined;
  if (length < 0 || length > longestMetadata || at + length > limit) throw new Error(`a message has ${length} bytes`);
  const flat = new Flat(await file.read(at, at + length));
  const message = flat.root();
  const kind = flat.byte(message, 1);
  const header = flat.table(message, 2);
  const body = flat.field(message, 3) === undefined ? 0 : flat.long(flat.field(message, 3) as number);
  if (header === undefined || body < 0 || at + length + body > limit) throw new Error(`a body has ${body} bytes`);
  if (kind === schemaMessage) checkSchema(flat, header);
  else if (kind === batchMessage) checkBatch(flat, header, body);
  else if (kind === dictionaryMessage) checkBatch(flat, flat.table(header, 1), body);
  else throw new Error(`a message is of the kind ${kind}`);
  return { at: at + length + body, kind };
}

function checkSchema(flat: Flat, schema: number): void {
  checkFields(flat, schema, 1, 0);
  checkPairs(flat, schema, 2);
}

function checkFields(flat: Flat, parent: number, place: number, depth: number): void {
  const fields = flat.vector(parent, place, 4);
  for (let i = 0; i < fields.length; i++) {
    const field = flat.follow(fields.at + i * 4);
    if (depth > deepest || flat.vector(field, 0, 1).length < 0 || flat.field(field, 0) === undefined)
      throw new Error('a column has no name');
    checkPairs(flat, field, 6);
    checkFields(flat, field, 5, depth + 1);
  }
}

/** Keys and values. */
function checkPairs(flat: Flat, parent: number, place: number): void {
  const pairs = flat.vector(parent, place, 4);
  for (let i = 0; i < pairs.length; i++) {
    const pair = flat.follow(pairs.at + i * 4);
    flat.vector(pair, 0, 1);
    flat.vector(pair, 1, 1);
  }
}

/** Nodes and buffers are as many as the bytes hold, and buffers lie in the body. */
function checkBatch(flat: Flat, batch: number | undefined, body: number): void {
  if (batch === undefined) throw new Error('a dictionary has no batch');
  flat.vector(batch, 1, 16);
  const buffers = flat.vector(batch, 2, 16);
  for (let i = 0; i < buffers.length; i++) {
    const [offset, length] = [flat.long(buffers.at + i * 16), flat.long(buffers.at + i * 16 + 8)];
    if (!(offset >= 0 && length >= 0 && offset + length <= body)) throw new Error('a buffer lies outside its body');
  }
  flat.vector(batch, 4, 8);
}

/** Reads of a FlatBuffer, each of which stays in it. */
class Flat {
  readonly view: DataView;
  /** Each table is looked at once or a few times: places that lead to the same table again and again use it up. */
  #left: number;

  constructor(bytes: Buffer) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#left = bytes.length;
  }

  root(): number {
    return this.follow(0);
  }

  /** Where the offset at a place leads. */
  follow(place: number): number {
    const to = place + this.view.getUint32(place, true);
    if (to + 4 > this.view.byteLength || this.#left-- === 0) throw new RangeError('an offset leads outside');
    return to;
  }

  /** Where a field of a table is, or undefined where it has its default. */
  field(table: number, place: number): number | undefined {
    const list = table - this.view.getInt32(table, true);
    const offset =
      4 + place * 2 < this.view.getUint16(list, true) ? this.view.getUint16(list + 4 + place * 2, true) : 0;
    return offset === 0 ? undefined : table + offset;
  }

  table(parent: number, place: number): number | undefined {
    const field = this.field(parent, place);
    return field === undefined ? undefined : this.follow(field);
  }

  byte(table: number, place: number): number {
    const field = this.field(table, place);
    return field === undefined ? 0 : this.view.getUint8(field);
  }

  long(place: number): number {
    return Number(this.view.getBigInt64(place, true));
  }

  vector(table: number, place: number, elementBytes: number): { at: number; length: number } {
    const field = this.field(table, place);
    if (field === undefined) return { at: 0, length: 0 };
    const start = this.follow(field);
    const length = this.view.getUint32(start, true);
    if (start + 4 + length * elementBytes > this.view.byteLength) throw new RangeError('a list leads outside');
    return { at: start + 4, length };
  }
}
