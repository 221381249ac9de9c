import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadModel } from '../../dist/src/model/load.js';
import { run, temporaryFolder } from './run.js';

test('demo runs in an empty folder, twice, and its model says how it is made again', async () => {
  const empty = temporaryFolder();
  try {
    mkdirSync(empty.path, { recursive: true });
    for (let round = 0; round < 2; round++) {
      const { code, stdout } = await run(['demo'], empty.path);
      expect(code).toBe(0);
      expect(stdout).toMatch(/307 × 41/);
      expect(stdout).toContain('./hadamard-demo/');
      for (const next of ['inspect hadamard-demo', 'report hadamard-demo --out demo.html', 'fit <your.csv>'])
        expect(stdout).toContain(`npx hadamard ${next}`);
      expect(stdout).not.toContain('recommend');
    }
    const model = await loadModel(join(empty.path, 'hadamard-demo'));
    expect(model.shape).toEqual([307, 41]);
    const { code, stdout } = await run(['fit', '--config', 'hadamard-demo', '--out', 'again', '--json'], empty.path);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).digest).toBe(model.fit.digest);
  } finally {
    empty.remove();
  }
});
