/**
 * NumPy's .npz: matrices of scipy.sparse.save_npz (csr, csc, coo), a single two-dimensional array of numpy.savez, or arrays
 * row, col and data. Pickled objects are refused: nothing is ever executed.
 */
import type { Triples } from '../data/input.js';
import { HadamardError } from '../errors.js';
import { type ByteFile, openBytes } from './byteFile.js';
import { sortEntries } from './compressedRows.js';
import { excerpts } from './excerpt.js';
import { malformed } from './lines.js';
import { npyHeader, npyMatrix, npyParts, parseNpy, parseNpyHeader } from './npy.js';
import type { Chunks } from './output.js';
import { checkRoom } from './room.js';
import type { Table } from './table.js';
import { readDirectory, readHead, readMember, type ZipMember } from './zip.js';
import { zipChunks } from './zipWrite.js';

const ending = '.npy';
/** The most that is read of a member to see its header. */
const headBytes = 1 << 16;
/** Rows and columns are 32-bit numbers. */
const largestSide = 2 ** 32 - 1;

/** @throws HadamardError `malformed-file`, `unsupported-format`, `invalid-value`, `index-out-of-range`, `shape-mismatch`, `not-enough-memory`. */
export async function readNpz(path: string, memoryLimit?: number): Promise<Table> {
  const file = await openBytes(path);
  try {
    const members = (await readDirectory(path, file)).filter(({ name }) => name.endsWith(ending));
    checkRoom(
      path,
      members.reduce((bytes, { unpacked }) => bytes + unpacked, 0),
      memoryLimit,
    );
    return await new Archive(path, file, members).table();
  } finally {
    await file.close();
  }
}

class Archive {
  readonly #path: string;
  readonly #file: ByteFile;
  readonly #members: ReadonlyMap<string, ZipMember>;

  constructor(path: string, file: ByteFile, members: readonly ZipMember[]) {
    this.#path = path;
    this.#file = file;
    this.#members = new Map(members.map((member) => [member.name.slice(0, -ending.length), member]));
  }

