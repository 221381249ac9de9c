/** Files that are replaced as a whole or not at all. */
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { lstat, mkdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Duplex, Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HadamardError, isHadamardError } from '../errors.js';
import { removedOnExit } from '../removedOnExit.js';
import type { Chunks } from './output.js';
import { packer } from './packing.js';

/** What a file is made of, as it comes. */
export type Content = Chunks | Iterable<string | Uint8Array>;

/**
 * Writes beside the file and renames, so that an older file is replaced as a whole or not at all. Links stay: what they
 * lead to is replaced. Pipes, devices and the end of a link to nothing are written to as they are; `-` is stdout. A name
 * that ends in .gz or .zst is packed. Neither an error nor an exit of the process leaves a file that is half written.
 *
 * @param option the flag or option that named it.
 * @throws HadamardError `output-failed`, `unsupported-format` for .zst where this Node has no zstd, and what `chunks` throws.
 */
export async function replaceFile(path: string, chunks: Content, option = 'out'): Promise<void> {
  if (path === '-') {
    for await (const chunk of portions(chunks)) {
      // Nobody reads any more: see cli/main.ts.
      if (process.stdout.destroyed) return;
      if (!process.stdout.write(chunk)) await drained(process.stdout);
    }
    return;
  }
  const pack = packer(path);
  try {
    const [own, status] = await Promise.all([lstat(path), stat(path)].map((found) => found.catch(() => undefined)));
    if (own && !status?.isFile()) {
      await pour(chunks, pack, createWriteStream(path));
      return;
    }
    const target = status ? await realpath(path) : path;
    const fresh = `${target}.new-${randomUUID()}`;
    const to = createWriteStream(fresh, { flags: 'wx', ...(status && { mode: status.mode }) });
    await orRemoved([fresh], async () => {
      await pour(chunks, pack, to);
      await rename(fresh, target);
    });
  } catch (error) {
    if (isHadamardError(error) || !isOfSystem(error)) throw error;
    throw unwritable(path, option, error);
  }
}

/**
 * Writes files into a folder, which is made where there is none: first all beside their places, then all are renamed, so
 * that a failure leaves the older ones.
 *
 * @throws HadamardError `output-failed`; and what a content throws as it is.
 */
export async function replaceFiles(folder: string, files: Readonly<Record<string, Content>>): Promise<void> {
  const suffix = `new-${randomUUID()}`;
  const fresh = (name: string) => join(folder, `.${name}.${suffix}`);
  const names = Object.keys(files);
  try {
    if ((await stat(folder).catch(() => undefined))?.isFile()) throw noFolder(folder);
    const made = await mkdir(folder, { recursive: true });
    await orRemoved(made === undefined ? names.map(fresh) : [made], async () => {
      for (const [name, content] of Object.entries(files))
        await pour(content, undefined, createWriteStream(fresh(name), { flags: 'wx' }));
      for (const name of names) await rename(fresh(name), join(folder, name));
    });
  } catch (error) {
    if (isHadamardError(error) || !isOfSystem(error)) throw error;
    throw unwritable(folder, 'out', error);
  }
}

function noFolder(path: string): HadamardError {
  return new HadamardError({
    code: 'output-refused',
    what: `${path} is a file.`,
    position: { option: 'out', file: path },
    rule: 'Several files are written to a folder.',
    remedy: 'Give a folder, or ask for one side alone.',
  });
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

/** The most that is written at once: the system takes no 2 GiB. */
const mostBytes = 1 << 26;

async function* portions(chunks: Content): Chunks {
  for await (const chunk of chunks) {
    if (typeof chunk === 'string') yield chunk;
    else for (let at = 0; at < chunk.length; at += mostBytes) yield chunk.subarray(at, at + mostBytes);
  }
}

function pour(chunks: Content, pack: Duplex | undefined, to: Writable): Promise<void> {
  const source = Readable.from(portions(chunks), { objectMode: true });
  return pack ? pipeline(source, pack, to) : pipeline(source, to);
}

/** Runs `work`, which makes these files or folders: an error, or an exit of the process, leaves none of them. */
function orRemoved(paths: readonly string[], work: () => Promise<void>): Promise<void> {
  return removedOnExit(paths, () =>
    work().catch(async (error: unknown) => {
      for (const path of paths) await rm(path, { recursive: true, force: true }).catch(() => undefined);
      throw error;
    }),
  );
}

/** Until the stream takes more, or nobody reads it any longer. */
function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done).off('close', done).off('error', done);
      resolve();
    };
    stream.once('drain', done).once('close', done).once('error', done);
  });
}

function isOfSystem(error: unknown): error is NodeJS.ErrnoException {
  return (
    error instanceof Error && ('syscall' in error || (error as NodeJS.ErrnoException).code === 'ERR_INVALID_ARG_VALUE')
  );
}
