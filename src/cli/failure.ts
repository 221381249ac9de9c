/** How an error is told: a few lines for a person, or one line of JSON. */
import { styleText } from 'node:util';
import { type ErrorPosition, isHadamardError } from '../errors.js';
import { flagOf } from '../options.js';
import { isAbort } from './exitCodes.js';

/** `{ code, message, position }` in one line. */
export function failureAsJson(error: unknown): string {
  if (isHadamardError(error))
    return JSON.stringify({ code: error.code, message: error.message, position: error.position });
  if (isAbort(error)) return JSON.stringify({ code: 'cancelled', message: cancelled, position: {} });
  return JSON.stringify({ code: 'internal', message: messageOf(error), position: {} });
}

/** What, where, the rule and the remedy, a line each. */
export function failureAsText(error: unknown, stream: NodeJS.WriteStream): string {
  const red = (text: string) => styleText('red', text, { stream });
  const dim = (text: string) => styleText('dim', text, { stream });
  if (isAbort(error)) return cancelled;
  if (!isHadamardError(error)) {
    const trace = error instanceof Error && error.stack ? error.stack : messageOf(error);
    return `${red('fault')}  ${trace}\n${dim('This is a fault of hadamard: please report it with the command and the lines above.')}`;
  }
  const where = describePosition(error.position);
  return [
    `${red('error')}  ${error.what}  ${dim(`[${error.code}]`)}`,
    where && `${dim('where')}  ${where}`,
    error.rule && `${dim('rule')}   ${error.rule}`,
    error.remedy && `${dim('try')}    ${error.remedy}`,
  ]
    .filter(Boolean)
    .join('\n');
}

const cancelled = 'Cancelled before there was a model; nothing was written.';

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function describePosition(position: ErrorPosition): string {
  return Object.entries(position)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${name === 'option' ? flagOf(value) : value}`)
    .join(', ');
}
