/** A model for other programs: vector stores, nearest-neighbour libraries, Python. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HadamardError } from '../errors.js';
import { csvField } from '../formats/csvWrite.js';
import { jsonLineChunks } from '../formats/jsonLines.js';
import { npyParts } from '../formats/npy.js';
import { inPieces } from '../formats/output.js';
import { type Content, replaceFile, replaceFiles } from '../formats/replaceFile.js';
import { safetensorsContent, type Tensor } from '../formats/safetensors.js';
import { didYouMean } from '../suggest.js';
import { version } from '../version.js';
import { checkModel } from './checkModel.js';
import type { Model } from './model.js';
import { type ExportSide, type VectorOptions, type Vectors, vectorsOf } from './vectors.js';

export const exportFormats = ['npy', 'safetensors', 'pgvector', 'json', 'csv'] as const;
export type ExportFormat = (typeof exportFormats)[number];

export interface ExportOptions extends VectorOptions {
  /**
   * npy: a folder of rows.npy and columns.npy with the labels in rows.jsonl and columns.jsonl, and the biases. safetensors: one
   * file, labels in its metadata as JSON. pgvector: CSV of id,embedding in f32, for `COPY … CSV HEADER`. json: a line
   * { id, vector, bias } each. csv: id, then a field a latent column. An id is the label, or the index from 0.
   */
  readonly format: ExportFormat;
  /** A file for safetensors and for one side of pgvector, json and csv; a folder for the others. */
  readonly out: string;
  /** Default both. */
  readonly side?: ExportSide | 'both' | undefined;
}

export interface Exported {
  readonly files: readonly string[];
  /** Of each side that was written. */
  readonly vectors: Readonly<Partial<Record<ExportSide, { readonly count: number; readonly width: number }>>>;
  /** Inner products plus this are predictions; without `withBias` the biases are to be added too. */
  readonly mean: number;
}

/**
 * Writes the vectors of rows, columns or both. Files are replaced as a whole; a failure leaves the older ones.
 *
 * @throws HadamardError `invalid-option`; `incompatible-options` for `canonical` as `Model.canonical`; `output-failed`.
 */
export async function exportModel(model: Model, options: ExportOptions): Promise<Exported> {
  checkModel(model);
  const { format, out, side = 'both', canonical = false, withBias = false } = options ?? {};
  checkExport(format, out, side);
  const sides: ExportSide[] = side === 'both' ? ['rows', 'columns'] : [side];
  const form = canonical ? model.canonical() : undefined;
  const vectors = Object.fromEntries(sides.map((one) => [one, vectorsOf(model, one, form, withBias)])) as Partial<
    Record<ExportSide, Vectors>
  >;
  const { mean } = model.biases;
  const sizes = Object.fromEntries(Object.entries(vectors).map(([one, { count, width }]) => [one, { count, width }]));
  const written = (files: string[]): Exported => ({ files, vectors: sizes, mean });
  if (format === 'safetensors') {
    await replaceFile(out, safetensorsContent(tensorsOf(vectors), metadataOf(model, vectors, options)));
    return written([out]);
  }
  const files: Record<string, Content> = {};
  for (const one of sides) Object.assign(files, filesOf(format, one, vectors[one] as Vectors));
  if (format !== 'npy' && side !== 'both') {
    await replaceFile(out, Object.values(files)[0] as Content);
    return written([out]);
  }
  if (existsSync(join(out, 'model.json'))) throw isModel(out);
  await replaceFiles(out, files);
  return written(Object.keys(files).map((name) => join(out, name)));
}

function isModel(out: string): HadamardError {
  return new HadamardError({
    code: 'output-refused',
    what: `${out} is the folder of a model.`,
    position: { option: 'out', file: out },
    rule: 'Vectors are written to a folder of their own: a model folder holds what it was saved with and nothing else.',
    remedy: 'Give another folder.',
  });
}

