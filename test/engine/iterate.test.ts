/** The only outer loop, driven by methods that do as the test says: what is accepted, when it stops and what that is called. */
import { describe, expect, test, vi } from 'vitest';
import { iterate, type LoopOptions } from '../../dist/src/engine/iterate.js';
import type { MethodRun, Point, Proposal } from '../../dist/src/methods/method.js';
import { Interrupted } from '../../dist/src/parallel/crew.js';

const start: Point = { rows: 0, columns: 0, objective: 100, loss: 100 };
const defaults: LoopOptions = {
  maxSweeps: 50,
  tolerance: 1e-6,
  rise: 1e-12,
  fall: 1e-15,
  measure: async () => 1,
  onSweep: () => undefined,
  interruption: () => 'signal',
  resume: () => undefined,
};

const proposal = (objective: number, more: Partial<Proposal> = {}): Proposal => ({
  rows: 1,
  columns: 1,
  loss: objective,
  objective,
  relativeGradientNorm: 1,
  isExtrapolated: false,
  ...more,
});

/** A method that takes its objectives from a list, then an interruption. */
function scripted(...steps: (number | Proposal)[]): MethodRun & { precise: boolean[] } {
  const precise: boolean[] = [];
  return {
    precise,
    async step(_from, isPrecise) {
      precise.push(isPrecise);
      const next = steps.shift();
      if (next === undefined) throw new Interrupted();
      return typeof next === 'number' ? proposal(next) : next;
    },
  };
}

describe('reason and status', () => {
  test('gradient → converged, as the independent measure says', async () => {
    const measure = vi.fn(async () => 1e-7);
    const outcome = await iterate(start, scripted(50, proposal(40, { relativeGradientNorm: 1e-7 })), {
      ...defaults,
      measure,
    });
    expect(outcome).toMatchObject({ reason: 'gradient', status: 'converged', sweeps: 2, point: { objective: 40 } });
    expect(measure).toHaveBeenCalledTimes(1);
  });

  test('the method alone is not believed: the sweeps go on while the measure is above the tolerance', async () => {
    const small = { relativeGradientNorm: 1e-9 };
    const measured = [1e-3, 1e-6 + 1e-12, 1e-6];
    const steps = [proposal(50, small), proposal(40, small), proposal(30, small), proposal(20, small)];
    const outcome = await iterate(start, scripted(...steps), {
      ...defaults,
      measure: async () => measured.shift() as number,
    });
    expect(outcome).toMatchObject({ reason: 'gradient', sweeps: 3, point: { objective: 30 } });
  });

  test('no further fall → stalled, after ten sweeps without one', async () => {
    const outcome = await iterate(start, scripted(50, ...Array(8).fill(50), 49, ...Array(10).fill(49), 48), defaults);
    expect(outcome).toMatchObject({ reason: 'objective', status: 'stalled', sweeps: 20 });
  });

  test('sweeps → budget, never converged', async () => {
    const outcome = await iterate(start, scripted(50, 40, 30, 20), { ...defaults, maxSweeps: 3 });
    expect(outcome).toMatchObject({ reason: 'sweeps', status: 'budget', sweeps: 3, point: { objective: 30 } });
  });

  test.each([
    ['time', 'budget'],
    ['signal', 'cancelled'],
  ] as const)('interrupted by %s → %s, with the last accepted point', async (why, status) => {
    const resume = vi.fn();
    const outcome = await iterate(start, scripted(50, 40), { ...defaults, interruption: () => why, resume });
    expect(outcome).toMatchObject({ reason: why, status, sweeps: 2, point: { objective: 40 } });
    expect(resume).toHaveBeenCalledTimes(1);
  });
});

