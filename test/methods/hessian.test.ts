/** Products with the Hessian and with the reduced one, against finite differences, dense float64 code and the plain twin. */
import { describe, test } from 'vitest';
import type { Orientation } from '../../dist/src/data/observations.js';
import type { FactorizeOptions } from '../../dist/src/index.js';
import { hessianRow, type ReferenceProblem } from '../../dist/src/kernels/reference.js';
import { factorBuffer } from '../../dist/src/methods/rowPhases.js';
import type { Side } from '../../dist/src/parallel/layout.js';
import { expectClose } from '../helpers/compare.js';
import { openFit } from '../helpers/fit.js';
import { type Problem, type ProblemOptions, problem } from '../helpers/problem.js';
import { uniform } from '../helpers/random.js';
import { at, type Gradient, gradientAt, type Point, type Regularization } from '../helpers/reference.js';

const k = 3;
const sides = ['rows', 'columns'] as const;

const table: Record<string, ProblemOptions & Regularization & { biases?: 'none' | 'rows' | 'columns' | 'both' }> = {
  dense: { m: 7, n: 5 },
  'sparse, weighted, ridge': { m: 12, n: 9, density: 0.6, isWeighted: true, lambda: 0.4 },
  'λ by count, both biases': {
    m: 9,
    n: 11,
    density: 0.7,
    offset: 2,
    lambda: 0.1,
    lambdaScale: 'count',
    biases: 'both',
  },
  'row biases of their own λ': {
    m: 9,
    n: 8,
    isWeighted: true,
    offset: 1,
    lambda: 0.2,
    biasLambda: 0.7,
    biases: 'rows',
  },
  'column biases, nothing penalised': { m: 8, n: 9, offset: 1, biases: 'columns' },
};

/** The variables of a point in one vector and back. */
const names = (point: Omit<Point, 'mean'>) =>
  (['U', 'b', 'V', 'c'] as const).filter((name) => point[name] !== undefined);
const flat = (of: Gradient | Omit<Point, 'mean'>, order: readonly ('U' | 'b' | 'V' | 'c')[]) =>
  Float64Array.from(order.flatMap((name) => Array.from(of[name] as Float64Array)));

function randomPoint({ m, n }: Problem, biases: string, seed: number): Omit<Point, 'mean'> {
  const next = uniform(seed);
  const draw = (length: number) => Float64Array.from({ length }, () => 2 * next() - 1);
  return {
    k,
    U: draw(m * k),
    V: draw(n * k),
    ...((biases === 'rows' || biases === 'both') && { b: draw(m) }),
    ...((biases === 'columns' || biases === 'both') && { c: draw(n) }),
  };
}

/** point + step·direction */
function moved(point: Point, direction: Omit<Point, 'mean'>, step: number): Point {
  const to = (name: 'U' | 'V' | 'b' | 'c') =>
    point[name] && { [name]: point[name].map((x, i) => x + step * at(direction[name], i)) };
  return { ...point, ...to('U'), ...to('V'), ...to('b'), ...to('c') };
}

/** H column by column, f being a polynomial of degree 4: fourth-order differences of its gradient are exact but for rounding. */
function denseHessian(of: Problem, point: Point, rule: Regularization): Float64Array[] {
  const order = names(point);
  return order.flatMap((name) =>
    Array.from(point[name] as Float64Array, (_, i) => {
      const unit = Object.fromEntries(order.map((each) => [each, (point[each] as Float64Array).map(() => 0)]));
      (unit[name] as Float64Array)[i] = 1;
      const slope = (step: number) => flat(gradientAt(of, moved(point, unit as never, step), rule), order);
      const [a, b, c, d] = [slope(-1), slope(-0.5), slope(0.5), slope(1)];
      return a.map((_, j) => (8 * (at(c, j) - at(b, j)) - (at(d, j) - at(a, j))) / 6);
    }),
  );
}

async function open(name: string) {
  const { biases = 'none', lambda = 0, lambdaScale, biasLambda, ...request } = table[name] as (typeof table)[string];
  const of = problem({ ...request, seed: 4 });
  const rule = { lambda, ...(lambdaScale && { lambdaScale }), ...(biasLambda !== undefined && { biasLambda }) };
  const options: FactorizeOptions = { rank: k, method: 'varpro', residency: 'staged', biases, ...rule };
  const point = randomPoint(of, biases, 5);
  const direction = randomPoint(of, biases, 6);
  const fit = await openFit(of, options, point);
  const { stride, rank } = fit.fit;
  const put = (side: Side, index: number) => {
    const [factor, bias] = side === 'rows' ? [direction.U, direction.b] : [direction.V, direction.c];
    const buffer = factorBuffer(fit.fit, side, index).fill(0);
    factor.forEach((value, i) => {
      buffer[Math.floor(i / rank) * stride + (i % rank)] = value;
    });
    bias?.forEach((value, row) => {
      buffer[row * stride + rank] = value;
    });
  };
  return { of, rule, point: { ...point, mean: fit.mean }, direction, fit, put };
}

