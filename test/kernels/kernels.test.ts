import { describe, expect, it } from 'vitest';
import { compileKernels, type Kernels } from '../../dist/src/kernels/load.js';
import { measureRow, solveRow } from '../../dist/src/kernels/reference.js';
import { type ProblemRequest, Workspace } from './workspace.js';

/** Every tail of the tiles, then the sizes that people use. */
const ranks = [...Array.from({ length: 40 }, (_, i) => i + 1), 48, 64, 100, 128];
/** Empty, every tail, and around one and two panels of 64. */
const lengths = [...Array.from({ length: 41 }, (_, i) => i), 63, 64, 65, 130, 300];
const few = [0, 1, 2, 3, 5, 8, 13, 40, 64, 65, 150];
const tolerances = { f32: 2e-3, f64: 1e-9 } as const;

/** ‖a − b‖/(‖b‖ + tiny). */
function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < b.length; i++) {
    difference += ((a[i] as number) - (b[i] as number)) ** 2;
    norm += (b[i] as number) ** 2;
  }
  return Math.sqrt(difference / (norm + 1e-30));
}

function expectSolved(workspace: Workspace, kernel: keyof Kernels, tolerance: number): void {
  const { problem } = workspace;
  const totals = workspace.run(kernel);
  let [loss, penalty, gradientSquared, ownSquared] = [0, 0, 0, 0];
  for (let row = 0; row < workspace.rows; row++) {
    expect(workspace.status[row], `status of row ${row}`).toBe(0);
    const x = workspace.rowOf(workspace.out, row);
    const expected = solveRow(problem, row);
    expect(distance(x, expected), `row ${row}, rank ${problem.rank}`).toBeLessThan(tolerance);
    expect([...x.subarray(expected.length)].every((pad) => pad === 0)).toBe(true);
    const at = measureRow(problem, row, x);
    loss += at.loss;
    penalty += at.penalty;
    const own = workspace.rowOf(workspace.own, row).subarray(0, expected.length);
    gradientSquared += measureRow(problem, row, own).gradient.reduce((sum, g) => sum + g * g, 0);
    ownSquared += own.reduce((sum, u) => sum + u * u, 0);
  }
  expect(totals.loss / loss).toBeCloseTo(1, 9);
  expect(totals.penalty / penalty).toBeCloseTo(1, 9);
  expect(Math.abs(totals.gradientSquared / gradientSquared - 1)).toBeLessThan(kernel === 'solveRows32' ? 1e-4 : 1e-9);
  expect(totals.ownSquared / ownSquared).toBeCloseTo(1, 6);
  expect(workspace.areGuardsIntact()).toBe(true);
}

describe('row solves against the twin', () => {
  it.each(ranks)('rank %i, every dtype, bias and weight', async (rank) => {
    const kinds: Partial<ProblemRequest>[] = [
      { dtype: 'f32' },
      { dtype: 'f64', weights: 'plain' },
      { dtype: 'f32', weights: 'plain', bias: 'free' },
      { dtype: 'f64', bias: 'free', beta: 0 },
      { dtype: 'f64', bias: 'held', weights: 'plain' },
    ];
    for (const kind of kinds) {
      const request = { dtype: 'f64', rank, lengths: few, ...kind } as ProblemRequest;
      expectSolved(
        await Workspace.open(request),
        request.dtype === 'f32' ? 'solveRows32' : 'solveRows64',
        tolerances[request.dtype],
      );
    }
  });

  it.each(['f32', 'f64'] as const)('every row length, %s', async (dtype) => {
    for (const rank of [3, 10, 32])
      expectSolved(
        await Workspace.open({ dtype, rank, lengths, weights: 'plain', bias: 'free' }),
        dtype === 'f32' ? 'solveRows32' : 'solveRows64',
        tolerances[dtype],
      );
  });

  it('f32 storage in f64 arithmetic is right to the rounding of f32', async () => {
    for (const rank of [1, 6, 17, 64])
      expectSolved(
        await Workspace.open({ dtype: 'f32', rank, lengths: few, weights: 'plain', bias: 'free' }),
        'solveRows32in64',
        2e-7,
      );
  });

  it.each(['large', 'small'] as const)('weights may be %s', async (weights) => {
    for (const dtype of ['f32', 'f64'] as const)
      expectSolved(
        await Workspace.open({ dtype, rank: 9, lengths: few, weights }),
        dtype === 'f32' ? 'solveRows32' : 'solveRows64',
        tolerances[dtype],
      );
  });

  it('without penalty gives least squares, of minimum norm where rows are short', async () => {
    const workspace = await Workspace.open({ dtype: 'f64', rank: 6, lengths: [2, 3, 9, 40], lambda: 0, beta: 0 });
    workspace.run('solveRows64');
    for (const row of [2, 3])
      expect(distance(workspace.rowOf(workspace.out, row), solveRow(workspace.problem, row))).toBeLessThan(1e-9);
    // A vanishing ridge tends to the solution of minimum norm.
    const penalised = { ...workspace.problem, penalties: new Float64Array(4).fill(1e-9) };
    for (const row of [0, 1])
      expect(distance(workspace.rowOf(workspace.out, row), solveRow(penalised, row))).toBeLessThan(1e-6);
  });

  it('says which rows are rank deficient and leaves them alone', async () => {
    for (const dtype of ['f32', 'f64'] as const) {
      const workspace = await Workspace.open({ dtype, rank: 5, lengths: [12, 3, 30], lambda: 0, beta: 0 });
      const { other } = workspace;
      const { stride } = workspace.problem;
      for (let j = 0; j * stride < other.length; j++) other[j * stride + 4] = other[j * stride] as number;
      const totals = workspace.run(dtype === 'f32' ? 'solveRows32' : 'solveRows64', { own: 0 });
      expect([...workspace.status]).toEqual([1, 0, 1]);
      expect([...workspace.rowOf(workspace.out, 0).subarray(0, 5)]).toEqual([77, 77, 77, 77, 77]);
      const { loss } = measureRow(workspace.problem, 1, workspace.rowOf(workspace.out, 1));
      expect(Math.abs(totals.loss - loss)).toBeLessThan(1e-9);
    }
  });
});