describe('acceptance', () => {
  test('a sweep that raises f is tried once more precisely, then kept', async () => {
    const method = scripted(50, 51, 45);
    const outcome = await iterate(start, method, { ...defaults, maxSweeps: 2 });
    expect(method.precise).toEqual([false, false, true]);
    expect(outcome.point.objective).toBe(45);
    expect(outcome.trace.map(({ step, objective, sweep }) => ({ step, objective, sweep }))).toEqual([
      { step: 'plain', objective: 50, sweep: 1 },
      { step: 'rejected', objective: 51, sweep: 1 },
      { step: 'plain', objective: 45, sweep: 2 },
    ]);
    expect(outcome.isMonotone).toBe(true);
  });

  test('a sweep that raises f twice ends the fit at the point before it', async () => {
    const outcome = await iterate(start, scripted(50, 51, 50.5, 1), defaults);
    expect(outcome).toMatchObject({ reason: 'objective', status: 'stalled', sweeps: 1, point: { objective: 50 } });
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('%s is never accepted', async (bad) => {
    const outcome = await iterate(start, scripted(50, bad, bad), defaults);
    expect(outcome).toMatchObject({ status: 'stalled', point: { objective: 50 } });
    const recovered = await iterate(start, scripted(bad, 40), { ...defaults, maxSweeps: 1 });
    expect(recovered.point.objective).toBe(40);
  });

  test('a rise within rounding is accepted, one above it is not', async () => {
    const options = { ...defaults, maxSweeps: 1, rise: 1e-6 };
    expect((await iterate(start, scripted(100 + 0.9e-4), options)).point.objective).toBe(100 + 0.9e-4);
    expect((await iterate(start, scripted(100 + 1.1e-4, 100 + 1.1e-4), options)).point.objective).toBe(100);
  });

  test('rises that are each within rounding and together are not: accepted, and not called monotone', async () => {
    const options = { ...defaults, rise: 1e-6 };
    const monotone = async (...objectives: number[]) =>
      (await iterate(start, scripted(...objectives), { ...options, maxSweeps: objectives.length })).isMonotone;
    expect(await monotone(100 + 0.9e-4, 100, 100 + 0.9e-4)).toBe(true);
    expect(await monotone(100 + 0.9e-4, 100 + 1.8e-4)).toBe(false);
    expect(await monotone(50, 50 + 0.4e-4, 50 + 0.8e-4, 40)).toBe(false);
  });

  test('the last half-sweep counts as well', async () => {
    const method = { ...scripted(100 + 0.9e-4), finish: async () => proposal(100 + 1.8e-4) };
    expect(await iterate(start, method, { ...defaults, rise: 1e-6, maxSweeps: 1 })).toMatchObject({
      point: { objective: 100 + 1.8e-4 },
      isMonotone: false,
    });
  });

  test('extrapolated steps are told apart', async () => {
    const steps = scripted(50, proposal(40, { isExtrapolated: true }));
    expect((await iterate(start, steps, { ...defaults, maxSweeps: 2 })).trace.map(({ step }) => step)).toEqual([
      'plain',
      'extrapolated',
    ]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])(
    'a start of objective %s is a numeric failure',
    async (objective) => {
      await expect(iterate({ ...start, objective }, scripted(1), defaults)).rejects.toMatchObject({
        code: 'numeric-failure',
      });
    },
  );

  test('a start of objective 0 is left alone', async () => {
    const outcome = await iterate({ ...start, objective: 0, loss: 0 }, scripted(...Array(11).fill(0)), defaults);
    expect(outcome).toMatchObject({ status: 'stalled', point: { objective: 0 } });
  });
});

describe('the last half-sweep', () => {
  const finish = (objective: number) => vi.fn(async () => proposal(objective, { rows: 7 }));

  test.each([
    ['sweeps', { maxSweeps: 1 }, 1],
    ['signal', {}, 1],
    ['gradient', { measure: async () => 0 }, 1],
  ] as const)('is taken when the reason is %s', async (reason, options, times) => {
    const steps = reason === 'gradient' ? [proposal(50, { relativeGradientNorm: 0 })] : [50];
    const method = { ...scripted(...steps), finish: finish(45) };
    const outcome = await iterate(start, method, { ...defaults, ...options });
    expect(outcome).toMatchObject({ reason, point: { objective: 45, rows: 7 } });
    expect(method.finish).toHaveBeenCalledTimes(times);
  });

  test('is measured, not the point before it', async () => {
    const measured: number[] = [];
    const measure = async (point: Point) => measured.push(point.objective) * 0;
    await iterate(
      start,
      { ...scripted(proposal(50, { relativeGradientNorm: 0 })), finish: finish(45) },
      { ...defaults, measure },
    );
    expect(measured).toEqual([45]);
  });

  test('is left out when it would raise f', async () => {
    const outcome = await iterate(start, { ...scripted(50), finish: finish(55) }, { ...defaults, maxSweeps: 1 });
    expect(outcome.point.objective).toBe(50);
  });
});

test('errors of a method go through', async () => {
  const method: MethodRun = { step: () => Promise.reject(new Error('broken')) };
  await expect(iterate(start, method, defaults)).rejects.toThrow('broken');
});

test('onSweep is told of every accepted sweep, in order', async () => {
  const seen: [number, number][] = [];
  const onSweep: LoopOptions['onSweep'] = ({ sweep, objective }) => seen.push([sweep, objective]);
  await iterate(start, scripted(50, 60, 40, 30), { ...defaults, maxSweeps: 3, onSweep });
  expect(seen).toEqual([
    [1, 50],
    [2, 40],
    [3, 30],
  ]);
});

describe('held-out entries', () => {
  /** Errors from a list, one a sweep. */
  const watched = (patience: number | undefined, ...losses: number[]) => {
    const kept: Point[] = [];
    const restored: Point[] = [];
    const validation = {
      patience,
      measure: async () => ({ loss: losses.shift() as number, rmse: 1 }),
      keep: (point: Point) => void kept.push(point),
      restore: (point: Point) => void restored.push(point),
    };
    return { validation, kept, restored };
  };

  test('without a lower error for as many sweeps as patience → validated, with the point of the best', async () => {
    const { validation, kept, restored } = watched(2, 5, 3, 4, 3, 1);
    const outcome = await iterate(start, scripted(50, 40, 30, 20, 10), { ...defaults, validation });
    expect(outcome).toMatchObject({ reason: 'validation', status: 'validated', sweeps: 4, keptSweep: 2 });
    expect(outcome.point).toMatchObject({ objective: 40, rows: 1, columns: 1 });
    expect(kept.map(({ objective }) => objective)).toEqual([50, 40]);
    expect(restored.map(({ objective }) => objective)).toEqual([20]);
    expect(outcome.trace.map(({ validation: error }) => error?.loss)).toEqual([5, 3, 4, 3]);
    expect(outcome.isMonotone).toBe(true);
  });

  test('without patience are reported alone', async () => {
    const { validation, kept } = watched(undefined, 1, 2, 3);
    const outcome = await iterate(start, scripted(50, 40, 30), { ...defaults, validation, maxSweeps: 3 });
    expect(outcome).toMatchObject({ reason: 'sweeps', keptSweep: 3, point: { objective: 30 } });
    expect(kept).toEqual([]);
  });

  test('a fit that converges beyond its best is validated, one that converges at it is converged', async () => {
    const steps = () => scripted(50, proposal(40, { relativeGradientNorm: 1e-7 }));
    const options = { ...defaults, measure: async () => 1e-7 };
    const later = await iterate(start, steps(), { ...options, validation: watched(9, 1, 2).validation });
    expect(later).toMatchObject({ reason: 'validation', status: 'validated', keptSweep: 1, point: { objective: 50 } });
    const now = await iterate(start, steps(), { ...options, validation: watched(9, 2, 1).validation });
    expect(now).toMatchObject({ reason: 'gradient', status: 'converged', keptSweep: 2, point: { objective: 40 } });
  });

  test('an error that is no number never counts as lower', async () => {
    const { validation } = watched(2, 5, Number.NaN, Number.NaN);
    const outcome = await iterate(start, scripted(50, 40, 30), { ...defaults, validation });
    expect(outcome).toMatchObject({ reason: 'validation', keptSweep: 1 });
  });

  test('a cancelled fit keeps its best factors as well', async () => {
    const { validation } = watched(9, 1, 2);
    const outcome = await iterate(start, scripted(50, 40), { ...defaults, validation });
    expect(outcome).toMatchObject({
      reason: 'signal',
      status: 'cancelled',
      sweeps: 2,
      keptSweep: 1,
      point: { objective: 50 },
    });
  });
});
