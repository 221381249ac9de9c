/**
 * Replaces a model folder as a whole or not at all.
 *
 * The new folder is written beside the old one as `.<name>.new-<uuid>`, flushed to disk, and the two change places by two
 * renames: old aside to `.<name>.old-<uuid>`, new in. A process killed between the two leaves the older model aside, where
 * {@link findModel} finds it until the next save. Of what a killed save has left, only folders of these names that hold
 * nothing but a model's files are removed: an old one once a newer model is in place, a new one a day later.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, renameSync, statSync } from 'node:fs';
import { mkdir, open, readdir, readFile, realpath, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { HadamardError, isHadamardError } from '../errors.js';
import { removedOnExit } from '../removedOnExit.js';

export const modelFormat = 'hadamard-model';
/**
 * The version of the folder's layout that this package writes; it reads this one and those before. 2 has the SHA-256 of every
 * file in model.json, and the lists of a separable background.
 */
export const modelVersion = 2;

/** Every file a model folder may hold. */
export const modelFiles: readonly string[] = [
  'U.npy',
  'V.npy',
  'row_bias.npy',
  'column_bias.npy',
  'background_rows.npy',
  'background_columns.npy',
  'row_covariance.npy',
  'column_covariance.npy',
  'column_weights.npy',
  'rows.jsonl',
  'columns.jsonl',
  'uncertainty.json',
  'model.json',
  'canonical',
  join('canonical', 'U.npy'),
  join('canonical', 'd.npy'),
  join('canonical', 'V.npy'),
];

/** How often a save begins again that another save of the same folder has come across. */
const mostAttempts = 50;

/**
 * Checks, before anything is computed, that a model can be saved to `directory`, and leaves no trace of the check.
 *
 * @throws HadamardError `invalid-option` for an empty path; `output-refused` when it is neither new, empty nor a hadamard
 *   model; `output-failed` when it cannot be written.
 */
export async function checkOutput(directory: string): Promise<void> {
  if (directory === '')
    throw new HadamardError({
      code: 'invalid-option',
      what: 'out is empty.',
      position: { option: 'out' },
      rule: 'A model is written to a folder that has a name.',
      remedy: 'Give a folder, for example --out model.',
    });
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
  const fresh = besideOf(target, 'new');
  await orFail(directory, async () => {
    const createdParent = await mkdir(parent, { recursive: true });
    await removeLeftovers(target, 'new');
    const superseded = await removedOnExit([fresh], async () => {
      try {
        await mkdir(fresh);
        await write(fresh);
        await flush(fresh);
        return await swapIn(fresh, target, directory);
      } catch (error) {
        await rm(fresh, { recursive: true, force: true });
        await removeEmptyParents(parent, createdParent);
        throw error;
      }
    });
    await removedOnExit(superseded, () => removeLeftovers(target, 'old'));
  });
}

