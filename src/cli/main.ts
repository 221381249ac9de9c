#!/usr/bin/env node
/** The `hadamard` command. */
import { runCommand } from './program.js';

// A reader that has seen enough, as in `hadamard predict … | head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});
process.exitCode = await runCommand(process.argv.slice(2));
