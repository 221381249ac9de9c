#!/usr/bin/env node
/** The `hadamard` command. */
import { failureAsJson, failureAsText } from './failure.js';
import { runCommand } from './program.js';

// What nobody reads any more, as in `hadamard predict … | head` or `hadamard fit … 2>&1 | true`, is no reason to lose a fit.
process.stderr.on('error', () => undefined);
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return;
  const told = process.argv.includes('--json') ? failureAsJson(error) : failureAsText(error, process.stderr);
  process.stderr.write(`${told}\n`);
  // As of an --out that cannot be written.
  process.exitCode = 2;
});
const exitCode = await runCommand(process.argv.slice(2));
process.exitCode ||= exitCode;
