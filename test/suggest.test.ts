import { expect, test } from 'vitest';
import { closest, didYouMean } from '../dist/src/suggest.js';

test.each([
  ['huber', ['quadratic', 'huber:δ', 'l1'], 'huber:δ'],
  ['rnak', ['rank', 'like'], 'rank'],
  ['Ranks', ['preset', 'rank'], 'rank'],
  ['implicti', ['explicit', 'implicit'], 'implicit'],
  ['nothing', ['row', 'count', 'weight'], undefined],
  ['x', ['y', 'l1'], undefined],
  ['abcdefgh', ['abcd'], undefined],
  ['', ['a'], undefined],
])('%j among %j is meant to be %j', (word, candidates, meant) => {
  expect(closest(word, candidates)).toBe(meant);
});

test('says nothing where nothing is near, or no word was given', () => {
  expect([didYouMean('rnak', ['rank']), didYouMean('zzz', ['rank']), didYouMean(3, ['rank'])]).toEqual([
    'Did you mean rank? ',
    '',
    '',
  ]);
});
