/** What the declarations of commands share. */
import { Option } from 'commander';
import { optionTable } from '../../options.js';
import type { ExitCode } from '../exitCodes.js';

/** Takes the exit code of a command that has run. */
export type Settle = (code: ExitCode) => void;

export function inGroup(group: string, flags: string, description: string): Option {
  return new Option(flags, description).helpGroup(group);
}

export function columnsOption(): Option {
  return inGroup(
    'Data:',
    '--columns <names>',
    'Names of the columns of row, column, value[, weight], for example user,item,rating, or their numbers from 1. Without it the first three are read (four with --weights-are), one more in a header is passed over, and a file with more is refused.',
  );
}

export function denseOption(): Option {
  return inGroup(
    'Data:',
    '--table',
    'Files are dense tables: .csv with labels on top and at the left, .parquet and .arrow with a column of row labels first; empty, null, NA and NaN cells are unobserved.',
  );
}

export function formatOption(): Option {
  return inGroup(
    'Data:',
    // As formats/formatOf.ts lists them, which help does not load.
    '--format <csv|tsv|jsonl|parquet|arrow|mtx|npz|npy>',
    'What the file is, where the ending of its name does not say it. [csv for -]',
  );
}

export function weightsOptions(): Option[] {
  return [
    inGroup(
      'Data:',
      '--weights <file>',
      "Weights of the entries, in any of the formats of A, matched to A by label; where one is an array without labels by position, which is said. In .csv row, column, weight, or by the names of A's row and column where the header has them. Entries of A that are not listed are unobserved.",
    ),
    inGroup(
      'Data:',
      '--weights-are <weight|sqrt-weight|sigma>',
      'What the weights are: W² (weight), W (sqrt-weight, sqrt) or 1/W (sigma). Without --weights they are the fourth column of A.',
    ),
  ];
}

/** Of data for a model. */
export function modelDataOptions(): Option[] {
  const { choices, sentence } = optionTable.duplicates;
  return [
    ...weightsOptions(),
    columnsOption(),
    denseOption(),
    // What the fit was told of duplicates holds unless this is given.
    inGroup('Data:', `--duplicates <${choices.join('|')}>`, `${sentence} [as in the fit]`),
  ];
}

/** Of data that may be new rows or new columns of a model. */
export function newRowsOptions(): Option[] {
  const side = 'Whether the file has new rows or new columns of the model. [rows]';
  return [inGroup('Data:', '--side <rows|columns>', side), ...modelDataOptions()];
}

/** What --json does in commands that end with one result. */
export const oneLineOfJson = 'Print one line of JSON on stdout, and an error as one line of JSON on stderr.';

/** Of commands whose result is a file or stdout. */
export function quietOption(): Option {
  return new Option('--quiet', 'Print nothing but results, errors and warnings.');
}

/** Of commands that end with one result. */
export function outputOptions(): Option[] {
  return [
    inGroup('Output:', '--json', oneLineOfJson),
    inGroup('Output:', '--quiet', 'Print nothing but errors, warnings and the line of --json.'),
  ];
}
