/** Which observations of a row made its prediction of a column. */
import ndarray from 'ndarray';
import { shapeOf, visitEntries } from '../data/entries.js';
import type { MatrixInput } from '../data/input.js';
import { HadamardError } from '../errors.js';
import { checkModel } from '../model/checkModel.js';
import type { Model } from '../model/model.js';
import { type Beside, type BesideOptions, solveBeside, unweightedNotes, withMeaning } from './beside.js';
import { checkBeside } from './foldIn.js';
import { dot, rowQuadratic, solveFree } from './rowQuadratic.js';

export type ExplainOptions = Omit<BesideOptions, 'side'>;

export interface Contribution {
  readonly column: number;
  /** The column's label, where the model has labels. */
  readonly label?: string;
  /** A of the row at this column; with `like`, what that tool makes of it. */
  readonly value: number;
  /** W */
  readonly weight: number;
  /** mean + c_t: what is predicted here without any observation of the row. */
  readonly expected: number;
  /** How much the prediction rises when the value rises by 1: for squares exactly, else with tangent weights as they are. */
  readonly effect: number;
  /** Its part of the prediction; for squares, huber and l1 effect·(value − expected). */
  readonly contribution: number;
}

export interface Explanation {
  /** mean + b_i + c_j + u_i·v_j of the row solved from these observations: the model's own for a row of the training data. */
  readonly prediction: number;
  /** mean + c_j */
  readonly base: number;
  /** Of each observation of positive weight, largest magnitude first, ties by column. */
  readonly contributions: readonly Contribution[];
  /** What entries that are not listed contribute, where there is a background. */
  readonly background: number;
  /** What bounds, held entries and L1 contribute. */
  readonly constraints: number;
  /** What there is to know, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * prediction = base + Σ contributions + background + constraints, for row `row` of `data` and column `column` of the model.
 *
 * For squares u_i = H⁻¹Σ_t W_t²z_t(a_t − o_t) with H = Σ W_t²z_tz_tᵀ + λ, o = mean + c_t and z = [v, 1 where the row has a bias],
 * so that an observation contributes z_jᵀH⁻¹z_t·W_t²(a_t − o_t), linear in its value. Other losses have at their minimum
 * quadratics that touch them, whose weights and right-hand sides take these places. Where there are bounds, held entries or L1,
 * H is that of the unknowns which are free at the solution. Computed in float64 after a fold-in of the row; the parts add up
 * to 1e-10 of the prediction in f64.
 *
 * @param data m'×n with the row in it, such as A of the fit.
 * @throws HadamardError `index-out-of-range` for the row or column, and as `foldIn`.
 */
export async function explain(
  model: Model,
  data: MatrixInput,
  row: number,
  column: number,
  options: ExplainOptions = {},
): Promise<Explanation> {
  checkModel(model);
  checkBeside(options, false);
  const [rows] = shapeOf(data);
  checkIndex('row', row, rows);
  checkIndex('column', column, model.shape[1]);
  const alone = rowOf(data, row, options);
  const given = listedOnce(withMeaning(model, alone.data, alone.options).A);
  return solveBeside(model, alone.data, { ...options, ...alone.options, side: 'rows' }, async (beside) =>
    explainRow(model, beside, column, given, unweightedNotes(model, options.weights)),
  );
}

function explainRow(
  model: Model,
  beside: Beside,
  column: number,
  given: ReadonlyMap<number, number>,
  notes: readonly string[],
): Explanation {
  const shift = model.biases.mean;
  const quadratic = rowQuadratic(beside, 0, shift);
  const { width, x, free, H, entries, slopes, designOf } = quadratic;
  const expectedOf = (j: number) => shift + quadratic.offsetOf(j);
  const z = designOf(column);
  const q = solveFree(quadratic, z);
  const { columns: labels } = model.labels;
  const contributions = entries.map(({ other: j, value, weight, curvature, right }): Contribution => {
    const influence = dot(q, designOf(j));
    return {
      column: j,
      ...(labels && { label: labels[j] as string }),
      value: given.get(j) ?? value,
      weight,
      expected: expectedOf(j),
      effect: influence * curvature,
      contribution: influence * right,
    };
  });
  contributions.sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution) || a.column - b.column);
  // Unknowns that are not free are numbers: what they add themselves, and what they leave to the others.
  const isFree = new Set(free);
  let constraints = 0 - dot(q, slopes);
  for (let c = 0; c < width; c++) {
    if (isFree.has(c)) continue;
    const column = Float64Array.from({ length: width }, (_, r) => H[r * width + c] as number);
    constraints += (x[c] as number) * ((z[c] as number) - dot(q, column));
  }
  const base = expectedOf(column);
  return {
    prediction: base + dot(z, x),
    base,
    contributions,
    background: dot(q, quadratic.background),
    constraints,
    notes,
  };
}

/** Values of the columns that are listed once, as they were given: the layout keeps them in the precision of the fit. */
function listedOnce(A: MatrixInput): Map<number, number> {
  const given = new Map<number, number>();
  const again = new Set<number>();
  visitEntries(A, undefined, (_, j, value) => {
    if (given.has(j)) again.add(j);
    given.set(j, value);
  });
  for (const j of again) given.delete(j);
  return given;
}

/** One row of the data, and of what was said about its rows. */
function rowOf(
  data: MatrixInput,
  row: number,
  { weights, hold, backgroundWeights }: ExplainOptions,
): { data: MatrixInput; options: Pick<BesideOptions, 'weights' | 'hold' | 'backgroundWeights'> } {
  const columns: number[] = [];
  const values: number[] = [];
  const squareRoots: number[] = [];
  visitEntries(
    data,
    weights,
    (i, j, value, weight) => {
      if (i !== row) return;
      columns.push(j);
      values.push(value);
      squareRoots.push(weight);
    },
    true,
  );
  const U = hold?.U;
  const rank = U?.shape[1] ?? 0;
  return {
    data: {
      rows: new Uint32Array(columns.length),
      columns: Uint32Array.from(columns),
      values: Float64Array.from(values),
      shape: [1, shapeOf(data)[1]],
    },
    options: {
      weights: weights && { sqrtWeight: Float64Array.from(squareRoots) },
      hold: U && {
        U: ndarray(
          Float64Array.from({ length: rank }, (_, c) => U.get(row, c)),
          [1, rank],
        ),
      },
      backgroundWeights: backgroundWeights && [backgroundWeights[row] as number],
    },
  };
}

function checkIndex(name: 'row' | 'column', index: number, count: number): void {
  if (Number.isInteger(index) && index >= 0 && index < count) return;
  throw new HadamardError({
    code: 'index-out-of-range',
    what: `${name} is ${String(index)}.`,
    position: { [name]: index },
    rule: `${name === 'row' ? 'Rows of the data' : 'Columns of the model'} are the integers 0…${count - 1}, counted from 0.`,
    remedy: 'Correct the index; rowIndex and columnIndex give those of labels.',
  });
}
