/** The rules of many starts: rounds and seeds, which optima are one, when a search is over, when a start is given up. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Abandonment } from '../../dist/src/starts/abandon.js';
import { distinctOptima, type EndedStart, isSearched, widthOf } from '../../dist/src/starts/optima.js';
import { rounds, seedOfStart } from '../../dist/src/starts/rounds.js';

describe('rounds and seeds', () => {
  test('rounds of 8, in order, the last as long as it must be', () => {
    expect([...rounds(19)]).toEqual([
      [0, 1, 2, 3, 4, 5, 6, 7],
      [8, 9, 10, 11, 12, 13, 14, 15],
      [16, 17, 18],
    ]);
  });

  test('the first start has the seed of the fit, the others seeds of their own', () => {
    const seeds = [1, 2, 4294967295].flatMap((seed) => Array.from({ length: 500 }, (_, s) => seedOfStart(seed, s)));
    expect([seeds[0], seeds[500], seeds[1000]]).toEqual([1, 2, 4294967295]);
    expect(new Set(seeds).size).toBe(seeds.length);
    expect(seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)).toBe(true);
  });

  test('recorded seeds: a start means the same bits in every version', () => {
    expect([1, 2, 3].map((s) => seedOfStart(1, s))).toMatchInlineSnapshot(`
      [
        1327561010,
        878995415,
        2872891662,
      ]
    `);
  });
});

const ended = (...objectives: number[]): EndedStart[] =>
  objectives.map((objective, index) => ({ index, objective, isConverged: true }));

describe('distinct optima', () => {
  test('differ by more than 1e-6, relative', () => {
    const starts = ended(5, 3 * (1 + 0.9e-6), 3, 3 * (1 + 1.1e-6), 5 * (1 - 0.5e-6));
    expect(distinctOptima(starts, 100)).toEqual([
      { objective: 3, starts: [1, 2] },
      { objective: 3 * (1 + 1.1e-6), starts: [3] },
      { objective: 5 * (1 - 0.5e-6), starts: [0, 4] },
    ]);
  });

  test('are those of converged starts alone', () => {
    const [first, second] = ended(1, 2) as [EndedStart, EndedStart];
    expect(distinctOptima([{ ...first, isConverged: false }, second], 1)).toEqual([{ objective: 2, starts: [1] }]);
  });

  test('exact fits are one optimum, whatever their rounding leaves', () => {
    expect(distinctOptima(ended(3e-27, 1e-25, 2e-30, 1e-3), 10)).toMatchObject([
      { starts: [0, 1, 2] },
      { starts: [3] },
    ]);
  });

  test('do not depend on the order in which starts are listed', () => {
    const objective = fc.integer({ min: 0, max: 30 }).map((step) => 1 + step * 4e-7);
    fc.assert(
      fc.property(fc.array(objective, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (objectives, order) => {
        const starts = ended(...objectives);
        const keys = new Map(starts.map((start) => [start, order.next().value as number]));
        const shuffled = [...starts].sort((a, b) => (keys.get(a) as number) - (keys.get(b) as number));
        expect(distinctOptima(shuffled, 1)).toEqual(distinctOptima(starts, 1));
      }),
    );
  });
});

describe('a search is over', () => {
  const searched = (...hits: number[]) => {
    let next = 0;
    return isSearched(
      hits.map((count, w) => ({ objective: w + 1, starts: Array.from({ length: count }, () => next++) })),
    );
  };

  test('after 20 starts that found one optimum, not before', () => {
    expect([searched(19), searched(20)]).toEqual([false, true]);
  });

  test('not before the best was hit twice', () => {
    expect([searched(1, 50), searched(2, 49)]).toEqual([false, true]);
  });

  // w(N − 1)/(N − w − 2) < w + ½ solved for N by hand: N > (w + 2)(2w + 1) − 2w.
  test.each([2, 3, 5, 8])('with %i optima once the estimate of their number agrees', (w) => {
    const needed = (w + 2) * (2 * w + 1) - 2 * w + 1;
    const of = (N: number) => searched(N - w + 1, ...new Array(w - 1).fill(1));
    const least = Math.max(needed, 20);
    expect([of(least - 1), of(least)]).toEqual([false, true]);
  });

  test('never where every start finds another optimum', () => {
    expect(searched(2, ...new Array(60).fill(1))).toBe(false);
  });
});

describe('a start is given up', () => {
  const best = 100;
  /** After how many sweeps, or undefined. */
  const givenUp = (objectives: (sweep: number) => number, sweeps = 500) => {
    const abandonment = new Abandonment(best, widthOf(best, 1e4));
    for (let sweep = 1; sweep <= sweeps; sweep++) if (abandonment.isHopeless(objectives(sweep))) return sweep;
    return undefined;
  };

  test('where it no longer falls above the best', () => {
    expect(givenUp(() => 130)).toBe(21);
    expect(givenUp((sweep) => 130 + 1e-6 / sweep)).toBeDefined();
  });

  test('not on a plateau with a slope, such as starts on dino-trimmed cross', () => {
    expect(givenUp((sweep) => 109 * (1 - 1e-6 * sweep))).toBeUndefined();
  });

  test('not near the best, nor below it', () => {
    expect(givenUp(() => best * (1 + 0.9e-4))).toBeUndefined();
    expect(givenUp(() => 90)).toBeUndefined();
  });

  test('not while it converges to the best, however slowly', () => {
    expect(givenUp((sweep) => best + 50 / sweep, 20_000)).toBeUndefined();
    expect(givenUp((sweep) => best + 50 * 0.99 ** sweep, 2000)).toBeUndefined();
  });
});
