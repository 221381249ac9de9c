/** Checksums of a model folder: of every file in model.json, and of model.json in itself. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';

/** SHA-256 (hex) of a file, as `sha256sum` says it. */
export async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** {@link hashOf} of all files of a folder and of folders in it, by their path in it with `/` between. */
export async function hashesOf(folder: string, under = ''): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const entry of (await readdir(join(folder, under), { withFileTypes: true })).sort(byName)) {
    const name = under === '' ? entry.name : `${under}/${entry.name}`;
    if (entry.isDirectory()) Object.assign(hashes, await hashesOf(folder, name));
    else hashes[name] = await hashOf(join(folder, name));
  }
  return hashes;
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);

const open = '0'.repeat(64);
const place = /"checksum": "([0-9a-f]{64})"/;

/**
 * The text of model.json, whose `checksum` is the SHA-256 of the text itself with 64 zeros in that place: what is changed by
 * an accident anywhere in it is found.
 */
export function sealed({ format, ...description }: { readonly format: string }): string {
  const text = `${JSON.stringify({ format, checksum: open, ...description }, null, 1)}\n`;
  return text.replace(open, createHash('sha256').update(text).digest('hex'));
}

export function isSealed(bytes: Buffer): boolean {
  // Byte by byte: what is no UTF-8 must not pass for something else.
  const text = bytes.toString('latin1');
  const [, checksum] = place.exec(text) ?? [];
  if (checksum === undefined) return false;
  const unsealed = Buffer.from(text.replace(checksum, open), 'latin1');
  return createHash('sha256').update(unsealed).digest('hex') === checksum;
}

/** @throws Error where a file of the folder is none, or leads out of the folder. */
export async function checkInside(folder: string, name: string): Promise<void> {
  const path = join(folder, name);
  const [home, target] = [await realpath(folder), await realpath(path)];
  if (!dirname(target).concat(sep).startsWith(home.concat(sep))) throw new Error('It is a link out of the folder.');
  if (!(await stat(target)).isFile()) throw new Error('It is no file.');
}
