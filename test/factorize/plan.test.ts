/** plan() says what a fit takes, without taking it; factorize takes that and no more. */
import { totalmem } from 'node:os';
import { describe, expect, test, vi } from 'vitest';
import { survey } from '../../dist/src/data/observations.js';
import { planFit } from '../../dist/src/factorize/plan.js';
import { type FactorizeOptions, factorize, type Plan, plan } from '../../dist/src/index.js';
import { checkOptions } from '../../dist/src/options.js';
import { dense, problem, sqrtWeights, triples } from '../helpers/problem.js';

const of = problem({ m: 300, n: 200, density: 0.3, isWeighted: true });

test('the plan of a shape is that of data as evenly spread', () => {
  const full = problem({ m: 60, n: 40 });
  const ofData = plan(triples(full), { rank: 5, threads: 3 });
  expect(plan({ shape: [60, 40] }, { rank: 5, threads: 3 })).toEqual(ofData);
  expect(plan(dense(full), { rank: 5, threads: 3 })).toEqual(ofData);
});

/** Every row holds `each` entries, and every column as many as any other. */
function even(m: number, n: number, each: number) {
  const entries = Array.from({ length: m * each }, (_, t) => {
    const row = Math.floor(t / each);
    return { row, column: (row * each + (t % each)) % n, value: t % 7, weight: 1 };
  });
  return triples({ m, n, entries });
}

test.each([
  [600, 300, 40],
  [1000, 250, 7],
  [40, 4000, 300],
])('the plan of a shape is that of %i×%i data with %i entries in every row', (m, n, each) => {
  for (const options of [{ rank: 3 }, { rank: 32, threads: 2 }, { rank: 50, residency: 'staged' }] as const) {
    const both = { ...options, inline: 'never' } as const;
    const ofData = plan(even(m, n, each), both);
    expect(plan({ shape: [m, n], observed: m * each }, both)).toEqual(ofData);
    if (options.rank === 32) expect(ofData.blocks.rows + ofData.blocks.columns).toBeGreaterThan(5);
  }
});

test('the plan of a shape takes no time, however many rows', () => {
  const before = process.memoryUsage();
  const started = performance.now();
  for (const observed of [10, 1e8])
    expect(plan({ shape: [4e7, 10], observed }, { rank: 1, method: 'als', memoryLimit: 1e15 })).toMatchObject({
      observed,
    });
  expect(() => plan({ shape: [4e9, 10], observed: 10 }, { rank: 1 })).toThrow(/needs \d+ MiB/);
  expect(performance.now() - started).toBeLessThan(200);
  const after = process.memoryUsage();
  expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(10e6);
});

test('the fit does what the plan says', async () => {
  const table = [
    { rank: 4 },
    { rank: 4, threads: 2, inline: 'never' },
    { rank: 9, biases: 'both', dtype: 'f64', threads: 3, inline: 'never', residency: 'staged' },
    { rank: 4, method: 'gradient' },
  ] as const;
  for (const row of table) {
    const options = { ...row, weights: sqrtWeights(of), maxSweeps: 2 };
    const planned = plan(triples(of), options);
    const { fit } = await factorize(triples(of), options);
    expect(fit).toMatchObject({
      rows: planned.rows,
      columns: planned.columns,
      observed: planned.observed,
      blocks: planned.blocks,
      inline: planned.inline,
      resident: planned.resident,
      dtype: planned.dtype,
    });
    expect(fit.memoryBytes.planned).toBe(planned.bytes.total);
    expect(fit.threads).toBe('threads' in row ? row.threads : checkOptions({ rank: 1 }).threads);
  }
});

test('the shared memory is the pages of the layout, and its parts are within the total', () => {
  const { layout, bytes } = planFit(survey(triples(of), undefined), checkOptions({ rank: 12 }));
  expect(layout.bytes.memory).toBe(layout.pages * 65536);
  const parts = bytes.factors + bytes.scratch + bytes.observations + bytes.method;
  expect(layout.bytes.memory + layout.bytes.outside).toBeGreaterThanOrEqual(parts - 65536);
  expect(bytes.total).toBeGreaterThanOrEqual(layout.bytes.memory + layout.bytes.outside + bytes.model);
  // U and V without padding, f32.
  expect(bytes.model).toBe(500 * 12 * 4);
});

