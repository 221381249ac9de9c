/** Checks what is quickly checked, so that nobody waits for an error: options, and what comes beside the data. */
import type { NdArray } from 'ndarray';
import { checkWeights, shapeOf } from '../data/entries.js';
import { checkDense, isObject } from '../data/forms.js';
import type { MatrixInput, RealArray } from '../data/input.js';
import { oddLabel } from '../data/labels.js';
import { HadamardError } from '../errors.js';
import { type CheckedOptions, checkHandlers, checkOptions } from '../options.js';
import type { FactorizeOptions } from './factorizeOptions.js';

/**
 * The entries of A and of the weights are not looked at here.
 *
 * @throws HadamardError `invalid-option`; `invalid-input` and `shape-mismatch` for A, weights, init or labels of another form
 *   or size; `ambiguous-weights`.
 */
export function checkInput(A: MatrixInput, options: FactorizeOptions): CheckedOptions {
  const checked = checkOptions(options);
  const [rows, columns] = shapeOf(A);
  if (options.weights !== undefined) checkWeights(A, options.weights);
  checkHandlers(options);
  checkInit(options.init, { rows, columns });
  checkLabels(options.labels, { rows, columns });
  return checked;
}

type Counts = { readonly rows: number; readonly columns: number };

/** The shapes of U and V are checked where they are copied, with their numbers. */
function checkInit(init: unknown, counts: Counts): void {
  if (init === undefined) return;
  const refuse = (what: string) =>
    new HadamardError({
      code: 'invalid-input',
      what,
      position: { option: 'init' },
      rule: 'init is a model, or { U } or { V } or both, ndarrays of two dimensions, with { biases: { rows, columns } } where there are any.',
      remedy: 'Wrap the numbers, for example init: { V: ndarray(data, [n, rank]) }.',
    });
  if (!isObject(init)) throw refuse(`init is ${String(init)}.`);
  for (const [name, factor] of Object.entries(init)) {
    if (factor === undefined || (name === 'isPartial' && typeof factor === 'boolean')) continue;
    if (name === 'biases') {
      checkBiases(factor, counts, refuse);
      continue;
    }
    if (name !== 'U' && name !== 'V') throw refuse(`init has a part "${name}".`);
    if (!isMatrix(factor)) throw refuse(`init.${name} is no ndarray of two dimensions.`);
    checkDense(factor, { option: 'init' });
  }
}

/** Finite numbers, one for each row and column. */
function checkBiases(biases: unknown, counts: Counts, refuse: (what: string) => HadamardError): void {
  if (!isObject(biases)) throw refuse(`init.biases is ${String(biases)}.`);
  for (const [side, values] of Object.entries(biases)) {
    if (values === undefined) continue;
    const isReal = values instanceof Float32Array || values instanceof Float64Array;
    if ((side !== 'rows' && side !== 'columns') || !isReal || values.length !== counts[side])
      throw refuse(`init.biases.${side} is no array of ${side === 'rows' ? counts.rows : counts.columns} numbers.`);
    if (!values.every(Number.isFinite)) throw refuse(`init.biases.${side} holds what is no finite number.`);
  }
}

function isMatrix(value: unknown): value is NdArray<RealArray> {
  return isObject(value) && typeof value.get === 'function' && Array.isArray(value.shape) && value.shape.length === 2;
}

function checkLabels(labels: unknown, counts: Counts): void {
  if (labels === undefined) return;
  const refuse = (code: 'invalid-input' | 'shape-mismatch', what: string, index?: number) =>
    new HadamardError({
      code,
      what,
      position: { option: 'labels', ...(index !== undefined && { index }) },
      rule: `labels are { rows, columns }, arrays of ${counts.rows} and ${counts.columns} strings, none twice, either of which may be left out.`,
      remedy: 'Give one label for every row or column, or leave them out.',
    });
  if (!isObject(labels) || Array.isArray(labels))
    throw refuse('invalid-input', `labels is ${Array.isArray(labels) ? 'an array' : String(labels)}.`);
  const part = Object.keys(labels).find((name) => name !== 'rows' && name !== 'columns');
  if (part !== undefined) throw refuse('invalid-input', `labels has a part "${part}".`);
  for (const side of ['rows', 'columns'] as const) {
    const given = labels[side];
    if (given === undefined) continue;
    if (!Array.isArray(given)) throw refuse('invalid-input', `labels.${side} is ${String(given)}.`);
    if (given.length !== counts[side])
      throw refuse('shape-mismatch', `There are ${given.length} labels of ${counts[side]} ${side}.`);
    const odd = oddLabel(given);
    if (odd) throw refuse('invalid-input', `Label ${odd.index} of the ${side} ${odd.why}.`, odd.index);
  }
}
