/** Times as numbers, so that they can be put in order. */

/** A number as it is, an ISO date or time as its milliseconds; NaN for what is neither. */
export function instantOf(text: string): number {
  if (text.trim() === '') return Number.NaN;
  const number = Number(text);
  if (Number.isFinite(number)) return number;
  return /^\d{4}-\d\d-\d\d([T ][\d:.]+(Z|[+-]\d\d:?\d\d)?)?$/.test(text) ? Date.parse(text) : Number.NaN;
}

/** Rule and remedy where there is none. */
export const noInstant = [
  'A time is a number, or a date such as 2024-05-01 or 2024-05-01T12:30:00Z.',
  'Correct it, or choose another column.',
] as const;
