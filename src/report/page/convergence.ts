/** The charts of a fit on its way: objective, relative gradient and held-out error against sweeps or time. The page carries this file. */
import type { Axis, Chart, Mark } from './chart.js';

/** The trace of a fit, column by column. */
export interface Course {
  readonly sweep: readonly number[];
  readonly seconds: readonly number[];
  readonly objective: readonly number[];
  readonly gradient: readonly (number | null)[];
  /** RMSE of held-out entries, where there are any; null after a sweep that was not kept. */
  readonly validation?: readonly (number | null)[];
  /** Of relative gradient norms: where a fit has converged. */
  readonly tolerance: number | null;
  /** Whose factors are the model's, where that is not the last sweep. */
  readonly kept?: { readonly sweep: number; readonly seconds: number };
}

/** What comes later behind what came before; sweeps that both have are there once. */
export function joined(course: Course, later: Course): Course {
  const last = course.sweep.at(-1) ?? 0;
  const isNew = (_: unknown, i: number) => (later.sweep[i] as number) > last;
  const both = <T>(before: readonly T[], after: readonly T[]) => [...before, ...after.filter(isNew)];
  return {
    ...later,
    sweep: both(course.sweep, later.sweep),
    seconds: both(course.seconds, later.seconds),
    objective: both(course.objective, later.objective),
    gradient: both(course.gradient, later.gradient),
    ...(later.validation && { validation: both(course.validation ?? [], later.validation) }),
  };
}

export interface View {
  readonly across: 'sweep' | 'seconds';
  /** f itself, or what it lies above its lowest value. */
  readonly height: 'objective' | 'above';
  /** Both axes; without it only those up that are logarithmic anyway: f − lowest f and the gradient. */
  readonly isLog: boolean;
  /** The part of the x axis that is shown. */
  readonly range?: readonly [number, number] | undefined;
}

/** How a course is shown first: where there is one sweep at most, nothing lies above the lowest. */
export function firstView({ sweep }: Course): View {
  return { across: 'sweep', height: sweep.length > 1 ? 'above' : 'objective', isLog: false };
}

/** All charts begin at one place. */
const room = 8;
const noun = { sweep: 'sweep', seconds: 'seconds since the first sweep' } as const;

export interface CourseCharts {
  readonly objective: Chart;
  readonly gradient: Chart;
  /** Where entries were held out. */
  readonly validation?: Chart;
}

export function courseCharts(course: Course, view: View): CourseCharts {
  const lowest = Math.min(...course.objective);
  const isAbove = view.height === 'above';
  const x = course[view.across].map((value) => (view.isLog && value <= 0 ? null : value));
  const y = course.objective.map((f) => (isAbove ? positive(f - lowest) : view.isLog ? positive(f) : f));
  const axis: Axis = {
    label: noun[view.across],
    scale: view.isLog ? 'log' : 'linear',
    range: view.range ?? span(x, view.isLog),
    isWhole: view.across === 'sweep',
  };
  const isIn = (_: unknown, i: number) => {
    const at = x[i];
    return typeof at === 'number' && at >= axis.range[0] && at <= axis.range[1];
  };
  const isLogUp = isAbove || view.isLog;
  const label = isAbove ? 'f − lowest f' : 'objective f';
  const gradient = course.gradient.map((norm) => (norm === null ? null : positive(norm)));
  const norms = gradient.filter(isIn);
  const tolerance = course.tolerance !== null && course.tolerance > 0 ? course.tolerance : null;
  const dots = x.filter(isIn).length <= 80;
  const bound: Mark[] = tolerance === null ? [] : [{ kind: 'rule', axis: 'y', at: tolerance, text: 'tolerance' }];
  const kept: Mark[] = course.kept ? [{ kind: 'rule', axis: 'x', at: course.kept[view.across], text: 'kept' }] : [];
  return {
    objective: {
      title: `${label} against ${noun[view.across]}`,
      height: 270,
      room,
      x: axis,
      y: { label, scale: isLogUp ? 'log' : 'linear', range: span(y.filter(isIn), isLogUp, 0.06) },
      marks: [...kept, { kind: 'line', x, y, tone: 'first', dots }],
    },
    gradient: {
      title: `relative gradient norm against ${noun[view.across]}`,
      height: 230,
      room,
      x: axis,
      y: { label: 'relative gradient norm', scale: 'log', range: span([...norms, tolerance], true, 0.1) },
      marks: [...bound, ...kept, { kind: 'line', x, y: gradient, tone: 'second', dots }],
    },
    ...(course.validation && {
      validation: {
        title: `RMSE of held-out entries against ${noun[view.across]}`,
        height: 230,
        room,
        x: axis,
        y: { label: 'RMSE held out', scale: 'linear', range: span(course.validation.filter(isIn), false, 0.06) },
        marks: [...kept, { kind: 'line', x, y: course.validation, tone: 'first', dots }],
      },
    }),
  };
}

/** Zero cannot stand on a logarithmic axis. */
function positive(value: number): number | null {
  return value > 0 ? value : null;
}

/** From the least to the largest of the values, with a margin that is a share of the way between them. */
function span(values: readonly (number | null)[], isLog: boolean, margin = 0): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value === null || !Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return isLog ? [0.1, 1] : [0, 1];
  if (low === high)
    return isLog ? [low / 1.5, high * 1.5] : [low - (Math.abs(low) * 0.1 || 1), high + (Math.abs(high) * 0.1 || 1)];
  if (!isLog) return [low - margin * (high - low), high + margin * (high - low)];
  const factor = Math.exp(margin * Math.log(high / low));
  return [low / factor, high * factor];
}