describe.each(Object.keys(table))('%s', (name) => {
  test('H·d is that of finite differences, d·H·d its sum, and each row that of the plain twin', async () => {
    const { of, rule, point, direction, fit, put } = await open(name);
    const order = names(point);
    const d = flat(direction, order);
    const H = denseHessian(of, point, rule);
    const expected = d.map((_, i) => H.reduce((sum, column, j) => sum + at(column, i) * at(d, j), 0));
    for (const side of sides) put(side, 1);
    let curvature = 0;
    for (const side of sides)
      curvature += (await fit.run({ phase: 'hessian', side, own: 0, other: 0, out: 2, extra: 1, otherExtra: 1 })).loss;
    const [ofRows, ofColumns] = [fit.read('rows', 2), fit.read('columns', 2)];
    const product = { U: ofRows.factor, b: ofRows.bias, V: ofColumns.factor, c: ofColumns.bias } as Gradient;
    expectClose(flat(product, order), expected, 1e-11);
    expectClose([curvature], [d.reduce((sum, x, i) => sum + x * at(expected, i), 0)], 1e-11, 'curvature');
    for (const side of sides) {
      const { rank, stride, hasBias, isBiasFitted, mean, observations, layout, memory } = fit.fit;
      const other = side === 'rows' ? 'columns' : 'rows';
      const list = (address: number) => new Float64Array(memory.buffer, address, of[side === 'rows' ? 'm' : 'n']);
      const twin: ReferenceProblem = {
        ...{ rank, stride, hasBias, mean, ownBiasFree: isBiasFitted[side], other: factorBuffer(fit.fit, other, 0) },
        ...(observations[side] as Orientation),
        penalties: list(layout.sides[side].penalties),
        biasPenalties: hasBias ? list(layout.sides[side].biasPenalties) : [],
      };
      const width = rank + (isBiasFitted[side] ? 1 : 0);
      const out = factorBuffer(fit.fit, side, 2);
      for (let row = 0; row < list(layout.sides[side].penalties).length; row++) {
        const own = (index: number) => factorBuffer(fit.fit, side, index).slice(row * stride, row * stride + width);
        const plain = hessianRow(twin, row, own(0), own(1), factorBuffer(fit.fit, other, 1));
        expectClose(out.slice(row * stride, row * stride + width), plain, 1e-12, `${side} ${row}`);
      }
    }
  });

  test('S·dV is the Schur complement of the Hessian', async () => {
    const { of, rule, point, direction, fit, put } = await open(name);
    const order = names(point);
    const H = denseHessian(of, point, rule);
    const width = (side: Side) => (side === 'rows' ? (point.b ? 1 : 0) : point.c ? 1 : 0);
    const split = of.m * (k + width('rows'));
    const isEliminated = (i: number) => (of.m >= of.n ? i < split : i >= split);
    const all = H.map((_, i) => i);
    const eliminated = all.filter(isEliminated);
    const staying = all.filter((i) => !isEliminated(i));
    const entry = (i: number, j: number) => at(H[j], i);
    const d = flat(direction, order);
    // x = −H_UU⁻¹ H_UV dV by elimination.
    const rhs = eliminated.map((i) => -staying.reduce((sum, j) => sum + entry(i, j) * at(d, j), 0));
    const x = solve(
      eliminated.map((i) => eliminated.map((j) => entry(i, j))),
      rhs,
    );
    const expected = staying.map(
      (i) =>
        staying.reduce((sum, j) => sum + entry(i, j) * at(d, j), 0) +
        eliminated.reduce((sum, j, t) => sum + entry(i, j) * at(x, t), 0),
    );
    const [gone, kept] = of.m >= of.n ? (['rows', 'columns'] as const) : (['columns', 'rows'] as const);
    put(kept, 3);
    await fit.run({ phase: 'factor', side: gone, own: 0, other: 0, out: null });
    await fit.run({ phase: 'follow', side: gone, own: 0, other: 0, out: 2, otherExtra: 3 });
    await fit.run({ phase: 'hessian', side: kept, own: 0, other: 0, out: 4, extra: 3, otherExtra: 2 });
    const { factor, bias } = fit.read(kept, 4);
    expectClose([...factor, ...(bias ?? [])], expected, 1e-9);
  });
});

/** Gaussian elimination with pivoting. */
function solve(G: number[][], b: number[]): number[] {
  const lines = G.map((line, i) => [...line, at(b, i)]);
  for (let p = 0; p < lines.length; p++) {
    let best = p;
    for (let i = p; i < lines.length; i++) if (Math.abs(at(lines[i], p)) > Math.abs(at(lines[best], p))) best = i;
    [lines[p], lines[best]] = [lines[best] as number[], lines[p] as number[]];
    const pivot = lines[p] as number[];
    lines.forEach((line, i) => {
      if (i === p) return;
      const factor = at(line, p) / at(pivot, p);
      for (let j = p; j < line.length; j++) line[j] = at(line, j) - factor * at(pivot, j);
    });
  }
  return lines.map((line, i) => at(line, lines.length) / at(line, i));
}