describe('a plan by its numbers', () => {
  const netflix = { shape: [480_189, 17_770], observed: 100_480_507, weighted: false } as const;
  const bytesPerEntry = ({ bytes }: Plan) => bytes.observations / netflix.observed;

  test('16 bytes an entry for values, 24 with weights; f64 24 and 40', () => {
    const of = (dtype: 'f32' | 'f64', weighted: boolean) =>
      bytesPerEntry(plan({ ...netflix, weighted }, { rank: 10, dtype, memoryLimit: 1e12 }));
    for (const [dtype, weighted, expected] of [
      ['f32', false, 16],
      ['f32', true, 24],
      ['f64', false, 24],
      ['f64', true, 40],
    ] as const)
      expect(Math.abs(of(dtype, weighted) - expected)).toBeLessThan(0.1);
  });

  test('nothing is allocated', () => {
    const before = process.memoryUsage();
    const said = plan(
      { shape: [1e6, 1e5], observed: 2e9, weighted: true },
      { rank: 64, threads: 4, memoryLimit: 1e12 },
    );
    const after = process.memoryUsage();
    expect(said.resident).toBe(false);
    expect(said.bytes.total).toBeGreaterThan(48e9);
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(100e6);
  });

  test('factors and blocks', () => {
    const { bytes, blocks, threads, inline } = plan(netflix, {
      rank: 15,
      biases: 'both',
      threads: 7,
      memoryLimit: 1e12,
      acceleration: 'none',
      method: 'als',
    });
    expect(bytes.factors).toBe(2 * (480_189 + 17_770) * 16 * 4);
    expect(blocks.rows).toBeGreaterThan(100);
    expect(blocks.columns).toBeGreaterThan(100);
    expect({ threads, inline }).toEqual({ threads: 7, inline: false });
  });

  test('threads are never clamped, and small problems and short fits run inline', () => {
    const large = { shape: [2000, 20_000], observed: 100_000 } as const;
    const inlineWith = (more: object) => plan(large, { rank: 16, threads: 2, ...more }).inline;
    expect(inlineWith({ maxSweeps: 3 })).toBe(true);
    expect(inlineWith({})).toBe(false);
    expect(inlineWith({ maxSweeps: 3, starts: 8 })).toBe(false);
    expect(plan({ shape: [50, 50] }, { rank: 2, threads: 64 })).toMatchObject({ threads: 1, inline: true });
    expect(plan({ shape: [50, 50] }, { rank: 2, threads: 64, inline: 'never' })).toMatchObject({
      threads: 64,
      inline: false,
    });
    expect(plan({ shape: [3000, 3000] }, { rank: 20, threads: 64 })).toMatchObject({ threads: 64, inline: false });
  });
});

describe('acceleration takes what factors and entries leave of the shared memory', () => {
  const of = (shape: [number, number], observed: number, rank: number, more: Partial<FactorizeOptions> = {}) =>
    plan({ shape, observed }, { rank, method: 'als', threads: 2, memoryLimit: 2 ** 36, ...more });

  test('all that it wants', () => {
    const { bytes, resident } = of([1_000_000, 500_000], 5e7, 64);
    expect(resident).toBe(true);
    // Ten vectors of V.
    expect(bytes.method).toBe(10 * 500_000 * 64 * 4);
  });

  test.each([
    [[2_000_000, 1_000_000], 5e7, 64],
    [[4_000_000, 800_000], 5e7, 64],
    [[1_000_000, 1_000_000], 1e8, 64],
    [[500_000, 1_000_000], 2e8, 32],
  ] as [[number, number], number, number][])(
    'nothing beside %j with %d entries at rank %d',
    (shape, observed, rank) => {
      const { bytes, resident } = of(shape, observed, rank);
      expect({ resident, method: bytes.method }).toEqual({ resident: true, method: 0 });
      expect(bytes).toEqual(of(shape, observed, rank, { acceleration: 'none' }).bytes);
    },
  );
});

test('neither that basis nor epochs cost the residency of entries', () => {
  const shape = { shape: [1_000_000, 100_000], observed: 1.8e8 } as const;
  const options = { rank: 64, lambda: 0.1, threads: 2, memoryLimit: 2 ** 36 } as const;
  expect(plan(shape, options).resident).toBe(true);
});

test('a fit that is watched does without it below the rank from which rows are settled by steps', () => {
  const shape = { shape: [20_000, 5000], observed: 2e6 } as const;
  const bytes = (rank: number, more: object) =>
    plan(shape, { rank, method: 'als', threads: 2, memoryLimit: 2 ** 36, ...more }).bytes;
  const listed = (rank: number) => bytes(rank, { holdout: 0.1 }).total - bytes(rank, {}).total;
  // Of what is held out there is a list; the basis is larger.
  expect(listed(128)).toBeGreaterThan(0);
  expect(listed(64)).toBeLessThan(listed(128) - 20_000 * 64 * 4);
});

