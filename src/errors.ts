/**
 * Every failure a caller can meet, as one class with a stable `code`.
 *
 * An error names the offending value and where it stands, the rule it broke and the remedy, and survives the way from
 * a worker thread or a session (structured clone keeps only message and stack of a class instance) as a plain record.
 */

/** Each code with the one sentence that says what it means; the docs print this table. */
export const errorCodes = {
  'invalid-option': 'An option has a value outside its constraint, or is unknown.',
  'invalid-input':
    'A is not one of the accepted forms (ndarray, triples, CSR), or an array has the wrong type or length.',
  'invalid-value': 'A value of A is infinite, or NaN where NaN does not mean "unobserved".',
  'invalid-weight': 'A weight is negative, NaN or infinite, or a sigma is not a positive finite number.',
  'ambiguous-weights': 'Weights were given without saying whether they are W, W² or 1/W.',
  'index-out-of-range': 'A row or column index lies outside the shape.',
  'duplicate-entry': 'The same entry is listed twice and `duplicates` does not say what that means.',
  'shape-mismatch': 'Two arrays or files that belong together disagree in shape.',
  'incompatible-options': 'Two parts of an objective, or an objective and a method, do not go together.',
  'scale-unbounded': 'Only one factor is penalised, so the other can grow for ever.',
  'not-enough-memory': 'The plan needs more memory than the limit allows, or an allocation failed.',
  'not-enough-disk': 'A disk has no room for the observations of a fit.',
  'not-found': 'A file, a folder or a label does not exist.',
  'unreadable-file': 'A file exists but cannot be read.',
  'malformed-file': 'A file is truncated, corrupt or breaks the rules of its format.',
  'unsupported-format': 'A file is of a kind that hadamard does not read.',
  'output-refused': 'The output folder holds something that is not a hadamard model.',
  'output-failed': 'The output folder cannot be written.',
  'malformed-model': 'A model folder is incomplete, corrupt or from a newer version.',
  'worker-died': 'A worker thread died twice on the same block.',
  'numeric-failure': 'The objective is not finite even in float64: values, weights or start are too extreme.',
  'session-closed': 'A session was used after close(), or its thread has ended.',
  'queue-full': 'A session already holds as many waiting fits as it was told to.',
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** Where the offending value stands. Rows and columns of a matrix count from 0, lines of a file and their fields from 1. */
export interface ErrorPosition {
  readonly option?: string;
  readonly file?: string;
  readonly line?: number;
  /** Of a line; counts from 1, as `--columns` does. */
  readonly field?: number;
  /** Of a file of columns, such as Parquet; counts from 1. */
  readonly record?: number;
  readonly byte?: number;
  readonly row?: number;
  readonly column?: number;
  readonly index?: number;
  /** The position of the earlier of two entries that clash. */
  readonly first?: number;
}

export interface ErrorDetails {
  readonly code: ErrorCode;
  /** What is wrong, with the value. */
  readonly what: string;
  readonly position?: ErrorPosition;
  /** What is allowed. */
  readonly rule: string;
  /** What to do. */
  readonly remedy: string;
}

/** A {@link HadamardError} as a plain record: what crosses a thread and what the command line prints as JSON. */
export interface ErrorRecord extends ErrorDetails {
  readonly name: 'HadamardError';
  readonly message: string;
}

const brand: unique symbol = Symbol.for('hadamard.error') as never;

export class HadamardError extends Error {
  override readonly name = 'HadamardError';
  readonly [brand] = true;
  readonly code: ErrorCode;
  readonly what: string;
  readonly position: ErrorPosition;
  readonly rule: string;
  readonly remedy: string;

  constructor(details: ErrorDetails, options?: ErrorOptions) {
    super(`${details.what} ${details.rule} ${details.remedy}`, options);
    this.code = details.code;
    this.what = details.what;
    this.position = details.position ?? {};
    this.rule = details.rule;
    this.remedy = details.remedy;
  }

  toJSON(): ErrorRecord {
    return {
      name: this.name,
      code: this.code,
      message: this.message,
      what: this.what,
      position: this.position,
      rule: this.rule,
      remedy: this.remedy,
    };
  }
}

/** True for errors of this package, also when two copies of it are loaded. */
export function isHadamardError(error: unknown): error is HadamardError {
  return typeof error === 'object' && error !== null && brand in error;
}

/** A plain record for any thrown value, to be sent between threads. */
export type ErrorMessage =
  | ErrorRecord
  | { readonly name: string; readonly message: string; readonly stack?: string | undefined };

export function toErrorMessage(error: unknown): ErrorMessage {
  if (isHadamardError(error)) return error.toJSON();
  if (error instanceof Error || error instanceof DOMException)
    return { name: error.name, message: error.message, stack: error.stack };
  return { name: 'Error', message: String(error) };
}

/** The error that {@link toErrorMessage} was made from, as near as it can be rebuilt. */
export function fromErrorMessage(message: ErrorMessage): Error {
  if ('code' in message) return new HadamardError(message);
  if (message.name === 'AbortError') return new DOMException(message.message, 'AbortError');
  return Object.assign(new Error(message.message), {
    name: message.name,
    ...(message.stack && { stack: message.stack }),
  });
}
