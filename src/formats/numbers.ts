/** Decimal numbers from bytes, bit for bit what Number(text) gives, without making a string of most of them. */

/** Exactly representable powers of ten: with a mantissa below 2⁵³ one multiplication or division rounds once (Clinger 1990). */
const powersOfTen = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

/** The number in bytes[start … end), spaces around it allowed; NaN where there is none. */
export function parseNumber(bytes: Buffer, start: number, end: number): number {
  let i = start;
  let last = end;
  while (i < last && bytes[i] === 32) i++;
  while (last > i && bytes[last - 1] === 32) last--;
  const first = i;
  let c = bytes[i] as number;
  const isNegative = c === 45;
  if (c === 45 || c === 43) i++;
  let mantissa = 0;
  let digits = 0;
  let scale = 0;
  const firstDigit = i;
  for (; i < last; i++) {
    c = (bytes[i] as number) - 48;
    if (c < 0 || c > 9) break;
    mantissa = mantissa * 10 + c;
    digits++;
  }
  if (i < last && bytes[i] === 46) {
    i++;
    for (; i < last; i++) {
      c = (bytes[i] as number) - 48;
      if (c < 0 || c > 9) break;
      mantissa = mantissa * 10 + c;
      digits++;
      scale--;
    }
  }
  if (i !== last || digits === 0 || digits > 15 || scale < -22)
    return slowNumber(bytes, first, last, firstDigit, digits);
  const value = scale < 0 ? mantissa / (powersOfTen[-scale] as number) : mantissa;
  return isNegative ? -value : value;
}

/** Exponents, long mantissas and what is no number at all. */
function slowNumber(bytes: Buffer, start: number, end: number, firstDigit: number, digits: number): number {
  if (digits === 0 && firstDigit >= end) return Number.NaN;
  const text = bytes.toString('latin1', start, end);
  // Number() also takes 0x10 and Infinity; a data file means neither.
  return /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
}