function checkExport(format: unknown, out: unknown, side: unknown): void {
  const refuse = (option: string, what: string, rule: string, remedy: string) => {
    throw new HadamardError({ code: 'invalid-option', what, position: { option }, rule, remedy });
  };
  for (const [option, value, choices] of [
    ['format', format, exportFormats],
    ['side', side, ['rows', 'columns', 'both']],
  ] as const)
    if (!(choices as readonly unknown[]).includes(value))
      refuse(
        option,
        `${option} is ${String(value)}.`,
        `${option} is one of ${choices.join(', ')}.`,
        `${didYouMean(value, choices)}Give one of these.`,
      );
  if (typeof out !== 'string' || out === '')
    refuse(
      'out',
      `out is ${out === '' ? 'empty' : String(out)}.`,
      'out is the path of a file or folder, a string.',
      'Give such a path.',
    );
}

const one = { rows: 'row', columns: 'column' } as const;

function tensorsOf(vectors: Partial<Record<ExportSide, Vectors>>): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = {};
  for (const [side, { data, count, width, bias }] of Object.entries(vectors)) {
    tensors[side] = { data, shape: [count, width] };
    if (bias) tensors[`${one[side as ExportSide]}_bias`] = { data: bias, shape: [count] };
  }
  return tensors;
}

/** Strings alone, as the format has it. */
function metadataOf(
  { biases, rank }: Model,
  vectors: Partial<Record<ExportSide, Vectors>>,
  { canonical = false, withBias = false }: VectorOptions,
): Record<string, string> {
  const labels = Object.entries(vectors).flatMap(([side, { labels }]) =>
    labels ? [[`${one[side as ExportSide]}_labels`, JSON.stringify(labels)]] : [],
  );
  return {
    producer: `hadamard ${version}`,
    rank: String(rank),
    mean: String(biases.mean),
    biases: biases.kind,
    canonical: String(canonical),
    with_bias: String(withBias),
    ...Object.fromEntries(labels),
  };
}

function filesOf(
  format: Exclude<ExportFormat, 'safetensors'>,
  side: ExportSide,
  vectors: Vectors,
): Record<string, Content> {
  const { data, count, width, labels, bias } = vectors;
  switch (format) {
    case 'npy':
      return {
        [`${side}.npy`]: npyParts(data, [count, width]),
        ...(bias && { [`${one[side]}_bias.npy`]: npyParts(bias, [count]) }),
        ...(labels && { [`${side}.jsonl`]: jsonLineChunks(labels) }),
      };
    case 'pgvector':
      return {
        [`${side}.csv`]: textOf(
          vectors,
          'id,embedding\n',
          (id, x) => `${csvField(id)},"[${x.map(shortest).join()}]"\n`,
        ),
      };
    case 'csv': {
      const names = Array.from({ length: width }, (_, c) => `v${c + 1}`);
      const text = data instanceof Float32Array ? shortest : String;
      return {
        [`${side}.csv`]: textOf(
          vectors,
          `${['id', ...names, ...(bias ? ['bias'] : [])].join()}\n`,
          (id, x, b) => `${csvField(id)},${[...x, ...(b === undefined ? [] : [b])].map(text).join()}\n`,
        ),
      };
    }
    case 'json': {
      const text = data instanceof Float32Array ? shortest : String;
      return {
        [`${side}.jsonl`]: textOf(vectors, '', (id, x, b) => {
          const ownBias = b === undefined ? '' : `,"bias":${text(b)}`;
          return `{"id":${labels ? JSON.stringify(id) : id},"vector":[${x.map(text).join()}]${ownBias}}\n`;
        }),
      };
    }
  }
}

/** A header and a line for each vector. */
function textOf(
  { data, count, width, labels, bias }: Vectors,
  header: string,
  line: (id: string, vector: number[], bias: number | undefined) => string,
): Generator<string> {
  return inPieces(
    (function* () {
      yield header;
      for (let i = 0; i < count; i++)
        yield line(labels?.[i] ?? String(i), Array.from(data.subarray(i * width, (i + 1) * width)), bias?.[i]);
    })(),
  );
}

const smallestNormal = 2 ** -126;

/** The shortest decimal that is this number in f32: 0.1 for what a double would write as 0.10000000149011612. */
function shortest(value: number): string {
  const single = Math.fround(value);
  // A decimal of fewer digits that is the same f32 is what 6 digits round to; subnormals have less than 6 to tell.
  for (let digits = Math.abs(single) < smallestNormal ? 1 : 6; digits < 9; digits++) {
    const text = String(Number(single.toPrecision(digits)));
    if (Math.fround(Number(text)) === single) return text;
  }
  return String(Number(single.toPrecision(9)));
}
