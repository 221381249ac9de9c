import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Chart, drawChart, escapeText, frameOf, type Mark, tickText } from '../../dist/src/report/page/chart.js';
import { type Course, courseCharts, firstView, joined } from '../../dist/src/report/page/convergence.js';

const real = fc.double({ min: -1e12, max: 1e12, noNaN: true });
const positive = fc.double({ min: 1e-12, max: 1e12, noNaN: true });
const range = (of: fc.Arbitrary<number>) =>
  fc
    .tuple(of, of)
    .filter(([a, b]) => Math.abs(a - b) > 1e-6 * (Math.abs(a) + Math.abs(b)))
    .map((pair) => pair.sort((a, b) => a - b) as [number, number]);
const axis = fc.oneof(
  fc.record({ label: fc.string(), scale: fc.constant('linear' as const), range: range(real), isWhole: fc.boolean() }),
  fc.record({ label: fc.string(), scale: fc.constant('log' as const), range: range(positive) }),
);

/** The numbers at the ticks of the axis across, as drawn. */
const ticksAcross = (svg: string) =>
  [...svg.matchAll(/<text class="tick" x="([\d.]+)" [^>]*text-anchor="middle">([^<]*)/g)].map(
    ([, x, text]) => [Number(x), text as string] as const,
  );

describe('a chart', () => {
  test('has ticks in order within its frame, few enough to be read, and no number that is none', () => {
    fc.assert(
      fc.property(axis, axis, fc.integer({ min: 240, max: 1200 }), (x, y, width) => {
        const chart: Chart = {
          title: '<title>',
          height: 250,
          x,
          y,
          marks: [{ kind: 'line', x: [...x.range, null], y: [...y.range, null], tone: 'first', dots: true }],
        };
        const svg = drawChart(chart, width);
        expect(svg).not.toMatch(/NaN|Infinity|undefined/);
        const frame = frameOf(chart, width);
        const ticks = ticksAcross(svg).map(([place]) => place);
        expect(ticks.length).toBeLessThanOrEqual(2 + width / 40);
        ticks.forEach((place, i) => {
          expect(place).toBeGreaterThanOrEqual(frame.left - 0.2);
          expect(place).toBeLessThanOrEqual(frame.left + frame.width + 0.2);
          if (i > 0) expect(place).toBeGreaterThan(ticks[i - 1] as number);
        });
        const [low, high] = x.range;
        expect(Math.abs(frame.valueAt(frame.x(low)) - low)).toBeLessThanOrEqual(
          1e-6 * Math.max(Math.abs(low), high - low),
        );
        expect(frame.x(high)).toBeCloseTo(frame.width, 6);
      }),
      { seed: 4, numRuns: 500 },
    );
  });

  test('says its numbers as people write them', () => {
    expect([0, 0.002, 84973.6, -1500, 1e6, 1e-6, 2.5e9, -3e-7, 120_000].map(tickText)).toEqual([
      '0',
      '0.002',
      '84,974',
      '−1,500',
      '10⁶',
      '10⁻⁶',
      '2.5×10⁹',
      '−3×10⁻⁷',
      '120,000',
    ]);
  });

  test('has a tick at each decade of a logarithmic axis, or at every so many', () => {
    const chart: Chart = {
      title: '',
      height: 250,
      x: { label: '', scale: 'log', range: [1e-3, 1e3] },
      y: { label: '', scale: 'linear', range: [0, 1] },
      marks: [],
    };
    expect(ticksAcross(drawChart(chart, 1100)).map(([, text]) => text)).toEqual([
      '0.001',
      '0.01',
      '0.1',
      '1',
      '10',
      '100',
      '1,000',
    ]);
    expect(ticksAcross(drawChart(chart, 300)).map(([, text]) => text)).toEqual(['0.001', '1', '1,000']);
  });

  test('shows names as text, with a direction of their own', () => {
    const chart: Chart = {
      title: 'a "quoted" <title>',
      height: 300,
      x: { label: '<x>', scale: 'linear', range: [0, 1] },
      y: { label: '&', scale: 'linear', range: [0, 1] },
      marks: [{ kind: 'dots', x: [0.2, 0.7], y: [0.2, 0.7], tone: 'first', names: ['<b>bold</b>', 'שלום'] }],
    };
    const svg = drawChart(chart, 600);
    expect(svg).not.toContain('<b>');
    expect(svg).not.toContain('<x>');
    expect(svg).toContain(`\u2068${escapeText('<b>bold</b>')}\u2069`);
    expect(svg).toContain('\u2068שלום\u2069');
  });
});

