/** Numbers and names as people read them. */

/** 12587 → "12,587" */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** 1 → "1 entry", 12587 → "12,587 entries" */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** 12345678 → "12.3 MB" */
export function bytes(size: number): string {
  const steps = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const step = Math.min(steps.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(size, 1)) / 3)));
  return `${step === 0 ? size : (size / 1000 ** step).toPrecision(3)} ${steps[step]}`;
}

/** Six significant digits, and all of a whole number's: 84973.6, 0.000123457, 1648208, 1.23457e9. */
export function real(value: number): string {
  const magnitude = Math.abs(value);
  if (value === 0 || !Number.isFinite(value)) return String(value);
  if (magnitude >= 1e7 || magnitude < 1e-4) return value.toExponential(5).replace(/\.?0*e\+?/, 'e');
  return String(Number(value.toPrecision(magnitude >= 1e6 ? 7 : 6)));
}

/** 0.0123 → "12 ms", 3.21 → "3.2 s", 200 → "3 min 20 s" */
export function duration(seconds: number): string {
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 99.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Control characters and line breaks as escapes, so that no label or file name can disturb a terminal or a page. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this replaces
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) =>
    character === '\n' ? '\\n' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Two significant digits: 1.2e-7, 3e5. */
export function scientific(value: number): string {
  return value === 0 ? '0' : value.toExponential(1).replace('.0e', 'e').replace('e+', 'e');
}

/** What the factors of a non-negative model are called. */
export function factorNames(rank: number): string[] {
  return Array.from({ length: rank }, (_, p) => `factor ${p + 1}`);
}
