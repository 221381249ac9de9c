/** What is written in any format is read again as it was, and opens in Python. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import fc from 'fast-check';
import ndarray from 'ndarray';
import { beforeAll, describe, expect, it } from 'vitest';
import { visitEntries } from '../../dist/src/data/entries.js';
import { formats } from '../../dist/src/formats/formatOf.js';
import { readTable, type Table } from '../../dist/src/formats/readTable.js';
import { holdsLabels, writeTable } from '../../dist/src/formats/writeTable.js';
import { denseOf, entriesOf, failure, fileOf, hasZstd, pathOf } from './files.js';

/** Text with all that is special in some format; a label is not empty. */
const hostile = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
  fc.string({
    unit: fc.constantFrom(
      ...',;:"\'\n\r\t #%\\|={}[]',
      '::',
      '""',
      'a',
      '7',
      'é',
      '日',
      '😀',
      '\u2028',
      '\ufeff',
      '\0',
    ),
    minLength: 1,
    maxLength: 8,
  }),
  fc.constantFrom('007', '9007199254740993', '-0', '1e3', 'NaN', 'null', '__proto__', 'true', '"', ' ', '\n', '# 1'),
);
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

/** A matrix of listed entries, each place once, with labels in order of first appearance. */
const listed = fc
  .uniqueArray(fc.tuple(hostile, hostile, finite, fc.double({ min: 0, noNaN: true, noDefaultInfinity: true })), {
    minLength: 1,
    maxLength: 12,
    selector: ([row, column]) => JSON.stringify([row, column]),
  })
  .map((entries) => {
    const rows = [...new Set(entries.map(([row]) => row))];
    const columns = [...new Set(entries.map(([, column]) => column))];
    const matrix = {
      rows: Uint32Array.from(entries, ([row]) => rows.indexOf(row)),
      columns: Uint32Array.from(entries, ([, column]) => columns.indexOf(column)),
      values: Float64Array.from(entries, ([, , value]) => value),
      shape: [rows.length, columns.length] as const,
    };
    const weights = Float64Array.from(entries, ([, , , weight]) => weight);
    return { entries, weights, table: { matrix, labels: { rows, columns }, notes: [] } };
  });

const dense = fc
  .tuple(
    fc.uniqueArray(hostile, { minLength: 1, maxLength: 5 }),
    fc.uniqueArray(hostile, { minLength: 1, maxLength: 5 }),
  )
  .chain(([rows, columns]) => {
    const length = rows.length * columns.length;
    const cells = fc.array(fc.option(finite, { nil: Number.NaN }), { minLength: length, maxLength: length });
    return cells.map((values) => ({
      values,
      table: {
        matrix: ndarray(Float64Array.from(values), [rows.length, columns.length]),
        labels: { rows, columns },
        notes: [],
      },
    }));
  });

const byPlace = ({ matrix }: Table) => {
  const entries: number[][] = [];
  visitEntries(matrix, undefined, (row, column, value) => entries.push([row, column, value]));
  return entries.sort(([a = 0, b = 0], [c = 0, d = 0]) => a - c || b - d);
};

const labelled = formats.filter(holdsLabels);
const packed = (ending: string) => [`${ending}.gz`, ...(hasZstd ? [`${ending}.zst`] : [])];
const positional = formats.filter((format) => !holdsLabels(format));

