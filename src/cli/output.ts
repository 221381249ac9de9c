/** Where results go: to a file that is replaced as a whole, or to stdout. */
import { once } from 'node:events';
import { replaceFile } from '../formats/replaceFile.js';
import { HadamardError } from '../index.js';

/** @throws HadamardError `invalid-option` for an empty name. */
export function checkOutputFile(out: string): void {
  if (out === '')
    throw new HadamardError({
      code: 'invalid-option',
      what: 'out is empty.',
      position: { option: 'out' },
      rule: 'The result is written to a file that has a name, or to stdout.',
      remedy: 'Give a file, or leave --out out.',
    });
}

/** `-` is stdout, which is waited for where it is slow. @throws HadamardError `output-failed` */
export async function writeResult(out: string, chunks: AsyncIterable<string> | Iterable<string>): Promise<void> {
  if (out !== '-') {
    await replaceFile(out, chunks);
    return;
  }
  const { stdout } = process;
  for await (const chunk of chunks) {
    // Nobody reads any more: see main.ts.
    if (stdout.destroyed) return;
    if (!stdout.write(chunk)) await once(stdout, 'drain').catch(() => undefined);
  }
}