describe('the charts of a fit', () => {
  const course: Course = {
    sweep: [1, 2, 3, 4],
    seconds: [0, 1, 2, 4],
    objective: [100, 10, 2, 1],
    gradient: [null, 0.5, 0.05, 0.005],
    tolerance: 0.01,
  };
  const marks = (view: Parameters<typeof courseCharts>[1]) => {
    const { objective, gradient } = courseCharts(course, view);
    return { objective, gradient, line: objective.marks.at(-1) as Extract<Mark, { kind: 'line' }> };
  };

  test('show f, or f above its lowest, against sweeps or time', () => {
    const plain = marks({ across: 'sweep', height: 'objective', isLog: false });
    expect(plain.line).toMatchObject({ x: [1, 2, 3, 4], y: [100, 10, 2, 1] });
    expect(plain.objective.y.scale).toBe('linear');
    const above = marks({ across: 'seconds', height: 'above', isLog: false });
    expect(above.line).toMatchObject({ x: [0, 1, 2, 4], y: [99, 9, 1, null] });
    expect(above.objective.y.scale).toBe('log');
    // What has no logarithm is left out.
    expect(marks({ across: 'seconds', height: 'objective', isLog: true }).line.x).toEqual([null, 1, 2, 4]);
  });

  test('fit their heights to the part that is shown, and the tolerance into the gradient’s', () => {
    const { objective, gradient } = marks({ across: 'sweep', height: 'objective', isLog: false, range: [2, 3] });
    expect(objective.y.range[0]).toBeCloseTo(2 - 0.06 * 8, 10);
    expect(objective.y.range[1]).toBeCloseTo(10 + 0.06 * 8, 10);
    expect(gradient.y.range[0]).toBeLessThan(0.01);
    expect(gradient.marks[0]).toMatchObject({ kind: 'rule', at: 0.01 });
  });

  test('have one of the held-out error where there is one', () => {
    const view = { across: 'seconds', height: 'above', isLog: false } as const;
    expect(courseCharts(course, view)).not.toHaveProperty('validation');
    const { validation } = courseCharts({ ...course, validation: [3, null, 1, 2] }, { ...view, range: [2, 4] });
    expect(validation?.marks).toMatchObject([{ kind: 'line', x: [0, 1, 2, 4], y: [3, null, 1, 2] }]);
    expect(validation?.y.range[0]).toBeCloseTo(1 - 0.06, 12);
    expect(validation?.y.range[1]).toBeCloseTo(2 + 0.06, 12);
  });

  test('grow by what is new, and show which sweep was kept', () => {
    const late = { ...course, sweep: [4, 5], seconds: [4, 5], objective: [1, 0.5], gradient: [0.005, 0.001] };
    expect(joined(course, late)).toMatchObject({ sweep: [1, 2, 3, 4, 5], gradient: [null, 0.5, 0.05, 0.005, 0.001] });
    const held = { ...late, validation: [9, 8] };
    expect(joined({ ...course, validation: [3, null, 1, 2] }, held).validation).toEqual([3, null, 1, 2, 8]);
    const kept = courseCharts(
      { ...course, kept: { sweep: 3, seconds: 2 } },
      { ...firstView(course), across: 'seconds' },
    );
    for (const chart of Object.values(kept))
      expect(chart.marks).toContainEqual({ kind: 'rule', axis: 'x', at: 2, text: 'kept' });
    expect(firstView(course).height).toBe('above');
    expect(firstView({ ...course, sweep: [1] }).height).toBe('objective');
  });

  test('are drawn when there is nothing yet', () => {
    const nothing: Course = { sweep: [], seconds: [], objective: [], gradient: [], tolerance: null };
    for (const isLog of [false, true])
      for (const chart of Object.values(courseCharts(nothing, { across: 'sweep', height: 'above', isLog })))
        expect(drawChart(chart, 600)).not.toMatch(/NaN|Infinity/);
  });
});
