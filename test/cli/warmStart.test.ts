/** A fit that begins where a model ends, by `--warm-start`. */
import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { all, at, cli, entriesOf, header, put, quoted, users } from './ratings.js';
import { failureOf, noise, npy } from './run.js';

describe('fit --warm-start', () => {
  test('begins where the model ends, by label', async () => {
    put('shuffled.csv', [header, ...entriesOf([...all].reverse())].join('\n'));
    const same = [
      '--rank',
      '2',
      '--biases',
      '--lambda',
      '0.05',
      '--dtype',
      'f64',
      '--tolerance',
      '1e-7',
      '--json',
      '--quiet',
    ];
    const warm = JSON.parse((await cli('fit', 'shuffled.csv', '--warm-start', 'model', ...same)).stdout);
    expect(warm).toMatchObject({ status: 'converged', sweeps: 1 });
  });

  test('says what begins at random', async () => {
    put(
      'grown.csv',
      [header, ...entriesOf(all), 'ann,item 1,5', 'ann,new item,3', `${quoted(users[0] as string)},new item,2`].join(
        '\n',
      ),
    );
    const { code, stderr } = await cli(
      'fit',
      'grown.csv',
      '--rank',
      '3',
      '--lambda',
      '0.05',
      '--max-sweeps',
      '50',
      '--warm-start',
      'model',
    );
    expect(code).toBe(0);
    expect(stderr).toContain('25 of 26 rows and 15 of 16 columns begin where model ends, the others at random.');
  });

  test.each<[string, string[], string]>([
    ['data without names', ['A.npy'], 'shape-mismatch'],
    ['data of other names', ['other.csv'], 'not-found'],
  ])('refuses %s', async (_name, args, code) => {
    put('other.csv', 'a,b,c\n1,2,3\n');
    writeFileSync(at('A.npy'), npy(noise(40, 1), 8, 5));
    const ended = await cli('fit', ...args, '--rank', '1', '--warm-start', 'model', '--json', '--quiet');
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(failureOf(ended)).toMatchObject({ code });
  });
});
