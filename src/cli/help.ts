/** What the help looks like: 80 columns, long option names on a line of their own, examples and exit codes below. */
import { styleText } from 'node:util';
import type { HelpConfiguration } from 'commander';
import { exitCodes } from './exitCodes.js';
import { wrap } from './render.js';

/** Where descriptions begin; a longer term has a line of its own. */
const termWidth = 24;
const width = 80;

export const helpStyle: HelpConfiguration = {
  helpWidth: width,
  styleTitle: bold,
  styleOptionText: cyan,
  styleSubcommandText: cyan,
  padWidth: () => termWidth,
  formatItem(term, _termWidth, description, helper) {
    const lines = wrap(description, width - termWidth - 4);
    const room = termWidth - (helper.displayWidth?.(term) ?? term.length);
    const indented = lines.map((line) => ' '.repeat(termWidth + 4) + line);
    if (room < 0) return [`  ${term}`, ...indented].join('\n');
    return [`  ${term}${' '.repeat(room + 2)}${lines[0]}`, ...indented.slice(1)].join('\n');
  },
};

/** What follows the options: examples, then the exit codes. */
export function afterHelp(examples: readonly string[]): string {
  const codes = Object.entries(exitCodes).flatMap(([code, meaning]) =>
    wrap(meaning, width - 7).map((line, index) => `  ${(index === 0 ? code : '').padEnd(3)}  ${line}`),
  );
  return ['', bold('Examples:'), ...examples.map((line) => `  ${line}`), '', bold('Exit codes:'), ...codes].join('\n');
}

function bold(text: string): string {
  return styleText('bold', text, { stream: process.stdout });
}

function cyan(text: string): string {
  return styleText('cyan', text, { stream: process.stdout });
}