describe('entries', () => {
  it.each([...labelled, ...['csv', 'tsv', 'jsonl'].flatMap(packed)])(
    '%s keeps any labels and every bit',
    async (ending) => {
      const path = pathOf(`.${ending}`);
      await fc.assert(
        fc.asyncProperty(listed, async ({ entries, table }) => {
          await writeTable(path, table);
          const again = await readTable(path);
          expect(entriesOf(again)).toStrictEqual(entries.map((entry) => entry.slice(0, 3)));
          expect(again.names).toEqual(['row', 'column', 'value']);
          expect(again.notes).toEqual([]);
        }),
        { numRuns: 20 },
      );
    },
  );

  it.each(labelled)('%s keeps weights and names', async (ending) => {
    const path = pathOf(`.${ending}`);
    await fc.assert(
      fc.asyncProperty(listed, async ({ entries, weights, table }) => {
        await writeTable(path, { ...table, weights, names: ['user', 'item', 'rating'] });
        const again = await readTable(path, { weights: true });
        expect(entriesOf(again)).toStrictEqual(entries);
        expect(again.names).toEqual(['user', 'item', 'rating']);
      }),
      { numRuns: 8 },
    );
  });

  it.each([...positional, ...['mtx', 'npy'].flatMap(packed)])('%s keeps places and every bit', async (ending) => {
    const path = pathOf(`.${ending}`);
    await fc.assert(
      fc.asyncProperty(listed, async ({ table }) => {
        await writeTable(path, table);
        const again = await readTable(path);
        expect(again.matrix.shape).toEqual(table.matrix.shape);
        expect(byPlace(again)).toStrictEqual(byPlace(table));
      }),
      { numRuns: 20 },
    );
  });

  it.each(labelled)('%s counts rows and columns from 0 where there are no labels', async (ending) => {
    const path = pathOf(`.${ending}`);
    const matrix = { rows: Uint32Array.of(5, 0), columns: Uint32Array.of(2, 2), values: Float64Array.of(1, -0) };
    await writeTable(path, { matrix: { ...matrix, shape: [6, 3] }, notes: [] });
    expect(entriesOf(await readTable(path))).toStrictEqual([
      ['5', '2', 1],
      ['0', '2', -0],
    ]);
  });

  it.each(labelled)('%s of more than a batch, in row groups of their own', async (ending) => {
    const path = pathOf(`.${ending}`);
    const count = 70_000;
    const matrix = {
      rows: Uint32Array.from({ length: count }, (_, t) => t % 331),
      columns: Uint32Array.from({ length: count }, (_, t) => Math.floor(t / 331)),
      values: Float64Array.from({ length: count }, (_, t) => t / 7),
      shape: [331, Math.ceil(count / 331)] as const,
    };
    await writeTable(path, { matrix, notes: [] });
    const again = (await readTable(path)).matrix as typeof matrix;
    const bytes = (of: Uint32Array | Float64Array) => Buffer.from(of.buffer, of.byteOffset, of.byteLength);
    expect(again.values.length).toBe(count);
    expect(bytes(again.values).equals(bytes(matrix.values))).toBe(true);
    expect(bytes(again.rows).equals(bytes(matrix.rows))).toBe(true);
  });

  it('takes other names where those of the header could not be read again', async () => {
    const path = pathOf('.csv');
    const matrix = {
      rows: Uint32Array.of(0),
      columns: Uint32Array.of(0),
      values: Float64Array.of(2),
      shape: [1, 1] as const,
    };
    for (const names of [
      ['a', 'a', 'b'],
      ['a', 'b', '3'],
      ['#a', 'b', 'c'],
      ['a', 'b', ''],
    ]) {
      await writeTable(path, { matrix, names, labels: { rows: ['r'], columns: ['c'] }, notes: [] });
      expect(readFileSync(path, 'utf8')).toBe('row,column,value\nr,c,2\n');
    }
  });
});

