/** What a search has found so far, in a file that it can go on from. */
import { createHash, randomUUID } from 'node:crypto';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import ndarray, { type NdArray } from 'ndarray';
import type { RealArray } from '../data/input.js';
import type { Listing } from '../data/listing.js';
import { HadamardError } from '../errors.js';
import { unwritable } from '../formats/replaceFile.js';
import { removedOnExit } from '../removedOnExit.js';
import { version } from '../version.js';

/** One fold of one rank and λ. */
export interface FoldError {
  readonly rank: number;
  readonly lambda: number;
  readonly fold: number;
  readonly error: number;
  readonly sweeps: number;
  readonly seconds: number;
}

export interface TuneState {
  readonly results: Map<string, FoldError>;
  /** V of what fits still to come start from. */
  readonly starts: Map<string, NdArray<RealArray>>;
  /** Writes both, one call after another. */
  save(): Promise<void>;
}

export const keyOf = (rank: number, lambda: number, fold: number): string => `${rank} ${lambda} ${fold}`;

const format = 'hadamard tune';
/** Of the format. */
const writtenVersion = 2;

/** Of everything that a search's results depend on: a digest each of the hadamard, the data and every option. */
export type Fingerprint = Readonly<Record<string, string>>;

interface Written {
  /** SHA-256 of the rest, as JSON. */
  readonly checksum: string;
  readonly format: string;
  readonly version: number;
  readonly fingerprint: Fingerprint;
  readonly results: readonly FoldError[];
  readonly starts: Readonly<
    Record<string, { readonly shape: [number, number]; readonly dtype: 'f32' | 'f64'; readonly data: string }>
  >;
}

/**
 * The state that `path` holds, empty where there is no such file or no path.
 *
 * @throws HadamardError `malformed-file` for what is no state, `incompatible-options` for that of other data or options,
 *   `unreadable-file`.
 */
export async function openState(path: string | undefined, fingerprint: Fingerprint): Promise<TuneState> {
  const results = new Map<string, FoldError>();
  const starts = new Map<string, NdArray<RealArray>>();
  if (path === undefined) return { results, starts, save: async () => undefined };
  const written = await read(path);
  const other = written ? differing(written.fingerprint, fingerprint) : [];
  if (other.length > 0)
    throw new HadamardError({
      code: 'incompatible-options',
      what: `${path} belongs to a search that differs in ${other.join(', ')}.`,
      position: { option: 'state', file: path },
      rule: 'A search goes on with the same data, options, folds, seed and hadamard.',
      remedy: 'Give them as before, or another file.',
    });
  for (const result of written?.results ?? []) results.set(keyOf(result.rank, result.lambda, result.fold), result);
  for (const [key, { shape, dtype, data }] of Object.entries(written?.starts ?? {})) {
    const bytes = Uint8Array.from(Buffer.from(data, 'base64'));
    const values = dtype === 'f32' ? new Float32Array(bytes.buffer) : new Float64Array(bytes.buffer);
    starts.set(key, ndarray(values, shape) as NdArray<RealArray>);
  }
  let last: Promise<void> = Promise.resolve();
  const save = () => {
    last = last.then(() =>
      write(path, {
        format,
        version: writtenVersion,
        fingerprint,
        results: [...results.values()],
        starts: asText(starts),
      }),
    );
    return last;
  };
  return { results, starts, save };
}

function asText(starts: TuneState['starts']): Written['starts'] {
  return Object.fromEntries(
    [...starts].map(([key, { data, shape }]) => [
      key,
      {
        shape: shape as [number, number],
        dtype: data instanceof Float32Array ? 'f32' : 'f64',
        data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
      },
    ]),
  );
}

async function read(path: string): Promise<Written | undefined> {
  let text: string;
  try {
    if (!(await stat(path)).isFile()) throw new Error('it is no file');
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new HadamardError(
      {
        code: 'unreadable-file',
        what: `${path} cannot be read: ${(error as Error).message}.`,
        position: { option: 'state', file: path },
        rule: 'The state of a search is a file.',
        remedy: 'Check the path and its permissions.',
      },
      { cause: error },
    );
  }
  try {
    const { checksum, ...rest } = JSON.parse(text) as Written;
    if (rest.format === format && rest.version === writtenVersion && checksum === checksumOf(rest))
      return { checksum, ...rest };
  } catch {
    // Told below.
  }
  throw new HadamardError({
    code: 'malformed-file',
    what: `${path} is no state of a search, or it was changed.`,
    position: { option: 'state', file: path },
    rule: 'The file is written by tune and not edited.',
    remedy: 'Give another file, or remove this one.',
  });
}

const checksumOf = (rest: Omit<Written, 'checksum'>): string =>
  createHash('sha256').update(JSON.stringify(rest)).digest('hex');

/** Beside its place and renamed, so that it is whole whenever it is read. */
async function write(path: string, rest: Omit<Written, 'checksum'>): Promise<void> {
  const fresh = `${path}.new-${randomUUID()}`;
  try {
    await removedOnExit([fresh], async () => {
      await writeFile(fresh, JSON.stringify({ checksum: checksumOf(rest), ...rest }), { flag: 'wx' });
      await rename(fresh, path);
    });
  } catch (error) {
    await rm(fresh, { force: true });
    throw unwritable(path, 'state', error);
  }
}

export function fingerprintOf({ shape, rows, columns, values, weights }: Listing, options: object): Fingerprint {
  const parts = { ...options, 'version of hadamard': version, data: { shape, rows, columns, values }, weights };
  const given = Object.entries(parts).filter(([, part]) => part !== undefined && typeof part !== 'function');
  return Object.fromEntries(given.map(([name, part]) => [name, sha256Of(part)]));
}

function differing(written: Fingerprint, asked: Fingerprint): string[] {
  const names = new Set([...Object.keys(asked), ...Object.keys(written)]);
  return [...names].filter((name) => written[name] !== asked[name]);
}

function sha256Of(part: unknown): string {
  const hash = createHash('sha256');
  const add = (value: unknown) => {
    if (ArrayBuffer.isView(value)) hash.update(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    else if (typeof value === 'object' && value !== null)
      for (const [key, part] of Object.entries(value)) {
        if (part === undefined || typeof part === 'function') continue;
        hash.update(`${key}:`);
        add(part);
      }
    else hash.update(`${String(value)};`);
  };
  add(part);
  return hash.digest('hex');
}
