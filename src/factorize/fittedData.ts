/** The data of a model as its fit saw it, in float64 and memory of its own. */
import type { MatrixInput, WeightsInput } from '../data/input.js';
import { type Orientation, observationsOf } from '../data/observations.js';
import type { Model } from '../model/model.js';
import { lossOf } from '../objective/losses.js';
import type { ObjectiveSpec, SeparableBackground } from './composition.js';
import type { FactorizeOptions } from './factorizeOptions.js';
import { measureBaseline } from './layOutTerms.js';
import { asTool } from './like.js';
import { checkedOptionsOf, separableLists } from './modelProblem.js';
import { partValidation } from './validation.js';

export interface FittedData {
  readonly byRow: Orientation;
  readonly byColumn: Orientation;
  readonly background: SeparableBackground | undefined;
  /** What gradients are measured by. */
  readonly centredNorm: number;
  /** Entries that the fit was watched by. */
  readonly held: ReturnType<typeof partValidation>['held'];
  /** How the weights were given; undefined where every weight is 1. */
  readonly weights: WeightsInput | undefined;
}

export function fittedData(model: Model, data: MatrixInput, weights: WeightsInput | undefined): FittedData {
  const { options } = model.fit;
  const { rank, like, alpha, holdout } = options;
  const made = asTool(data, { rank, weights, like, alpha } as FactorizeOptions);
  const background = backgroundOf(model);
  // What `like` makes of the values has been made.
  const asked = { ...made.options, like: undefined, validation: undefined, ...(background && { background: 1 }) };
  const checked = { ...checkedOptionsOf(model, {}), holdout };
  const parted = partValidation(made.A, asked as FactorizeOptions, checked);
  const observations = observationsOf(parted.A, parted.weights, options.duplicates, background !== undefined);
  const spec = { loss: lossOf(options.loss), background } as ObjectiveSpec;
  const { centredNorm } = measureBaseline(observations, spec, background?.value ?? 0, false, model.biases.mean);
  const { byRow, byColumn } = observations;
  return { byRow, byColumn, background, centredNorm, held: parted.held, weights };
}

function backgroundOf({ fit, background, shape: [m, n] }: Model): SeparableBackground | undefined {
  const said = fit.options.background;
  if (!said) return undefined;
  const { value } = said;
  if (said.weight !== 'separable')
    return { rows: new Float64Array(m).fill(said.weight), columns: new Float64Array(n).fill(1), value };
  return { ...separableLists(background), value };
}
