/**
 * Hugging Face's safetensors: 8 bytes of header length, a JSON header, raw little-endian tensors side by side.
 *
 * https://github.com/huggingface/safetensors#format
 */
import type { RealArray } from '../data/input.js';
import { HadamardError } from '../errors.js';

export interface Tensor {
  readonly data: RealArray;
  readonly shape: readonly number[];
}

/** What readers take at the most. */
const longestHeader = 100_000_000;

/**
 * The file's bytes, tensors in the order of their names, as Python's save_file has those of one precision.
 *
 * @throws HadamardError `invalid-option` where the metadata is longer than readers take.
 */
export function safetensorsContent(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array[] {
  let end = 0;
  const named = Object.entries(tensors).sort(([a], [b]) => (a < b ? -1 : 1));
  const entries = named.map(([name, { data, shape }]) => {
    const begin = end;
    end += data.byteLength;
    return [name, { dtype: data instanceof Float32Array ? 'F32' : 'F64', shape, data_offsets: [begin, end] }] as const;
  });
  const header = Buffer.from(JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) }));
  // Spaces at the end, so that the tensors are aligned.
  const padded = Buffer.alloc(Math.ceil(header.length / 8) * 8, ' ');
  header.copy(padded);
  if (padded.length > longestHeader)
    throw new HadamardError({
      code: 'invalid-option',
      what: `The header with the labels is ${padded.length} bytes long.`,
      position: { option: 'format' },
      rule: `Readers of safetensors take headers of at most ${longestHeader} bytes.`,
      remedy: "Export as 'npy', which has the labels in files of their own.",
    });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return [
    length,
    padded,
    ...named.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ];
}
