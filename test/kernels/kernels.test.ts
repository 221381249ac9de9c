import { execFileSync } from 'node:child_process';
import { setFlagsFromString } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { compileKernels } from '../../dist/src/kernels/load.js';
import { measureRow, type ReferenceProblem, solveRow } from '../../dist/src/kernels/reference.js';
import { type ProblemRequest, Workspace } from './workspace.js';

/** Every tail of the tiles, then the sizes that people use. */
const ranks = [...Array.from({ length: 40 }, (_, i) => i + 1), 48, 64, 100, 128];
/** Empty, every tail, and around one and two panels of 64. */
const lengths = [...Array.from({ length: 41 }, (_, i) => i), 63, 64, 65, 130, 300];
const few = [0, 1, 2, 3, 5, 8, 13, 40, 64, 65, 150];
/** At large ranks, where the twin takes its time: empty, fewer than the rank, a panel and more, more than the rank. */
const lengthsFor = (rank: number) => (rank < 64 ? few : [0, 1, 13, 65, 150]);

/** Node 20 has relaxed SIMD behind a flag, which counts from here on; later ones have it anyway. */
if (process.versions.node.startsWith('20.')) setFlagsFromString('--experimental-wasm-relaxed-simd');
const builds = ['reproducible', 'fast'] as const;

type SolveKernel = 'solveRows32' | 'solveRows64' | 'solveRows32in64';
/**
 * `backward`: ‖Gx − b‖/(tr(G)·‖x‖ + ‖b‖), whatever the condition of the row: a few roundings of the type, or half a one
 * where only the result is rounded. `forward`: ‖x − x*‖/‖x*‖, for rows as ill-conditioned as those here.
 */
const accuracy: Record<SolveKernel, { backward: number; forward: number }> = {
  solveRows32: { backward: 8 * 2 ** -24, forward: 2e-4 },
  solveRows64: { backward: 8 * 2 ** -53, forward: 2e-12 },
  solveRows32in64: { backward: 2 ** -25, forward: 2 ** -24 },
};
const solverOf = (dtype: 'f32' | 'f64') => (dtype === 'f32' ? 'solveRows32' : 'solveRows64');

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

/** ‖Gx − b‖/(tr(G)·‖x‖ + ‖b‖) of a row's normal equations; Gx − b is half the gradient at x, −b half that at 0. */
function backwardError(problem: ReferenceProblem, row: number, x: Float64Array): number {
  const { rank, stride, ownBiasFree, other, pointers, indices, weights, penalties, biasPenalties } = problem;
  let trace = rank * (penalties[row] as number) + (ownBiasFree ? (biasPenalties[row] as number) : 0);
  for (let t = pointers[row] as number; t < (pointers[row + 1] as number); t++) {
    const weight = weights ? (weights[t] as number) : 1;
    trace += ownBiasFree ? weight * weight : 0;
    for (let c = 0; c < rank; c++) trace += (weight * (other[(indices[t] as number) * stride + c] as number)) ** 2;
  }
  const half = (at: Float64Array) => Math.hypot(...measureRow(problem, row, at).gradient) / 2;
  return half(x) / (trace * Math.hypot(...x) + half(new Float64Array(x.length)) + 1e-300);
}

/** Solves by both builds, against the twin. */
async function expectSolved(request: ProblemRequest, kernel: SolveKernel = solverOf(request.dtype)): Promise<void> {
  for (const build of builds) expectRowsSolved(await Workspace.open(request, build), kernel);
}

function expectRowsSolved(workspace: Workspace, kernel: SolveKernel): void {
  const { problem } = workspace;
  const totals = workspace.run(kernel);
  let [loss, penalty, gradientSquared, ownSquared] = [0, 0, 0, 0];
  for (let row = 0; row < workspace.rows; row++) {
    expect(workspace.status[row], `status of row ${row}`).toBe(0);
    const x = workspace.rowOf(workspace.out, row);
    const expected = solveRow(problem, row);
    const name = `row ${row}, rank ${problem.rank}`;
    expect(distance(x, expected), name).toBeLessThan(accuracy[kernel].forward);
    expect(backwardError(problem, row, x.subarray(0, expected.length)), name).toBeLessThan(accuracy[kernel].backward);
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
  expect(Math.abs((totals.gradientSquared + totals.biasGradientSquared) / gradientSquared - 1)).toBeLessThan(
    kernel === 'solveRows32' ? 1e-4 : 1e-9,
  );
  expect((totals.ownSquared + totals.biasSquared) / ownSquared).toBeCloseTo(1, 6);
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
    for (const kind of kinds) await expectSolved({ dtype: 'f64', rank, lengths: lengthsFor(rank), ...kind });
  });

  it.each(['f32', 'f64'] as const)('every row length, %s', async (dtype) => {
    for (const rank of [3, 10, 32]) await expectSolved({ dtype, rank, lengths, weights: 'plain', bias: 'free' });
  });

  it.each(ranks)('rank %i, f32 storage in f64 arithmetic: right to the rounding of f32', async (rank) => {
    const request = { dtype: 'f32', rank, lengths: lengthsFor(rank) } as const;
    await expectSolved({ ...request, weights: 'plain', bias: 'free' }, 'solveRows32in64');
    await expectSolved(request, 'solveRows32in64');
  });

  it.each(['large', 'small'] as const)('weights may be %s', async (weights) => {
    for (const dtype of ['f32', 'f64'] as const) await expectSolved({ dtype, rank: 9, lengths: few, weights });
  });

  it.each([5, 6, 7, 8])('rank %i without weights, summed in registers, has the bits of a panel', async (rank) => {
    for (const build of builds) {
      const [narrow, panel] = [
        await Workspace.open({ dtype: 'f32', rank, lengths }, build),
        await Workspace.open({ dtype: 'f32', rank, lengths, weights: 'ones' }, build),
      ];
      expect(narrow.run('solveRows32')).toEqual(panel.run('solveRows32'));
      expect(narrow.out).toEqual(panel.out);
    }
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
        expect((totals.gradientSquared + totals.biasGradientSquared) / squared).toBeCloseTo(1, 10);
        expect(totals.penalty).toBe(measured.penalty);
        const sumOf = (name: 'squares' | 'observed') => expected.reduce((sum, at) => sum + at[name], 0);
        expect(totals.squares / sumOf('squares')).toBeCloseTo(1, 10);
        expect(totals.weightedSquares).toBe(totals.loss);
        expect(totals.observed).toBe(sumOf('observed'));
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
  it('are two, so that what is tested above is both', async () => {
    const [reproducible, fast] = await Promise.all(builds.map((build) => compileKernels(build)));
    expect([reproducible?.arithmetic, fast?.arithmetic]).toEqual([...builds]);
    expect(fast?.module).not.toBe(reproducible?.module);
  });

  it('fall back to one where there is no relaxed SIMD', () => {
    const load = new URL('../../dist/src/kernels/load.js', import.meta.url).href;
    const script = `import { compileKernels } from '${load}'; console.log((compileKernels('fast')).arithmetic);`;
    // Another process, without the flag above.
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    const isBuiltIn = Number(process.versions.node.split('.')[0]) >= 22;
    expect(said.trim()).toBe(isBuiltIn ? 'fast' : 'reproducible');
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
