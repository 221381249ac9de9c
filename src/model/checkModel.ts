/** Whether a caller gave a model where one is needed. */
import { isObject } from '../data/forms.js';
import { HadamardError } from '../errors.js';
import type { Model } from './model.js';

/**
 * By its parts, so that a model of another copy of the package is one too; their numbers are checked where they are read.
 *
 * @throws HadamardError `invalid-input`
 */
export function checkModel(model: unknown): asserts model is Model {
  if (isObject(model) && hasFactors(model) && hasReport(model) && typeof model.predict === 'function') return;
  throw new HadamardError({
    code: 'invalid-input',
    what: isObject(model) ? 'The model is an object that is no Model.' : `The model is ${String(model)}.`,
    position: { option: 'model' },
    rule: 'A model is what factorize and loadModel resolve with.',
    remedy: 'Await one of these and give the model itself, not a copy of its parts.',
  });
}

function hasFactors({ U, V }: Record<string, unknown>): boolean {
  return [U, V].every((factor) => isObject(factor) && Array.isArray(factor.shape) && ArrayBuffer.isView(factor.data));
}

function hasReport({ fit, biases, labels }: Record<string, unknown>): boolean {
  return isObject(fit) && isObject(fit.options) && isObject(biases) && isObject(labels);
}
