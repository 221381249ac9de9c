/** Labels of any kind as text, and their numbering in order of first appearance. */
import { isUtf8 } from 'node:buffer';
import { hasLoneSurrogate } from '../data/labels.js';
import { badRecord, type RecordPlace } from './columnSource.js';

/** What is longer is no label. */
const longestLabel = 1 << 20;

/**
 * Text that is the same for the same value and no other: integers in decimal, however long; a date as 2024-01-31, a time as
 * ISO 8601 in UTC. undefined for what is no label.
 */
export function labelText(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value === '' || value.length > longestLabel || hasLoneSurrogate(value) ? undefined : value;
    case 'number':
      return Number.isNaN(value) ? undefined : String(value);
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      return value instanceof Date && !Number.isNaN(value.getTime())
        ? value.toISOString().replace('T00:00:00.000Z', '')
        : undefined;
  }
}

/** Bytes that are no UTF-8 stay bytes, which are no label: decoded, different ones might be one; a byte order mark stays. */
export function textOf(bytes: Uint8Array): string | Uint8Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isUtf8(buffer) ? buffer.toString('utf8') : bytes;
}

/** unscaled/10^scale: a number where 15 digits say it, which no two decimals share, else text with every digit. */
export function decimalOf(unscaled: bigint, scale: number): number | string {
  let [digits, places] = [unscaled, scale];
  for (; places > 0 && digits % 10n === 0n; places--) digits /= 10n;
  const magnitude = digits < 0n ? -digits : digits;
  if (magnitude < 10n ** 15n) return Number(`${digits}e${-places}`);
  const text = String(magnitude).padStart(places + 1, '0');
  const whole = places > 0 ? `${text.slice(0, -places)}.${text.slice(-places)}` : text + '0'.repeat(-places);
  return digits < 0n ? `-${whole}` : whole;
}

/** A time as text that keeps what a Date would lose, and ends where its last digit that is not 0 does. */
export function timeText(count: bigint, perSecond: bigint): string {
  const seconds = (count - (((count % perSecond) + perSecond) % perSecond)) / perSecond;
  const rest = count - seconds * perSecond;
  const date = new Date(Number(seconds) * 1000);
  // Beyond the years that have names.
  if (Number.isNaN(date.getTime())) return `${count}/${perSecond} s`;
  const whole = date.toISOString().slice(0, -5);
  if (rest === 0n) return whole.endsWith('T00:00:00') ? whole.slice(0, -9) : `${whole}Z`;
  const digits = String(rest).padStart(String(perSecond).length - 1, '0');
  return `${whole}.${digits.replace(/0+$/, '')}Z`;
}

export class ValueLabels {
  readonly labels: string[] = [];
  readonly #byText = new Map<string, number>();
  /** Spares numbers and big integers the way through their text. */
  readonly #byNumber = new Map<number | bigint, number>();

  /** @throws HadamardError `malformed-file` for what is no label, with its place. */
  indexOf(value: unknown, path: string, place: () => RecordPlace): number {
    const isNumber = typeof value === 'number' || typeof value === 'bigint';
    const known = isNumber ? this.#byNumber.get(value) : this.#byText.get(value as string);
    if (known !== undefined) return known;
    const text = labelText(value);
    if (text === undefined) throw noLabel(value, path, place());
    let index = this.#byText.get(text);
    if (index === undefined) {
      index = this.labels.push(text) - 1;
      this.#byText.set(text, index);
    }
    if (isNumber) this.#byNumber.set(value, index);
    return index;
  }
}

export function noLabel(value: unknown, path: string, place: RecordPlace) {
  const kind =
    value === null || value === undefined || value === ''
      ? 'has an empty label'
      : typeof value === 'string'
        ? value.length > longestLabel
          ? 'has a label longer than 1 MiB'
          : 'has a label with a lone surrogate, which is no text'
        : typeof value === 'object'
          ? 'has a label that is a list, a record or bytes that are no UTF-8'
          : 'has the label NaN';
  return badRecord(
    'malformed-file',
    path,
    place,
    kind,
    'Rows and columns are named by text, numbers, dates or booleans.',
    'Correct it, or name other columns with --columns.',
  );
}