test('the basis that conditions long rows goes where there is no room for it', () => {
  const of = (memoryLimit: number) =>
    plan({ shape: [20_000, 5000], observed: 2e6 }, { rank: 64, method: 'als', threads: 2, memoryLimit }).bytes;
  const all = of(2 ** 36).total;
  const less = of(all - 1).total;
  // The larger factor once more, and what its Gram matrix is summed in.
  expect(all - less).toBeGreaterThan(20_000 * 64 * 4);
  expect(of(less).total).toBe(less);
  expect(() => of(less - 1)).toThrow(expect.objectContaining({ code: 'not-enough-memory' }));
});

describe('the limit of a container', () => {
  let now: number | undefined;
  const limitUnder = (constrained: number, later = 1001) => {
    now = (now ?? performance.now()) + later;
    const mocks = [
      vi.spyOn(process, 'constrainedMemory').mockReturnValue(constrained),
      vi.spyOn(performance, 'now').mockReturnValue(now),
    ];
    try {
      return plan({ shape: [300, 200] }, { rank: 2 }).limit;
    } finally {
      for (const mock of mocks) mock.mockRestore();
    }
  };

  test('is asked for once a second', () => {
    expect(limitUnder(64 * 2 ** 20)).toBe(64 * 2 ** 20);
    expect(limitUnder(32 * 2 ** 20, 999)).toBe(64 * 2 ** 20);
    expect(limitUnder(32 * 2 ** 20, 2)).toBe(32 * 2 ** 20);
  });

  test('is the limit where it is below the memory of the machine', () => {
    expect(limitUnder(64 * 2 ** 20)).toBe(64 * 2 ** 20);
    expect(() => limitUnder(2 ** 20)).toThrow(
      expect.objectContaining({ code: 'not-enough-memory', rule: 'The limit is 1 MiB.' }),
    );
  });

  // Without one, Node says 0, or a number beyond any memory.
  test.each([0, 2 ** 63])('%s means that there is none', (none) => {
    expect(limitUnder(none)).toBe(totalmem());
  });
});

describe('not enough memory', () => {
  test('is said with the numbers, before anything is allocated', async () => {
    const options = { rank: 8, memoryLimit: 3e5 };
    const error = await factorize(triples(of), options).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'not-enough-memory',
      position: { option: 'memoryLimit' },
      rule: 'The limit is 1 MiB.',
    });
    expect((error as Error).message).toMatch(/needs \d+ MiB: observations \d+ MiB, factors \d+ MiB, scratch \d+ MiB/);
    expect(() => plan(triples(of), options)).toThrow((error as Error).message);
  });

  test('exactly at the limit', () => {
    const { total } = plan(triples(of), { rank: 8 }).bytes;
    expect(plan(triples(of), { rank: 8, memoryLimit: total }).limit).toBe(total);
    expect(() => plan(triples(of), { rank: 8, memoryLimit: total - 1 })).toThrow(/needs/);
  });

  test('factors beyond the 4 GiB of a WebAssembly memory', () => {
    expect(() => plan({ shape: [5e6, 1e6], observed: 1e7 }, { rank: 128, memoryLimit: 1e12 })).toThrow(
      /limit is 4096 MiB/,
    );
  });

  test("the machine's memory is the limit without one", () => {
    expect(() => plan({ shape: [1e6, 1e6], observed: 4e12 }, { rank: 2 })).toThrow(/limit/);
  });
});

test('bad input is refused in the plan already', () => {
  const A = triples(of);
  expect(() => plan({ ...A, values: A.values.map((v, t) => (t === 7 ? Number.NaN : v)) }, { rank: 2 })).toThrow(/NaN/);
  expect(() => plan({ shape: [0, 3] }, { rank: 2 })).toThrow(/shape/);
  for (const bad of [null, undefined, 5, 'A', {}])
    expect(() => plan(bad as never, { rank: 2 })).toThrow(expect.objectContaining({ code: 'invalid-input' }));
  for (const observed of [-1, 1.5, Number.NaN, '9'])
    expect(() => plan({ shape: [3, 3], observed: observed as number }, { rank: 2 })).toThrow(
      expect.objectContaining({ code: 'invalid-input' }),
    );
  for (const options of [null, undefined, 5])
    expect(() => plan(A, options as never)).toThrow(expect.objectContaining({ code: 'invalid-option' }));
});
