/** Writes files that are replaced as a whole or not at all. */
import { randomUUID } from 'node:crypto';
import { lstat, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { HadamardError, isHadamardError } from '../errors.js';

/** What a file is made of: text or bytes, as they come. */
export type Content = string | Uint8Array | AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>;

/**
 * Writes beside the file and renames, so that an older file is replaced as a whole or not at all. Links stay: what they
 * lead to is replaced. Pipes, devices and the end of a link to nothing are written to as they are.
 *
 * @param option the flag or option that named it.
 * @throws HadamardError `output-failed`; and what `content` throws as it is.
 */
export async function replaceFile(path: string, content: Content, option = 'out'): Promise<void> {
  let fresh: string | undefined;
  try {
    const [own, status] = await Promise.all([lstat(path), stat(path)].map((found) => found.catch(() => undefined)));
    if (own && !status?.isFile()) {
      await writeFile(path, content);
      return;
    }
    const target = status ? await realpath(path) : path;
    fresh = `${target}.new-${randomUUID()}`;
    await writeFile(fresh, content, { flag: 'wx', ...(status && { mode: status.mode }) });
    await rename(fresh, target);
  } catch (error) {
    if (fresh !== undefined) await rm(fresh, { force: true });
    if ((error as NodeJS.ErrnoException).syscall === undefined || isHadamardError(error)) throw error;
    throw unwritable(path, option, error);
  }
}

export function unwritable(path: string, option: string, error: unknown): HadamardError {
  return new HadamardError(
    {
      code: 'output-failed',
      what: `${path} cannot be written: ${(error as Error).message}.`,
      position: { option, file: path },
      rule: 'The file is written beside its place and then renamed.',
      remedy: 'Check permissions and free space, or give another file.',
    },
    { cause: error },
  );
}
