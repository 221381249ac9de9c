/**
 * L-BFGS on U and V together: a quasi-Newton direction from the last few steps and changes of the gradient. J. Nocedal,
 * Math. Comp. 35 (1980); D. C. Liu & J. Nocedal, Math. Prog. 45 (1989); the two loops are J. Nocedal & S. J. Wright, Numerical
 * Optimization (2006), algorithm 7.4.
 *
 * The loops run on inner products alone, as W. Chen, Z. Wang & J. Zhou, NIPS 2014: workers measure the products and combine the
 * vectors, block by block, and the coordinator's part does not grow with the problem.
 */

import { gradientProduct } from '../objective/relativeGradient.js';
import { otherSide } from '../parallel/layout.js';
import type { Totals } from '../parallel/phase.js';
import {
  finishRows,
  type Method,
  type MethodRun,
  type Point,
  type Position,
  type Proposal,
  type Run,
} from './method.js';
import { mostProducts, productsOf } from './vectorPhases.js';
import { wolfeSearch } from './wolfe.js';

/** Steps remembered. */
const history = 10;

/** Buffers 0 and 1 of each side are points, 2 and 3 the gradients at them, then the direction, steps s and changes y. */
const gradientAt = (point: number) => point + 2;
const direction = 4;
const stepAt = (slot: number) => 5 + slot;
const changeAt = (slot: number) => 5 + history + slot;
const bufferCount = 5 + 2 * history;

const sides = ['rows', 'columns'] as const;

export const lbfgs: Method = {
  name: 'lbfgs',
  buffers: { rows: bufferCount, columns: bufferCount },
  create: (run) => new LimitedMemory(run),
};

/** A point and what was measured there. */
interface Slope {
  readonly point: Point;
  readonly squared: number;
  readonly relative: number;
}

type Pairs = readonly (readonly [Position | number, Position | number])[];

class LimitedMemory implements MethodRun {
  readonly #run: Run;
  /** Slots of the history in use, the oldest first. */
  #slots: number[] = [];
  /** s_i·y_j and y_i·y_j by slots. */
  readonly #stepChange = table();
  readonly #changeChange = table();
  /** g·s and g·y by slots, at the point that the last direction was made for. */
  #ofSteps: number[] = [];
  #ofChanges: number[] = [];
  #known: Slope | undefined;

  constructor(run: Run) {
    this.#run = run;
  }

  /** `precise` has no part in this: a step is taken only where f falls. */
  async step(from: Point, _precise: boolean): Promise<Proposal> {
    const isKnown = this.#known?.point === from;
    // The last step did not end here: its change of the gradient is not known.
    if (!isKnown) this.#slots = [];
    const slope = isKnown ? (this.#known as Slope) : await this.#measure(from);
    const found = (await this.#search(slope)) ?? (await this.#searchAgain(slope));
    if (found && found.point !== from) await this.#remember(slope.point, found.point);
    this.#known = found ?? slope;
    const proposal = { ...this.#known.point, relativeGradientNorm: slope.relative, isExtrapolated: false };
    this.#known = { ...this.#known, point: proposal };
    return proposal;
  }

  finish(from: Point): Promise<Proposal> {
    return finishRows(this.#run, from);
  }

  /** f and both gradients at a position, these into their buffers. */
  async #measure(at: Position): Promise<Slope> {
    const totals: Totals[] = [];
    for (const side of sides) {
      const other = at[otherSide(side)];
      const call = { phase: 'gradient', side, own: at[side], other, out: gradientAt(at[side]) };
      totals.push(await this.#run.phase(call));
    }
    const [ofRows, ofColumns] = totals as [Totals, Totals];
    const squared = totals.reduce((sum, each) => sum + each.gradientSquared + each.biasGradientSquared, 0);
    const objective = ofRows.loss + ofRows.penalty + ofColumns.penalty;
    return {
      point: { rows: at.rows, columns: at.columns, loss: ofRows.loss, objective },
      squared,
      relative: this.#run.relative(gradientProduct(ofRows) + gradientProduct(ofColumns)),
    };
  }

  /** Along the quasi-Newton direction; undefined where f does not fall. */
  async #search(from: Slope): Promise<Slope | undefined> {
    if (from.squared === 0) return undefined;
    const { point } = from;
    const isFirst = this.#slots.length === 0;
    await this.#direct(point);
    const [start] = (await this.#products([[gradients(point), direction]])) as [number];
    if (!(start < 0)) return undefined;
    const to = { rows: 1 - point.rows, columns: 1 - point.columns };
    return wolfeSearch(
      async (step) => {
        for (const side of sides)
          await this.#combine(side, to[side], [
            [point[side], 1],
            [direction, step],
          ]);
        const slope = await this.#measure(to);
        const [along] = (await this.#products([[gradients(to), direction]])) as [number];
        return { step, value: slope.point.objective, slope: along, found: slope };
      },
      { value: point.objective, slope: start },
      // f ≥ 0, so the step to the zero of the tangent is a generous first guess (Polyak's).
      isFirst ? -point.objective / start : 1,
    );
  }

  /** Once more from the gradient alone: an old history may mislead. */
  async #searchAgain(from: Slope): Promise<Slope | undefined> {
    if (this.#slots.length === 0) return undefined;
    this.#slots = [];
    return this.#search(from);
  }

  /** d = −Hg by the two loops, on products with g and those remembered. */
  async #direct(point: Position): Promise<void> {
    const slots = this.#slots;
    const g = gradients(point);
    const measured = await this.#products([
      ...slots.map((slot) => [g, stepAt(slot)] as const),
      ...slots.map((slot) => [g, changeAt(slot)] as const),
    ]);
    const ofSteps = measured.slice(0, slots.length);
    const ofChanges = measured.slice(slots.length);
    this.#completeTables(ofSteps, ofChanges);
    const sy = (i: number, j: number) =>
      (this.#stepChange[slots[i] as number] as number[])[slots[j] as number] as number;
    const yy = (i: number, j: number) =>
      (this.#changeChange[slots[i] as number] as number[])[slots[j] as number] as number;
    const alpha = new Array<number>(slots.length).fill(0);
    for (let i = slots.length - 1; i >= 0; i--) {
      let product = ofSteps[i] as number;
      for (let j = i + 1; j < slots.length; j++) product -= (alpha[j] as number) * sy(i, j);
      alpha[i] = product / sy(i, i);
    }
    const last = slots.length - 1;
    const gamma = last >= 0 ? sy(last, last) / yy(last, last) : 1;
    const ofStep = new Array<number>(slots.length).fill(0);
    for (let i = 0; i < slots.length; i++) {
      let product = ofChanges[i] as number;
      for (let j = 0; j < slots.length; j++) product -= (alpha[j] as number) * yy(Math.min(i, j), Math.max(i, j));
      product *= gamma;
      for (let j = 0; j < i; j++) product += (ofStep[j] as number) * sy(j, i);
      ofStep[i] = (alpha[i] as number) - product / sy(i, i);
    }
    for (const side of sides)
      await this.#combine(side, direction, [
        [gradientAt(point[side]), -gamma],
        ...slots.map((slot, i) => [changeAt(slot), gamma * (alpha[i] as number)] as const),
        ...slots.map((slot, i) => [stepAt(slot), -(ofStep[i] as number)] as const),
      ]);
  }

