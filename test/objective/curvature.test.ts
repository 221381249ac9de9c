/** The quadratics that touch losses: they do, lie above them, and are Newton's for poisson. */
import { expect, test } from 'vitest';
import { lossCurvature, lossOf, lossSlope, lossValue } from '../../dist/src/objective/losses.js';
import { expectClose } from '../helpers/compare.js';

test.each(['quadratic', 'huber:0.7', 'huber:0.7:raw', 'l1:0.1', 'logistic'])('of %s touch it and lie above', (text) => {
  const loss = lossOf(text);
  for (const a of [1, -1])
    for (const w of [0.5, 1, 2])
      for (const p of [-4, -1, -0.3, 0, 1e-6, 0.2, 1, 3])
        for (const x of [-5, -1.1, -0.2, 0, 0.4, 1, 2.5]) {
          const omega = lossCurvature(loss, w, a, p);
          const above = omega * (x - p) ** 2 + lossSlope(loss, w, a, p) * (x - p) + lossValue(loss, w, a, p);
          const below = lossValue(loss, w, a, x);
          expect(above - below).toBeGreaterThanOrEqual(-1e-12 * (1 + Math.abs(above)));
        }
});

test('of losses of a residual have its weight as the ratio of slope and residual', () => {
  for (const text of ['quadratic', 'huber:0.7', 'huber:0.7:raw', 'l1:0.1'])
    for (const p of [-3, 0.5, 1.2])
      expectClose([lossCurvature(lossOf(text), 1.5, 1, p) * 2 * (p - 1)], [lossSlope(lossOf(text), 1.5, 1, p)], 1e-13);
});

test('of poisson are half its second derivative', () => {
  const loss = lossOf('poisson');
  for (const a of [0, 1, 7])
    for (const p of [0.3, 2, 9]) {
      const step = 1e-5 * p;
      const second = (lossSlope(loss, 1.3, a, p + step) - lossSlope(loss, 1.3, a, p - step)) / (2 * step);
      expect(lossCurvature(loss, 1.3, a, p)).toBeCloseTo(second / 2, 6);
    }
});