function besideOf(target: string, kind: 'new' | 'old'): string {
  return join(dirname(target), `.${basename(target)}.${kind}-${randomUUID()}`);
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The folders that {@link besideOf} has named. */
function leftoversOf(target: string, kind: 'new' | 'old', names: readonly string[]): string[] {
  const prefix = `.${basename(target)}.${kind}-`;
  return names
    .filter((name) => name.startsWith(prefix) && uuid.test(name.slice(prefix.length)))
    .map((name) => join(dirname(target), name));
}

/** No save takes a day: an older new folder is of one that was killed. */
const abandonedAfter = 24 * 3600 * 1000;

/** Old folders are superseded once there is a model in place. What cannot be removed does no harm. */
async function removeLeftovers(target: string, kind: 'new' | 'old'): Promise<void> {
  const names = await readdir(dirname(target)).catch(() => []);
  for (const folder of leftoversOf(target, kind, names)) {
    const status = lstatSync(folder, { throwIfNoEntry: false });
    const isDone =
      kind === 'old' ? existsSync(target) : status !== undefined && Date.now() - status.mtimeMs > abandonedAfter;
    if (!status?.isDirectory() || !isDone) continue;
    const foreign = await foreignIn(folder).catch(() => undefined);
    if (foreign?.length === 0) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** The folder to read a model from: `directory`, or what a save killed between its two renames has left aside. */
export function findModel(directory: string): string {
  const target = resolve(directory);
  if (existsSync(target) || !existsSync(dirname(target))) return target;
  const asides = leftoversOf(target, 'old', readdirSync(dirname(target))).filter((folder) =>
    existsSync(join(folder, 'model.json')),
  );
  const age = (folder: string) => statSync(folder, { throwIfNoEntry: false })?.ctimeMs ?? 0;
  return asides.sort((a, b) => age(b) - age(a))[0] ?? target;
}

/** Of several saves at the same time each has its turn; the last one stays. @returns the folder that it supersedes, if any. */
async function swapIn(fresh: string, target: string, directory: string): Promise<string[]> {
  for (let attempt = 1; ; attempt++) {
    await targetOf(directory);
    try {
      return swap(fresh, target);
    } catch (error) {
      if (attempt === mostAttempts || !isCrossing(error)) throw error;
      await setTimeout(Math.random() * 10);
    }
  }
}

/** What renames say when another process has renamed in between: the old folder is gone, or a new one is there. */
function isCrossing(error: unknown): boolean {
  return ['ENOENT', 'ENOTEMPTY', 'EEXIST', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Without a pause in which the event loop could turn, so that an exit finds either the old model or the new one. */
function swap(fresh: string, target: string): string[] {
  if (!existsSync(target)) {
    renameSync(fresh, target);
    return [];
  }
  const aside = besideOf(target, 'old');
  renameSync(target, aside);
  try {
    renameSync(fresh, target);
  } catch (error) {
    // Where another save has put its model in place, the one aside is superseded.
    if (!existsSync(target)) renameSync(aside, target);
    throw error;
  }
  return [aside];
}

/** The real path of the folder to be replaced, checked to be new, empty or a model and nothing else. */
async function targetOf(directory: string): Promise<string> {
  return orFail(directory, async () => {
    const path = resolve(directory);
    for (let attempt = 1; ; attempt++) {
      const before = inode(path);
      try {
        return await checkedTarget(path, directory);
      } catch (error) {
        // Another save may have put its folder there between one look and the next.
        if (attempt === mostAttempts || inode(path) === before) throw error;
      }
    }
  });
}

function inode(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

async function checkedTarget(path: string, directory: string): Promise<string> {
  if (!existsSync(path)) {
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink())
      throw refused(directory, 'is a link to nothing, or to what cannot be reached');
    return path;
  }
  const target = await realpath(path);
  const status = await stat(target);
  if (!status.isDirectory()) throw refused(directory, 'is a file');
  if (status.dev !== (await stat(dirname(target))).dev)
    throw refused(directory, 'is a mount point, which cannot be replaced as a whole');
  if ((await readdir(target)).length === 0) return target;
  if (!(await holdsModel(target))) throw refused(directory, 'is not empty and holds no hadamard model');
  const foreign = await foreignIn(target);
  if (foreign.length > 0)
    throw refused(
      directory,
      `holds more than a model (${foreign
        .slice(0, 3)
        .map((name) => `"${name}"`)
        .join(', ')})`,
    );
  return target;
}

/** What is in a folder, and in folders in it, that no model has. */
async function foreignIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => !modelFiles.includes(name));
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

/** Files of the folder and of folders in it, then the folder itself, reach the disk. */
async function flush(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    await (entry.isDirectory() ? flush(path) : sync(path, 'r+'));
  }
  if (process.platform !== 'win32') await sync(folder, 'r');
}

async function sync(path: string, flags: string): Promise<void> {
  const file = await open(path, flags);
  try {
    await file.sync();
  } finally {
    await file.close();
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
