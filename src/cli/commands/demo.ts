/** `hadamard demo`: its help. */
import { Command } from 'commander';
import { afterHelp } from '../help.js';
import type { Settle } from './shared.js';

export function demoCommand(settle: Settle): Command {
  return new Command('demo')
    .summary('Fit the shipped sample; writes ./hadamard-demo/.')
    .description(
      'Fits the shipped sample at rank 4 and writes the model to ./hadamard-demo/: 307 air samples × 41 volatile species from Baton Rouge (US EPA), each value weighted by 1/σ of its measured uncertainty.',
    )
    .addHelpText('after', () => afterHelp(['hadamard demo']))
    .action(async () => settle(await (await import('../demo.js')).demo()));
}