describe('gradients and losses against the twin', () => {
  it.each(ranks)('rank %i', async (rank) => {
    for (const dtype of ['f32', 'f64'] as const)
      for (const bias of ['none', 'free', 'held'] as const) {
        const workspace = await Workspace.open({
          dtype,
          rank,
          lengths: few,
          bias,
          weights: bias === 'free' ? 'plain' : 'none',
        });
        const expected = Array.from({ length: workspace.rows }, (_, row) =>
          measureRow(workspace.problem, row, workspace.rowOf(workspace.own, row)),
        );
        const loss = expected.reduce((sum, at) => sum + at.loss, 0);
        const squared = expected.reduce((sum, at) => sum + at.gradient.reduce((s, g) => s + g * g, 0), 0);
        const measured = workspace.run(dtype === 'f32' ? 'lossRows32' : 'lossRows64');
        expect(measured.loss / loss).toBeCloseTo(1, 10);
        const totals = workspace.run(dtype === 'f32' ? 'gradientRows32' : 'gradientRows64');
        expect(totals.loss / loss).toBeCloseTo(1, 10);
        expect(totals.gradientSquared / squared).toBeCloseTo(1, 10);
        expect(totals.penalty).toBe(measured.penalty);
        expected.forEach(({ gradient }, row) => {
          const g = workspace.rowOf(workspace.out, row);
          expect(distance(g, gradient)).toBeLessThan(dtype === 'f32' ? 1e-6 : 1e-12);
          expect([...g.subarray(gradient.length)].every((pad) => pad === 0)).toBe(true);
        });
        expect(workspace.areGuardsIntact()).toBe(true);
      }
  });
});

describe('the two builds', () => {
  it('agree to rounding where there is relaxed SIMD, and fall back where there is none', async () => {
    const { arithmetic } = await compileKernels('fast');
    expect(arithmetic).toBe(Number(process.versions.node.split('.')[0]) >= 22 ? 'fast' : 'reproducible');
    const request: ProblemRequest = { dtype: 'f64', rank: 21, lengths: few, weights: 'plain', bias: 'free' };
    expectSolved(await Workspace.open(request, 'fast'), 'solveRows64', 1e-9);
  });
});

describe('a solve whose loss is not wanted', () => {
  it('leaves it out and solves alike', async () => {
    const workspace = await Workspace.open({ dtype: 'f64', rank: 7, lengths: few });
    const whole = workspace.run('solveRows64');
    const solved = Float64Array.from(workspace.out);
    const rest = workspace.run('solveRows64', { isLossWanted: 0 });
    expect(rest).toEqual({ ...whole, loss: 0 });
    expect(Float64Array.from(workspace.out)).toEqual(solved);
  });
});
