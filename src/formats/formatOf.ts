/** Which format a file is of: the ending of its name, unless it was said. */
import { HadamardError } from '../errors.js';
import { didYouMean } from '../suggest.js';

/** Each format with the endings that name it; the first is the one that messages show. */
const endings = {
  csv: ['csv', 'txt', 'dat', 'data'],
  tsv: ['tsv'],
  mtx: ['mtx'],
  npy: ['npy'],
  npz: ['npz'],
  parquet: ['parquet', 'pq'],
  arrow: ['arrow', 'feather', 'ipc', 'arrows'],
  jsonl: ['jsonl', 'ndjson'],
} as const;

export type Format = keyof typeof endings;

export const formats = Object.keys(endings) as Format[];

/** For messages and help. */
export const allEndings = `${Object.values(endings)
  .flat()
  .map((ending) => `.${ending}`)
  .join(', ')}, each also with .gz or .zst`;

/** The ending before .gz or .zst, in lower case. */
export function endingOf(path: string): string | undefined {
  return /\.([a-z0-9]+)(\.gz|\.zst)?$/i.exec(path)?.[1]?.toLowerCase();
}

export function packingOf(path: string): 'gz' | 'zst' | undefined {
  return /\.(gz|zst)$/i.exec(path)?.[1]?.toLowerCase() as 'gz' | 'zst' | undefined;
}

/** The format that a name's ending says, if it is one that hadamard knows. `-`, stdin or stdout, is CSV. */
export function formatOf(path: string): Format | undefined {
  if (path === '-') return 'csv';
  const ending = endingOf(path);
  return formats.find((format) => (endings[format] as readonly string[]).includes(ending ?? ''));
}

/**
 * What `--format` says.
 *
 * @throws HadamardError `invalid-option`
 */
export function checkFormat(given: string | undefined): Format | undefined {
  if (given === undefined || (formats as string[]).includes(given)) return given as Format | undefined;
  throw new HadamardError({
    code: 'invalid-option',
    what: `format is "${given}".`,
    position: { option: 'format' },
    rule: `format is one of ${formats.join(', ')}.`,
    remedy: `${didYouMean(given, formats)}Give one of these, or leave --format out where the ending of the name says it.`,
  });
}