describe('dense tables', () => {
  it.each(['csv', 'tsv', 'csv.gz', 'parquet', 'arrow'])(
    '%s keeps labels, order and what is unobserved',
    async (ending) => {
      const path = pathOf(`.${ending}`);
      // The libraries read names of columns without a byte order mark at their beginning.
      const readable = dense.filter(
        ({ table }) => ending.startsWith('csv') || table.labels.columns.every((name) => !name.startsWith('\ufeff')),
      );
      await fc.assert(
        fc.asyncProperty(readable, async ({ values, table }) => {
          await writeTable(path, table);
          const again = await readTable(path, { table: true });
          expect(again.labels).toEqual(table.labels);
          expect(denseOf(again)).toStrictEqual(values);
        }),
        { numRuns: 15 },
      );
    },
  );

  it.each(['jsonl', ...positional])('%s keeps the observed cells', async (ending) => {
    const path = pathOf(`.${ending}`);
    await fc.assert(
      fc.asyncProperty(
        dense.filter(({ values }) => values.some((value) => !Number.isNaN(value))),
        async ({ table }) => {
          await writeTable(path, table);
          const again = await readTable(path);
          if (ending === 'jsonl') {
            const { rows, columns } = table.labels;
            const cells = byPlace(table).map(([i, j, value]) => [rows[i as number], columns[j as number], value]);
            expect(entriesOf(again)).toStrictEqual(cells);
          } else expect(byPlace(again)).toStrictEqual(byPlace(table));
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe('is refused and leaves nothing:', () => {
  const matrix = {
    rows: Uint32Array.of(0, 0),
    columns: Uint32Array.of(1, 1),
    values: Float64Array.of(2, 3),
    shape: [1, 2] as const,
  };
  it.each([
    ['an entry listed twice, by position', '.npz', { matrix, notes: [] }, 'duplicate-entry'],
    ['an entry listed twice, in Matrix Market', '.mtx', { matrix, notes: [] }, 'duplicate-entry'],
    ['an entry listed twice, in a dense array', '.npy', { matrix, notes: [] }, 'duplicate-entry'],
    ['weights, by position', '.npz', { matrix, weights: Float64Array.of(1, 1), notes: [] }, 'ambiguous-weights'],
    [
      'an array beyond memory',
      '.npy',
      { matrix: { ...matrix, shape: [2 ** 31, 2 ** 31] as const }, notes: [] },
      'not-enough-memory',
    ],
    ['an unknown ending', '.xls', { matrix, notes: [] }, 'unsupported-format'],
    ['gzip of what is packed', '.parquet.gz', { matrix, notes: [] }, 'unsupported-format'],
  ] as const)('%s', async (_, ending, table, code) => {
    const path = pathOf(ending);
    expect((await failure(writeTable(path, table))).code).toBe(code);
    expect(readdirSync(dirname(path)).filter((name) => path.endsWith(name) || name.includes('.new-'))).toEqual([]);
  });

  it.skipIf(hasZstd)('zstd, where this Node has none', async () => {
    const path = pathOf('.csv.zst');
    expect((await failure(writeTable(path, { matrix, notes: [] }))).code).toBe('unsupported-format');
    expect(existsSync(path)).toBe(false);
  });

  it('a folder that is not there', async () => {
    expect((await failure(writeTable('/nowhere/at/all.csv', { matrix, notes: [] }))).code).toBe('output-failed');
  });

  it('and an older file stays when the writing fails', async () => {
    const path = fileOf('.npz', 'older');
    await failure(writeTable(path, { matrix, notes: [] }));
    expect(readFileSync(path, 'utf8')).toBe('older');
  });
});

/** A Python with scipy, pandas, pyarrow and numpy. */
const python = process.env.HADAMARD_PYTHON;

/** What a file holds, as Python sees it. */
const seen = `import json, numpy as np, pandas as pd, scipy.io, scipy.sparse
def coordinates(m):
    m = m.tocoo()
    return [list(m.shape), sorted([int(i), int(j), float(x)] for i, j, x in zip(m.row, m.col, m.data))]
def array(m): return [list(m.shape), [[int(i), int(j), float(m[i, j])] for i, j in np.argwhere(~np.isnan(m))]]
def frame(f): return [list(f.columns), f.values.tolist()]
def nulls(f): return [list(f.columns), f.isna().values.tolist(), f.fillna(0).values.tolist()]
`;

describe.skipIf(!python || !existsSync(python))('Python (HADAMARD_PYTHON) opens', () => {
  const matrix = {
    rows: Uint32Array.of(2, 0, 0),
    columns: Uint32Array.of(1, 3, 0),
    values: Float64Array.of(0.1, -2, 1.25),
    shape: [3, 4] as const,
  };
  const labels = { rows: ['a', '"\n', 'λ'], columns: ['x', 'y', '007', 'z'] };
  const listed: Table = { matrix, labels, names: ['user', 'item', 'rating'], notes: [] };
  const cells: Table = {
    matrix: ndarray(Float64Array.of(1, Number.NaN, 3, 4), [2, 2]),
    labels: { rows: ['a', 'b'], columns: ['x', 'y'] },
    notes: [],
  };
  const places = [
    [3, 4],
    [
      [0, 0, 1.25],
      [0, 3, -2],
      [2, 1, 0.1],
    ],
  ];
  const entries = [
    ['user', 'item', 'rating'],
    [
      ['λ', 'y', 0.1],
      ['a', 'z', -2],
      ['a', 'x', 1.25],
    ],
  ];
  const table = [
    ['row', 'x', 'y'],
    [
      [false, false, true],
      [false, false, false],
    ],
    [
      ['a', 1, 0],
      ['b', 3, 4],
    ],
  ];
  const openings: [ending: string, code: string, written: Table, expected: unknown][] = [
    ['.npz', 'coordinates(scipy.sparse.load_npz(path))', listed, places],
    ['.mtx', 'coordinates(scipy.io.mmread(path))', listed, places],
    ['.npy', 'array(np.load(path))', listed, places],
    ['.parquet', 'frame(pd.read_parquet(path))', listed, entries],
    ['.feather', 'frame(pd.read_feather(path))', listed, entries],
    ['.csv', 'frame(pd.read_csv(path, dtype={"item": str}))', listed, entries],
    ['.jsonl', 'frame(pd.read_json(path, lines=True, dtype={"item": str}))', listed, entries],
    // Nulls where cells are unobserved.
    ['.parquet', 'nulls(pd.read_parquet(path))', cells, table],
    ['.arrow', 'nulls(pd.read_feather(path))', cells, table],
  ];
  // All in one Python, which takes its time to begin; what fails there fails here by itself.
  let answers: unknown[];
  beforeAll(async () => {
    let script = seen;
    for (const [ending, code, written] of openings) {
      const path = pathOf(ending);
      await writeTable(path, written);
      script += `path = ${JSON.stringify(path)}
try: print(json.dumps(${code}))
except Exception as error: print(json.dumps(repr(error)))
`;
    }
    const printed = execFileSync(python as string, ['-c', script], { encoding: 'utf8' });
    answers = printed
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  });

  it.each([...openings.entries()].map(([at, [ending, code]]) => ({ at, ending, code })))(
    '$ending by $code',
    ({ at }) => {
      expect(answers[at]).toEqual(openings[at]?.[3]);
    },
  );
});

it.each(['.csv', '.jsonl', '.parquet', '.npy', '.npz', '.mtx'])('an infinity is refused in %s', async (ending) => {
  const path = pathOf(ending);
  const matrix = ndarray(Float64Array.of(1, Number.NaN, Number.NEGATIVE_INFINITY, 2), [2, 2]);
  const error = await failure(writeTable(path, { matrix, notes: [] }));
  expect(error).toMatchObject({ code: 'invalid-value', position: { file: path, row: 1, column: 0 } });
  expect(existsSync(path)).toBe(false);
});

describe('bytes', () => {
  it('of .npy are as numpy aligns them', async () => {
    const matrix = {
      rows: Uint32Array.of(1, 0),
      columns: Uint32Array.of(0, 1),
      values: Float64Array.of(2, 0.5),
      shape: [2, 2] as const,
    };
    const path = pathOf('.npy');
    await writeTable(path, { matrix, notes: [] });
    const bytes = readFileSync(path);
    expect(bytes.toString('latin1', 0, 10)).toBe('\x93NUMPY\x01\x00v\x00');
    expect(bytes.subarray(128)).toEqual(Buffer.from(Float64Array.of(Number.NaN, 0.5, 2, Number.NaN).buffer));
  });
});
