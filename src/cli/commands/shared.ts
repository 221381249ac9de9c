/** What the declarations of commands share. */
import { Option } from 'commander';
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
