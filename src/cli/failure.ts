/** How an error is told: a few lines for a person, or one line of JSON. */
import { styleText } from 'node:util';
import { type ErrorPosition, HadamardError, isHadamardError } from '../errors.js';
import { flagOf } from '../options.js';
import { isAbort } from './exitCodes.js';
import { printable } from './render.js';

/** `{ code, message, position }` in one line. */
export function failureAsJson(thrown: unknown): string {
  const error = asTold(thrown);
  const record = isHadamardError(error)
    ? { code: error.code, message: error.message, position: error.position }
    : isAbort(error)
      ? { code: 'cancelled', message: cancelled, position: {} }
      : { code: 'internal', message: messageOf(error), position: {} };
  // The escapes of control characters that JSON leaves as they are stand within strings, and are JSON's own.
  return printable(JSON.stringify(record));
}

/** What, where, the rule and the remedy, a line each. */
export function failureAsText(thrown: unknown, stream: NodeJS.WriteStream): string {
  const error = asTold(thrown);
  const red = (text: string) => styleText('red', text, { stream });
  const dim = (text: string) => styleText('dim', text, { stream });
  if (isAbort(error)) return cancelled;
  if (!isHadamardError(error)) {
    const trace = error instanceof Error && error.stack ? error.stack : messageOf(error);
    return `${red('fault')}  ${trace.split('\n').map(printable).join('\n')}\n${dim('This is a fault of hadamard: please report it with the command and the lines above.')}`;
  }
  const where = describePosition(error.position);
  return [
    `${red('error')}  ${printable(error.what)}  ${dim(`[${error.code}]`)}`,
    where && `${dim('where')}  ${printable(where)}`,
    error.rule && `${dim('rule')}   ${printable(error.rule)}`,
    error.remedy && `${dim('try')}    ${printable(error.remedy)}`,
  ]
    .filter(Boolean)
    .join('\n');
}

/** What stdout says when it cannot take the result; files are written with errors of their own. */
function asTold(error: unknown): unknown {
  const { syscall, code, message } = (error ?? {}) as NodeJS.ErrnoException;
  if (syscall !== 'write' || isHadamardError(error)) return error;
  return new HadamardError(
    {
      code: 'output-failed',
      what: `stdout cannot be written: ${message}.`,
      position: {},
      rule: 'The result is printed on stdout.',
      remedy: `${code === 'ENOSPC' ? 'Free some space, or print' : 'Print'} it elsewhere. A model or file of --out is written and sound.`,
    },
    { cause: error },
  );
}

const cancelled = 'Cancelled before the result was whole; no file was written.';

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function describePosition(position: ErrorPosition): string {
  return Object.entries(position)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${name === 'option' ? flagOf(value) : value}`)
    .join(', ');
}
