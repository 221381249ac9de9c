/**
 * Replaces a model folder as a whole or not at all.
 *
 * The new folder is written beside the old one, flushed to disk, and the two change places by two renames: old aside to
 * `.<name>.old`, new in. A process killed between the two leaves the older model aside, where {@link findModel} and the
 * next {@link replaceFolder} find it. What a killed save has left of a new folder is removed by a save a day later.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { mkdir, open, readdir, readFile, realpath, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { HadamardError, isHadamardError } from '../errors.js';

export const modelFormat = 'hadamard-model';
/** The version of the folder's layout that this package writes and reads. */
export const modelVersion = 1;

/** Every file a model folder may hold. */
const modelFiles = [
  'U.npy',
  'V.npy',
  'row_bias.npy',
  'column_bias.npy',
  'rows.jsonl',
  'columns.jsonl',
  'model.json',
] as const;

/** Temporary folders of saves that are under way; removed when the process exits before they are done. */
const unfinished = new Set<string>();

function removeUnfinished(): void {
  for (const folder of unfinished) rmSync(folder, { recursive: true, force: true });
}

/**
 * Checks, before anything is computed, that a model can be saved to `directory`, and leaves no trace of the check.
 *
 * @throws HadamardError `output-refused` when it is neither new, empty nor a hadamard model; `output-failed` when it
 *   cannot be written.
 */
export async function checkOutput(directory: string): Promise<void> {
  const target = await targetOf(directory);
  let parent = dirname(target);
  while (!existsSync(parent) && parent !== dirname(parent)) parent = dirname(parent);
  const probe = join(parent, `.${basename(target)}.probe-${randomUUID()}`);
  await orFail(directory, async () => {
    await mkdir(probe);
    await rmdir(probe);
  });
}

/**
 * Calls `write` with a new folder beside `directory`, then puts that folder in the place of `directory`.
 *
 * @throws HadamardError `output-refused` as {@link checkOutput}; `output-failed` when anything cannot be written: then
 *   `directory` is as it was and no new folder is left.
 */
export async function replaceFolder(directory: string, write: (folder: string) => Promise<void>): Promise<void> {
  const target = await targetOf(directory);
  const parent = dirname(target);
  const fresh = join(parent, `${freshPrefix(target)}${randomUUID()}`);
  await orFail(directory, async () => {
    const createdParent = await mkdir(parent, { recursive: true });
    await removeAbandoned(target);
    if (unfinished.size === 0) process.on('exit', removeUnfinished);
    unfinished.add(fresh);
    try {
      await mkdir(fresh);
      await write(fresh);
      await flush(fresh);
      await targetOf(directory);
      swap(fresh, target);
    } catch (error) {
      await rm(fresh, { recursive: true, force: true });
      await removeEmptyParents(parent, createdParent);
      throw error;
    } finally {
      unfinished.delete(fresh);
      if (unfinished.size === 0) process.off('exit', removeUnfinished);
    }
    await rm(asideOf(target), { recursive: true, force: true }).catch(() => undefined);
  });
}

function freshPrefix(target: string): string {
  return `.${basename(target)}.new-`;
}

/** No save takes a day: an older folder of this name is of one that was killed. What cannot be removed does no harm. */
const abandonedAfter = 24 * 3600 * 1000;

async function removeAbandoned(target: string): Promise<void> {
  const parent = dirname(target);
  const names = await readdir(parent).catch(() => []);
  for (const name of names.filter((name) => name.startsWith(freshPrefix(target)))) {
    const folder = join(parent, name);
    const status = await stat(folder).catch(() => undefined);
    if (status && Date.now() - status.mtimeMs > abandonedAfter)
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** The folder to read a model from: `directory`, or what a save killed between its two renames has left aside. */
export function findModel(directory: string): string {
  const target = resolve(directory);
  return !existsSync(target) && existsSync(asideOf(target)) ? asideOf(target) : target;
}

function asideOf(target: string): string {
  return join(dirname(target), `.${basename(target)}.old`);
}

/** Without a pause in which the event loop could turn, so that an exit finds either the old model or the new one. */
function swap(fresh: string, target: string): void {
  const aside = asideOf(target);
  if (!existsSync(target)) {
    renameSync(fresh, target);
    return;
  }
  rmSync(aside, { recursive: true, force: true });
  renameSync(target, aside);
  try {
    renameSync(fresh, target);
  } catch (error) {
    renameSync(aside, target);
    throw error;
  }
}

/** The real path of the folder to be replaced, checked to be new, empty or a model and nothing else. */
async function targetOf(directory: string): Promise<string> {
  const path = resolve(directory);
  return orFail(directory, async () => {
    if (!existsSync(path)) return path;
    const target = await realpath(path);
    const status = await stat(target);
    if (!status.isDirectory()) throw refused(directory, 'is a file');
    if (status.dev !== (await stat(dirname(target))).dev)
      throw refused(directory, 'is a mount point, which cannot be replaced as a whole');
    const names = await readdir(target);
    if (names.length === 0) return target;
    if (!(await holdsModel(target))) throw refused(directory, 'is not empty and holds no hadamard model');
    const foreign = names.filter((name) => !(modelFiles as readonly string[]).includes(name));
    if (foreign.length > 0)
      throw refused(
        directory,
        `holds more than a model (${foreign
          .slice(0, 3)
          .map((name) => `"${name}"`)
          .join(', ')})`,
      );
    return target;
  });
}

async function holdsModel(folder: string): Promise<boolean> {
  try {
    return JSON.parse(await readFile(join(folder, 'model.json'), 'utf8')).format === modelFormat;
  } catch {
    return false;
  }
}

function refused(directory: string, what: string): HadamardError {
  return new HadamardError({
    code: 'output-refused',
    what: `${directory} ${what}.`,
    position: { option: 'out', file: directory },
    rule: 'A model is written to a new or empty folder, or replaces an older hadamard model.',
    remedy: 'Give another folder, for example a new one inside it.',
  });
}

/** Files of the folder, then the folder itself, reach the disk. */
async function flush(folder: string): Promise<void> {
  const names = (await readdir(folder)).map((name) => ({ name, flags: 'r+' }));
  if (process.platform !== 'win32') names.push({ name: '.', flags: 'r' });
  for (const { name, flags } of names) {
    const file = await open(join(folder, name), flags);
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

/** Removes the folders from `parent` up to `first`, which this save has made, as far as they are empty. */
async function removeEmptyParents(parent: string, first: string | undefined): Promise<void> {
  if (first === undefined) return;
  for (let folder = parent; folder.length >= first.length; folder = dirname(folder))
    await rmdir(folder).catch(() => undefined);
}

async function orFail<T>(directory: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (isHadamardError(error)) throw error;
    throw new HadamardError(
      {
        code: 'output-failed',
        what: `${directory} cannot be written: ${error instanceof Error ? error.message : String(error)}.`,
        position: { option: 'out', file: directory },
        rule: 'A model needs a folder that can be created beside the old one, and room for both.',
        remedy: 'Check permissions and free space, or give another folder. Nothing was changed.',
      },
      { cause: error },
    );
  }
}
