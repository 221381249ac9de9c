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
    'Header names of row, column, value[, weight], for example user,item,rating, or their numbers from 1. Without it the first three are read (four with --weights-are), one more in a header is passed over, and a file with more is refused.',
  );
}

export function denseOption(): Option {
  return inGroup(
    'Data:',
    '--table',
    'CSV files are dense tables, with labels on top and at the left; empty, NA and NaN cells are unobserved.',
  );
}
