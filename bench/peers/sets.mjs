/**
 * The sets of the races: entries split once, by a seed, into train, validation and test (80, 10, 10 %), as raw little-endian
 * arrays that every tool reads, and as the text files that whole processes begin with.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readMatrixMarket } from '../matrixMarket.mjs';
import { generator, movieLens20M, ratings } from '../synthetic.mjs';

const movieLens10M = { rows: 70_000, columns: 10_000, observed: 10_000_000, seed: 10 };

export const sets = {
  'ml-1m': { kind: 'explicit', from: (data) => matrixMarket(join(data, 'ml-1m/A.mtx.gz')) },
  'ml-10m-like': { kind: 'explicit', from: () => listed(ratings(movieLens10M), halfStars) },
  'ml-20m-like': { kind: 'explicit', from: () => listed(ratings(movieLens20M), halfStars) },
  'lastfm-2k': { kind: 'implicit', from: (data) => matrixMarket(join(data, 'lastfm-2k/A.mtx.gz')) },
  'ml-20m-counts': { kind: 'implicit', from: () => listed(ratings({ ...movieLens20M, affinity: 2 }), counted) },
};

const halfStars = (signal) => Math.min(5, Math.max(0.5, Math.round(2 * signal) / 2));
/** Plays: what is liked is played more often. */
const counted = (signal) => Math.max(1, Math.round(2 ** (signal - 2)));

function listed({ rowPointers, columnIndices, values, shape }, asValue) {
  const rows = new Uint32Array(values.length);
  for (let i = 0; i < shape[0]; i++) rows.fill(i, rowPointers[i], rowPointers[i + 1]);
  return { rows, columns: columnIndices, values: values.map(asValue), shape };
}

function matrixMarket(path) {
  const A = readMatrixMarket(path);
  return { ...A, values: Float32Array.from(A.values) };
}

const parts = ['train', 'validation', 'test'];

/** The folder of a set, made where it is not there. */
export function prepare(name, work, data) {
  const folder = join(work, name);
  if (existsSync(join(folder, 'shape.json'))) return folder;
  mkdirSync(folder, { recursive: true });
  const { rows, columns, values, shape } = sets[name].from(data);
  const random = generator(1);
  const partOf = Uint8Array.from(values, () => {
    const u = random();
    return u < 0.8 ? 0 : u < 0.9 ? 1 : 2;
  });
  // Nothing is known of a row or column without a training entry: tools differ in what they then say.
  const known = { rows: new Uint8Array(shape[0]), columns: new Uint8Array(shape[1]) };
  partOf.forEach((p, t) => {
    if (p === 0) known.rows[rows[t]] = known.columns[columns[t]] = 1;
  });
  parts.forEach((part, p) => {
    const isChosen = (t) => partOf[t] === p && known.rows[rows[t]] && known.columns[columns[t]];
    const chosen = (list) => list.filter((_, t) => isChosen(t));
    const entries = { rows: chosen(rows), columns: chosen(columns), values: chosen(values) };
    for (const [key, list] of Object.entries(entries)) writeFileSync(join(folder, `${part}.${key}`), bytesOf(list));
    writeFileSync(join(folder, `${part}.txt`), text(entries, ' '));
    if (part === 'train') writeFileSync(join(folder, 'train.csv'), text(entries, ','));
  });
  writeFileSync(join(folder, 'shape.json'), JSON.stringify(shape));
  return folder;
}

function bytesOf(list) {
  return Buffer.from(list.buffer, list.byteOffset, list.byteLength);
}

function text({ rows, columns, values }, delimiter) {
  const pieces = [];
  let piece = '';
  for (let t = 0; t < values.length; t++) {
    piece += `${rows[t]}${delimiter}${columns[t]}${delimiter}${values[t]}\n`;
    if (piece.length > 1 << 20) {
      pieces.push(Buffer.from(piece));
      piece = '';
    }
  }
  return Buffer.concat([...pieces, Buffer.from(piece)]);
}

/** One part of a prepared set. */
export function load(folder, part) {
  const raw = (key) => readFileSync(join(folder, `${part}.${key}`)).buffer;
  return {
    rows: new Uint32Array(raw('rows')),
    columns: new Uint32Array(raw('columns')),
    values: new Float32Array(raw('values')),
    shape: JSON.parse(readFileSync(join(folder, 'shape.json'), 'utf8')),
  };
}
