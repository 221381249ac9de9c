/** Packed files: .gz, and .zst where this Node has zstd. */
import type { Duplex } from 'node:stream';
import * as zlib from 'node:zlib';
import { HadamardError } from '../errors.js';
import { packingOf } from './formatOf.js';

/** zlib of Node 22.15, 23.8 and later. */
const { createZstdCompress, createZstdDecompress } = zlib as {
  createZstdCompress?: () => Duplex;
  createZstdDecompress?: (options: zlib.ZlibOptions) => Duplex;
};

/** @throws HadamardError `unsupported-format` for zstd where this Node has none. */
export function unpacker(path: string, packing: 'gz' | 'zst', chunkSize: number): Duplex {
  if (packing === 'gz') return zlib.createGunzip({ chunkSize });
  if (createZstdDecompress) return createZstdDecompress({ chunkSize });
  throw noZstd(path, 'unpack', 'Use a later Node, or unpack it: zstd -d, or pack it with gzip.');
}

/**
 * What packs a file as its name ends; undefined where it is written as it is.
 *
 * @throws HadamardError `unsupported-format` for zstd where this Node has none.
 */
export function packer(path: string): Duplex | undefined {
  const packing = packingOf(path);
  if (packing === undefined) return undefined;
  if (packing === 'gz') return zlib.createGzip();
  if (createZstdCompress) return createZstdCompress();
  throw noZstd(path, 'pack', 'Use a later Node, or a name that ends in .gz.');
}

function noZstd(path: string, verb: 'pack' | 'unpack', remedy: string): HadamardError {
  return new HadamardError({
    code: 'unsupported-format',
    what: `${path} is zstd, which Node ${process.versions.node} cannot ${verb}.`,
    position: { file: path },
    rule: 'Files that end in .zst need Node 22.15 or later.',
    remedy,
  });
}
