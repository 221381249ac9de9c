/** The help of every command that the program declares, whichever they are. */
import { Option } from 'commander';
import { describe, expect, test } from 'vitest';
import { choicesOf, isPathOption, settleBareFlags } from '../../dist/src/cli/flags.js';
import { createProgram } from '../../dist/src/cli/program.js';

function helpOf(name: string): string {
  let text = '';
  const command = createProgram().commands.find((one) => one.name() === name);
  command?.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
  return text;
}

/** The command lines among the examples, without what the shell does with them. */
function examplesIn(help: string): string[][] {
  const section = /\nExamples:\n([\s\S]*?)\n\n/.exec(help)?.[1] ?? '';
  return section
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .flatMap((line) => line.split(/[|;]|&&/))
    .flatMap((line) => /\bhadamard ((?:"[^"]*"|[^">#)])*)/.exec(line)?.[1]?.trim() ?? [])
    .map((line) =>
      [...line.matchAll(/"([^"]*)"|'([^']*)'|\S+/g)].map(([whole, double, single]) => double ?? single ?? whole),
    );
}

describe.each(createProgram().commands.map((command) => command.name()))('hadamard %s --help', (name) => {
  const help = helpOf(name);

  test('says how it is used, within 80 columns', () => {
    expect(help).toMatch(/^Usage: hadamard/);
    for (const text of ['--config <file>', 'Exit codes:']) expect(help).toContain(text);
    for (const line of help.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  test('breaks the lines of its description where they are broken in the source', () => {
    const description = createProgram()
      .commands.find((one) => one.name() === name)
      ?.description() as string;
    if (description.includes('\n')) expect(help).toContain(description);
  });

  test('has examples, and each of them is a command line', async () => {
    const examples = examplesIn(help);
    expect(examples.map(([first]) => first)).toContain(name);
    for (const words of examples) {
      const program = createProgram();
      let ran: string | undefined;
      for (const command of program.commands)
        command.action(() => {
          ran = command.name();
          for (const option of command.options) {
            const [value, choices] = [command.getOptionValue(option.attributeName()), choicesOf(option)];
            if (typeof value === 'string' && choices.length > 0) expect(choices, option.flags).toContain(value);
          }
        });
      await program.parseAsync(settleBareFlags(words), { from: 'user' });
      expect(ran, words.join(' ')).toBe(words[0]);
    }
  });
});

test('placeholders say what an option takes', () => {
  const takes = (flags: string) => {
    const option = new Option(flags);
    return [isPathOption(option), choicesOf(option)];
  };
  expect(takes('--weights <file>')).toEqual([true, []]);
  expect(takes('--files <file...>')).toEqual([true, []]);
  expect(takes('--exclude <A>')).toEqual([true, []]);
  expect(takes('--watch [port]')).toEqual([false, []]);
  expect(takes('--json')).toEqual([false, []]);
  expect(takes('--dtype <f32|f64>')).toEqual([false, ['f32', 'f64']]);
  expect(takes('--biases [rows|both]')).toEqual([false, ['rows', 'both']]);
  expect(takes('--negatives <all|N>')).toEqual([false, []]);
});
