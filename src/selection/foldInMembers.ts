/** Factors of rows (or columns) that a fit has not seen, from a few of their entries. */
import ndarray, { type NdArray } from 'ndarray';
import type { RealArray } from '../data/input.js';
import { asInput, type Listing } from '../data/listing.js';
import type { FactorizeOptions } from '../factorize/factorizeOptions.js';
import { foldIn } from '../factorize/foldIn.js';
import { resolveBackground } from '../factorize/objectiveSpec.js';
import { Model } from '../model/model.js';
import type { Side } from '../parallel/layout.js';

/** The model with the factors (and biases) of the members that `given` lists in the place of its own. */
export async function foldInMembers(
  model: Model,
  side: Side,
  given: Listing,
  { background, hold, threads, memoryLimit, workerUrl, wasmUrl, signal }: FactorizeOptions,
): Promise<Model> {
  /** Left-out members are numbered anew, in order: nobody else is solved for. */
  const members = [...new Set(given[side])].sort((a, b) => a - b);
  const numbers = new Map(members.map((member, index) => [member, index]));
  const [m, n] = model.shape;
  const { A, weights } = asInput({
    ...given,
    [side]: given[side].map((member) => numbers.get(member) as number),
    shape: side === 'rows' ? [members.length, n] : [m, members.length],
  });
  const name = side === 'rows' ? 'U' : 'V';
  const held = hold?.[name];
  const lists = model.background && resolveBackground(background, m, n);
  const { factor, bias } = await foldIn(model, A, {
    side,
    weights,
    duplicates: 'keep',
    ...(held && { hold: { [name]: rowsOf(held, members) } }),
    ...(lists && { backgroundWeights: members.map((member) => lists[side][member] as number) }),
    threads,
    memoryLimit,
    workerUrl,
    wasmUrl,
    signal,
  });
  const own = ndarray(model[name].data.slice(), [...model[name].shape]) as NdArray<RealArray>;
  const biases = bias && model.biases[side]?.slice();
  members.forEach((member, index) => {
    for (let c = 0; c < model.rank; c++) own.set(member, c, factor.get(index, c));
    if (biases) biases[member] = bias[index] as number;
  });
  return new Model({ ...model, [name]: own, biases: { ...model.biases, ...(biases && { [side]: biases }) } });
}

function rowsOf(matrix: NdArray<RealArray>, rows: readonly number[]): NdArray<RealArray> {
  const k = matrix.shape[1] as number;
  return ndarray(
    Float64Array.from({ length: rows.length * k }, (_, t) => matrix.get(rows[Math.floor(t / k)] as number, t % k)),
    [rows.length, k],
  );
}