  /** Adds s and y of a step in place of the oldest; starts anew where they show no curvature. */
  async #remember(from: Position, to: Position): Promise<void> {
    const isFull = this.#slots.length === history;
    const slot = isFull ? (this.#slots[0] as number) : this.#slots.length;
    const kept = isFull ? this.#slots.slice(1) : this.#slots;
    for (const side of sides) {
      await this.#combine(side, stepAt(slot), [
        [to[side], 1],
        [from[side], -1],
      ]);
      await this.#combine(side, changeAt(slot), [
        [gradientAt(to[side]), 1],
        [gradientAt(from[side]), -1],
      ]);
    }
    const [own, squared] = (await this.#products([
      [stepAt(slot), changeAt(slot)],
      [changeAt(slot), changeAt(slot)],
    ])) as [number, number];
    // Without curvature nothing is learned, and what was known is of no use where the last slot is overwritten.
    if (!(own > 0 && squared > 0)) {
      this.#slots = [];
      return;
    }
    (this.#stepChange[slot] as number[])[slot] = own;
    (this.#changeChange[slot] as number[])[slot] = squared;
    this.#slots = [...kept, slot];
  }

  /** s_i·y and y_i·y of the newest y = g − g_before, from the products of both gradients. */
  #completeTables(ofSteps: readonly number[], ofChanges: readonly number[]): void {
    const newest = this.#slots.at(-1);
    this.#slots.forEach((slot, i) => {
      if (slot !== newest && newest !== undefined) {
        (this.#stepChange[slot] as number[])[newest] = (ofSteps[i] as number) - (this.#ofSteps[slot] as number);
        (this.#changeChange[slot] as number[])[newest] = (ofChanges[i] as number) - (this.#ofChanges[slot] as number);
      }
    });
    this.#slots.forEach((slot, i) => {
      this.#ofSteps[slot] = ofSteps[i] as number;
      this.#ofChanges[slot] = ofChanges[i] as number;
    });
  }

  /** Inner products over both sides; a pair names buffers of each side, or one number for both. */
  async #products(pairs: Pairs): Promise<number[]> {
    const results: number[] = [];
    for (let start = 0; start < pairs.length; start += mostProducts) {
      const some = pairs.slice(start, start + mostProducts);
      const sums = some.map(() => 0);
      for (const side of sides) {
        const on = (buffer: Position | number) => (typeof buffer === 'number' ? buffer : buffer[side]);
        const terms = some.map(([a, b]) => [on(a), on(b)] as const);
        const totals = await this.#run.phase({ phase: 'products', side, own: null, other: 0, out: null, terms });
        productsOf(totals, some.length).forEach((product, i) => {
          sums[i] = (sums[i] as number) + product;
        });
      }
      results.push(...sums);
    }
    return results;
  }

  async #combine(side: 'rows' | 'columns', out: number, terms: readonly (readonly [number, number])[]): Promise<void> {
    await this.#run.phase({ phase: 'combine', side, own: null, other: 0, out, terms });
  }
}

const gradients = ({ rows, columns }: Position): Position => ({ rows: gradientAt(rows), columns: gradientAt(columns) });

const table = (): number[][] => Array.from({ length: history }, () => new Array<number>(history).fill(0));
