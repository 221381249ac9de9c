/** The bits of a few fixed fits, as test/golden/factorize/record-digests.mjs recorded them: the same on every machine and Node. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { digestCases } from '../golden/factorize/digest-cases.mjs';

const file = new URL('../golden/factorize/digests.json', import.meta.url);

describe('recorded digests (node test/golden/factorize/record-digests.mjs records them)', () => {
  const recorded: Record<string, string> = JSON.parse(readFileSync(file, 'utf8'));

  test.each(Object.entries(digestCases))('%s', async (name, digest) => {
    expect(await digest()).toBe(recorded[name]);
  });

  test('every recorded fit is still made', () => {
    expect(Object.keys(digestCases).sort()).toEqual(Object.keys(recorded).sort());
  });
});
