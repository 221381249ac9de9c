/** Entries that are held out of the fit to watch it by: which they are, and their error at a point. */
import { listedCount, shapeOf } from '../data/entries.js';
import type { MatrixInput, WeightsInput } from '../data/input.js';
import {
  asInput,
  type Listing,
  listEntries,
  listingBytes,
  listingOf,
  partsByKey,
  picked,
  refuseEmpty,
} from '../data/listing.js';
import type { ValidationError } from '../engine/trace.js';
import { HadamardError } from '../errors.js';
import { instantiateKernels } from '../kernels/load.js';
import type { Position } from '../methods/method.js';
import { factorBuffer } from '../methods/rowPhases.js';
import { type Loss, lossValue } from '../objective/losses.js';
import type { CheckedOptions } from '../options.js';
import { allocate } from '../parallel/memoryPool.js';
import type { FitContext } from '../parallel/phase.js';
import { bitsAt, streams } from '../starts/random.js';
import type { FactorizeOptions } from './factorizeOptions.js';
import type { FitScales } from './layOut.js';
import { asTool } from './like.js';

/** What is fitted, and what is held out of it. */
export interface Parted {
  readonly A: MatrixInput;
  readonly weights: WeightsInput | undefined;
  readonly held: Listing | undefined;
}

/**
 * The training set alone goes on to everything that is computed from data: means, scales, precision and start.
 *
 * @throws HadamardError `invalid-option` for options that do not go together, `invalid-input` where a part would be empty,
 *   `shape-mismatch`, and as `factorize` for bad data.
 */
export function partValidation(A: MatrixInput, options: FactorizeOptions, checked: CheckedOptions): Parted {
  const { validation, weights, background } = options;
  const { holdout, patience, duplicates } = checked;
  if (patience !== undefined && checked.starts !== 1)
    throw refused(
      'starts',
      'starts and patience are both given.',
      'Leave one of them out: starts are compared by the objective at their end, which early stopping does not reach.',
    );
  if (holdout === undefined && validation === undefined) {
    if (patience !== undefined)
      throw refused('patience', 'patience is given and nothing is held out.', 'Add holdout: 0.1, or validation data.');
    return { A, weights, held: undefined };
  }
  if (holdout !== undefined && validation !== undefined)
    throw refused('holdout', 'holdout and validation are both given.', 'Leave one of them out.');
  if (validation !== undefined) return { A, weights, held: listValidation(A, options, checked) };
  const isZeroKept = background !== undefined;
  const all = allocate(listedCount(A) * listingBytes, () => listEntries(A, weights, duplicates, isZeroKept));
  const isHeld = holdOut(all, holdout as number, checked.seed);
  const held = listingOf(all, (t) => isHeld[t] === 1);
  const train = listingOf(all, (t) => isHeld[t] !== 1);
  refuseEmpty(held.values.length, 'The held-out part', 'holdout');
  refuseEmpty(train.values.length, 'The training part', 'holdout');
  return { ...asInput(train), held };
}

/** 1 for each entry that is held out: a share at random by position. What has no weight, and is listed for a background to leave out, stays. */
export function holdOut({ rows, columns, weights, values }: Listing, share: number, seed: number): Uint8Array {
  const candidates = picked(values.length, (t) => weights?.[t] !== 0);
  const keys = new Uint32Array(candidates.length);
  for (let i = 0; i < keys.length; i++) {
    const t = candidates[i] as number;
    keys[i] = bitsAt(seed, streams.holdout, rows[t] as number, columns[t] as number);
  }
  const parts = partsByKey(keys, [share, 1]);
  const isHeld = new Uint8Array(values.length);
  for (let i = 0; i < keys.length; i++) if (parts[i] === 0) isHeld[candidates[i] as number] = 1;
  return isHeld;
}

function listValidation(A: MatrixInput, options: FactorizeOptions, { duplicates }: CheckedOptions): Listing {
  const { validation, rank, like, alpha } = options;
  const data = (validation as { data?: MatrixInput } | null)?.data;
  if (data === undefined)
    throw refused(
      'validation',
      'validation has no data.',
      'Give validation: { data, weights }, data in any form of A.',
    );
  const [m, n] = shapeOf(A);
  const [rows, columns] = shapeOf(data, { option: 'validation' });
  if (rows !== m || columns !== n)
    throw new HadamardError({
      code: 'shape-mismatch',
      what: `The validation data is ${rows}×${columns} and A is ${m}×${n}.`,
      position: { option: 'validation' },
      rule: 'Validation data has the shape of A, and lists entries that A does not.',
      remedy: 'Give it the whole shape.',
    });
  const { A: told, options: meant } = asTool(data, { rank, like, alpha, weights: validation?.weights });
  const held = listEntries(told, meant.weights, duplicates);
  refuseEmpty(held.values.length, 'The validation set', 'validation');
  return held;
}

function refused(option: string, what: string, remedy: string): HadamardError {
  return new HadamardError({
    code: 'invalid-option',
    what,
    position: { option },
    rule: 'A fit is watched by a share of its entries (holdout) or by validation data, and stopped by them with patience.',
    remedy,
  });
}

/** Entries between two turns of the host's event loop. */
const slice = 1 << 15;

/**
 * The error of the held-out entries at a point: Σℓ(W, a, p)/ΣW² and √(ΣW²r²/ΣW²), summed in float64 in row-major order by this
 * thread alone, so that it is the same for every number of threads.
 */
export function validationMeasure(
  fit: FitContext,
  { loss, shift }: FitScales,
  held: Listing,
): (point: Position) => Promise<ValidationError> {
  const cost = portableLoss(fit, loss);
  const { rows, columns, values, weights } = held;
  const { rank, stride, hasBias } = fit;
  const mean = shift + fit.mean;
  return async (point) => {
    const U = factorBuffer(fit, 'rows', point.rows);
    const V = factorBuffer(fit, 'columns', point.columns);
    let total = 0;
    let costs = 0;
    let squares = 0;
    for (let t = 0; t < values.length; t++) {
      if (t % slice === slice - 1) await new Promise((resolve) => setImmediate(resolve));
      const a = (rows[t] as number) * stride;
      const b = (columns[t] as number) * stride;
      let p = mean;
      if (hasBias) p += (U[a + rank] as number) + (V[b + rank] as number);
      for (let c = 0; c < rank; c++) p += (U[a + c] as number) * (V[b + c] as number);
      const w = weights ? (weights[t] as number) : 1;
      const r = (values[t] as number) - p;
      total += w * w;
      costs += cost(w, values[t] as number, p);
      squares += w * w * r * r;
    }
    return { loss: costs / total, rmse: Math.sqrt(squares / total) };
  };
}

/** The loss without the host's exp and log, whose last bits differ between machines: when to stop must not. */
function portableLoss(fit: FitContext, loss: Loss): (w: number, a: number, p: number) => number {
  if (loss.name !== 'logistic' && loss.name !== 'poisson') return (w, a, p) => lossValue(loss, w, a, p);
  const { exp64, log64 } = instantiateKernels(fit.module, fit.memory);
  if (loss.name === 'logistic') return (w, a, p) => w * w * (Math.max(0, -a * p) + log64(1 + exp64(-Math.abs(a * p))));
  return (w, a, p) => {
    if (a === 0) return p >= 0 ? w * w * p : Number.POSITIVE_INFINITY;
    return p > 0 ? w * w * (a * (log64(a) - log64(p)) - a + p) : Number.POSITIVE_INFINITY;
  };
}
