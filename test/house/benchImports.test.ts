/** Benchmarks run seldom: a name that has moved out of the file they import it from is found here. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const files = ['bench/', 'bench/peers/', 'scripts/'].flatMap((folder) =>
  readdirSync(new URL(folder, root))
    .filter((name) => name.endsWith('.mjs'))
    .map((name) => folder + name),
);

test.each(files)('%s imports what there is', async (file) => {
  const url = new URL(file, root);
  for (const [, names = '', from = ''] of readFileSync(url, 'utf8').matchAll(
    /^import \{([^}]*)\} from '(\.[^']+)'/gm,
  )) {
    if (!from.includes('/dist/')) continue;
    const there = await import(new URL(from, url).href);
    for (const name of names.split(',').map((each) => each.trim().split(' as ')[0] as string))
      if (name !== '') expect(there, `${name} of ${from}`).toHaveProperty(name);
  }
});
