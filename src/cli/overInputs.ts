/** No command writes over a file that it reads. */
import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { HadamardError } from '../errors.js';
import { partsOf } from '../formats/parts.js';
import { isPathOption } from './flags.js';

/** Flags whose file is written; an argument <out> is as well. */
const written: ReadonlySet<string> = new Set(['out', 'report']);

/**
 * Before a command begins: none of its output files is one of its input files, by whatever path or link. Folders are
 * models, which are replaced as a whole.
 *
 * @throws HadamardError `output-refused`
 */
export async function refuseOverInputs(command: Command): Promise<void> {
  const given = [
    ...command.registeredArguments.map((argument, i) => [argument.name(), command.processedArgs[i]]),
    ...command.options
      .filter((option) => isPathOption(option))
      .map((option) => [option.attributeName(), command.getOptionValue(option.attributeName())]),
  ].filter((pair): pair is [string, string] => typeof pair[1] === 'string' && pair[1] !== '-');
  const inputs = new Map<string, string>();
  for (const [name, path] of given) {
    if (written.has(name)) continue;
    for (const part of (await partsOf(path).catch(() => undefined)) ?? [path]) {
      const file = await fileAt(part);
      if (file !== undefined) inputs.set(file, part);
    }
  }
  for (const [option, path] of given) {
    const file = written.has(option) ? await fileAt(path) : undefined;
    const input = file && inputs.get(file);
    if (input === undefined) continue;
    throw new HadamardError({
      code: 'output-refused',
      what: input === path ? `${path} would be written over itself.` : `${path} is ${input}, which is read.`,
      position: { option, file: path },
      rule: 'A result is not written over a file that it is made from.',
      remedy: 'Give another file.',
    });
  }
}

/** Which file a path leads to; undefined where there is none, and of folders, pipes and devices. */
async function fileAt(path: string): Promise<string | undefined> {
  const status = await stat(path, { bigint: true }).catch(() => undefined);
  return status?.isFile() ? `${status.dev} ${status.ino}` : undefined;
}