  async table(): Promise<Table> {
    const names = [...this.#members.keys()];
    const has = (...wanted: readonly string[]) => wanted.every((name) => this.#members.has(name));
    if (has('format')) return this.#sparse(await this.#format());
    if (has('row', 'col', 'data')) return { matrix: await this.#coordinates(), notes: [] };
    if (has('indptr', 'indices', 'data', 'shape')) throw this.#unsaid();
    const [only] = names;
    if (names.length === 1 && only !== undefined) {
      const path = this.#nameOf(only);
      return npyMatrix(path, parseNpy(path, await this.#bytes(only)));
    }
    throw malformed(
      this.#path,
      `${this.#path} holds ${names.length === 0 ? 'no arrays' : excerpts(names)}.`,
      {},
      'An .npz is a matrix of scipy.sparse.save_npz, one array, or the arrays row, col and data.',
      'Save it with scipy.sparse.save_npz(path, matrix) or numpy.savez(path, array).',
    );
  }

  async #sparse(format: string): Promise<Table> {
    if (format === 'coo') return { matrix: await this.#coordinates(), notes: [] };
    if (format === 'csr' || format === 'csc') return { matrix: await this.#compressed(format), notes: [] };
    throw new HadamardError({
      code: 'unsupported-format',
      what: `${this.#path} is a matrix in the format "${format}".`,
      position: { file: this.#path },
      rule: 'Sparse matrices are csr, csc or coo.',
      remedy: 'Convert it: scipy.sparse.save_npz(path, matrix.tocsr()).',
    });
  }

  /** csr and csc: where each row (column) begins, and the columns (rows) and values of all. */
  async #compressed(format: 'csr' | 'csc'): Promise<Triples> {
    const [m, n] = await this.#shape();
    const [outer, inner] = format === 'csr' ? [m, n] : [n, m];
    const starts = await this.#vector('indptr');
    const indices = await this.#vector('indices');
    const values = await this.#vector('data');
    if (starts.length !== outer + 1 || starts[0] !== 0 || starts[outer] !== values.length)
      throw this.#inconsistent(`has ${starts.length} pointers for ${outer} ${format === 'csr' ? 'rows' : 'columns'}`);
    const outers = new Uint32Array(values.length);
    for (let i = 0; i < outer; i++) {
      const end = starts[i + 1] as number;
      if (!(Number.isInteger(end) && end >= (starts[i] as number) && end <= values.length))
        throw this.#inconsistent(`has pointers that fall, at ${i}`);
      outers.fill(i, starts[i] as number, end);
    }
    const inners = this.#indices(indices, inner, values.length, format === 'csr' ? 'column' : 'row');
    const [rows, columns] = format === 'csr' ? [outers, inners] : [inners, outers];
    return { rows, columns, values: this.#finite(values), shape: [m, n] };
  }

  async #coordinates(): Promise<Triples> {
    const row = await this.#vector('row');
    const col = await this.#vector('col');
    const values = this.#finite(await this.#vector('data'));
    const [m, n] = this.#members.has('shape') ? await this.#shape() : [1 + largest(row), 1 + largest(col)];
    return {
      rows: this.#indices(row, m, values.length, 'row'),
      columns: this.#indices(col, n, values.length, 'column'),
      values,
      shape: [m, n],
    };
  }

  #indices(given: ArrayLike<number>, size: number, count: number, side: 'row' | 'column'): Uint32Array {
    if (given.length !== count) throw this.#inconsistent(`has ${given.length} ${side} indices and ${count} values`);
    return Uint32Array.from(given, (index, t) => {
      if (index >= 0 && index < size && Number.isInteger(index)) return index;
      throw new HadamardError({
        code: 'index-out-of-range',
        what: `Entry ${t} of ${this.#path} has the ${side} ${index}, of ${size}.`,
        position: { file: this.#path, index: t },
        rule: 'Indices count from 0 and lie in the shape.',
        remedy: 'Save it again with scipy.sparse.save_npz.',
      });
    });
  }

  #finite<T extends ArrayLike<number>>(values: T): T {
    for (let t = 0; t < values.length; t++)
      if (!Number.isFinite(values[t]))
        throw new HadamardError({
          code: 'invalid-value',
          what: `Entry ${t} of ${this.#path} is ${values[t]}.`,
          position: { file: this.#path, index: t },
          rule: 'Listed entries are finite numbers.',
          remedy: 'Leave unknown entries out.',
        });
    return values;
  }

  async #shape(): Promise<[number, number]> {
    const shape = await this.#vector('shape');
    const [m = 0, n = 0] = shape;
    const isSide = (size: number) => Number.isInteger(size) && size >= 1 && size <= largestSide;
    if (shape.length === 2 && isSide(m) && isSide(n)) return [m, n];
    throw new HadamardError({
      code: 'shape-mismatch',
      what: `${this.#path} has the shape (${Array.from(shape).join(', ')}).`,
      position: { file: this.#path },
      rule: 'A matrix has two dimensions, each of 1 … 2³² − 1.',
      remedy: 'Reshape it before it is saved.',
    });
  }

  /** A list of numbers. */
  async #vector(name: string) {
    if (!this.#members.has(name)) throw this.#inconsistent(`has no array "${name}"`);
    const { data, shape } = parseNpy(this.#nameOf(name), await this.#bytes(name));
    if (shape.length === 1) return data;
    throw this.#inconsistent(`has an array "${name}" of ${shape.length} dimensions`);
  }

  /** csr, csc, … as bytes or as text. */
  async #format(): Promise<string> {
    const bytes = await this.#bytes('format', /^[|<]?[SU]\d{1,2}$/);
    const start = bytes.lastIndexOf('\n') + 1;
    return bytes.toString('latin1', start).replaceAll('\0', '');
  }

  /** A member as a whole, after its header has been held against the length that the archive announces. */
  async #bytes(name: string, text?: RegExp): Promise<Buffer> {
    const member = this.#members.get(name) as ZipMember;
    const head = await readHead(this.#path, this.#file, member, headBytes);
    if (text?.test(/'descr'\s*:\s*'([^']*)'/.exec(head.toString('latin1', 0, 256))?.[1] ?? '')) {
      if (member.unpacked > headBytes) throw this.#inconsistent(`has ${member.unpacked} bytes of "${name}"`);
    } else {
      const { start, bytes, item, shape } = parseNpyHeader(this.#nameOf(name), head);
      if (start + bytes !== member.unpacked)
        throw this.#inconsistent(
          `announces ${shape.join('×')} items of ${item.bytes} bytes in "${name}", and has ${member.unpacked - start} bytes`,
        );
    }
    return readMember(this.#path, this.#file, member);
  }

  #nameOf(member: string): string {
    return `${this.#path}/${member}${ending}`;
  }

  /** Compressed without a word whether by rows or by columns. */
  #unsaid(): HadamardError {
    return new HadamardError({
      code: 'unsupported-format',
      what: `${this.#path} does not say whether it is compressed by rows or by columns.`,
      position: { file: this.#path },
      rule: 'A compressed matrix has an array "format" of csr or csc.',
      remedy: 'Save it with scipy.sparse.save_npz.',
    });
  }

  #inconsistent(what: string): HadamardError {
    return malformed(
      this.#path,
      `${this.#path} ${what}.`,
      {},
      'The arrays of a sparse matrix agree in length.',
      'Save it again with scipy.sparse.save_npz.',
    );
  }
}

function largest(indices: ArrayLike<number>): number {
  let most = -1;
  for (let t = 0; t < indices.length; t++) most = Math.max(most, indices[t] as number);
  return most;
}

/** A csr matrix that scipy.sparse.load_npz opens. @throws HadamardError `duplicate-entry` */
export async function* npzChunks(triples: Triples, path: string): Chunks {
  const [m, n] = triples.shape;
  const { rowStarts, columns, values } = sortEntries(triples, path);
  const isNarrow = Math.max(n, values.length) < 2 ** 31;
  const integers = (list: ArrayLike<number>) =>
    isNarrow ? Int32Array.from(list) : BigInt64Array.from(list as ArrayLike<number>, BigInt);
  yield* zipChunks([
    ['indices.npy', npyParts(integers(columns), [columns.length])],
    ['indptr.npy', npyParts(integers(rowStarts), [m + 1])],
    ['format.npy', [npyHeader('|S3', []), Buffer.from('csr')]],
    ['shape.npy', npyParts(BigInt64Array.of(BigInt(m), BigInt(n)), [2])],
    ['data.npy', npyParts(values, [values.length])],
  ]);
}
