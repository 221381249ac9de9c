/** The folder of a model: refused, replaced as a whole or not at all, whoever else saves there and whatever dies. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkOutput } from '../../dist/src/model/folder.js';
import { loadModel } from '../../dist/src/model/load.js';
import { sampleModel } from './sample.js';

let place: string;
let out: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'hadamard-folder-'));
  out = join(place, 'model');
});
afterEach(() => {
  chmodSync(place, 0o755);
  rmSync(place, { recursive: true, force: true });
});

/** Root may write anywhere: what must not be able to is run as nobody. */
const asUser = process.getuid?.() === 0 ? { uid: 65534, gid: 65534, cwd: '/' } : {};
function canActAsUser(): boolean {
  if (process.platform === 'win32') return false;
  const check = `require('node:fs').accessSync('${fileURLToPath(new URL('../../dist/src/index.js', import.meta.url))}')`;
  return spawnSync(process.execPath, ['-e', check], asUser).status === 0;
}

/** Every file with its bytes. */
function contentOf(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString('base64')]),
  );
}

describe('what a killed save has left', () => {
  const yesterday = new Date(Date.now() - 25 * 3600 * 1000);
  function leave(name: string, file: string, isOld: boolean) {
    mkdirSync(join(place, name));
    writeFileSync(join(place, name, file), 'x');
    if (isOld) utimesSync(join(place, name), yesterday, yesterday);
  }

  test('is removed: an old folder by the next save, a new one a day later', async () => {
    leave(`.model.new-${randomUUID()}`, 'U.npy', true);
    leave(`.model.old-${randomUUID()}`, 'U.npy', false);
    const young = `.model.new-${randomUUID()}`;
    leave(young, 'U.npy', false);
    await sampleModel().save(out);
    expect(readdirSync(place).sort()).toEqual([young, 'model']);
  });

  test('is known by its name and content: nothing else is touched', async () => {
    const others = [
      '.model.old',
      '.model.new-old',
      '.model.old-1',
      `.other.new-${randomUUID()}`,
      `.other.old-${randomUUID()}`,
      `model.old-${randomUUID()}`,
    ];
    for (const name of others) leave(name, 'U.npy', true);
    const theses = [`.model.old-${randomUUID()}`, `.model.new-${randomUUID()}`];
    for (const name of theses) leave(name, 'thesis.txt', true);
    await sampleModel().save(out);
    await sampleModel({ seed: 2 }).save(out);
    expect(readdirSync(place).sort()).toEqual([...others, ...theses, 'model'].sort());
    for (const name of theses) expect(readFileSync(join(place, name, 'thesis.txt'), 'utf8')).toBe('x');
  });
});

describe('an output folder', () => {
  test('is refused when it holds anything but a model, and stays as it was', async () => {
    const refuse = async (what: string) => {
      const before = contentOf(out);
      await expect(sampleModel().save(out), what).rejects.toMatchObject({
        code: 'output-refused',
        position: { file: out },
      });
      expect(contentOf(out)).toEqual(before);
      expect(readdirSync(place)).toEqual(['model']);
    };
    mkdirSync(out);
    writeFileSync(join(out, 'notes.txt'), 'mine');
    await refuse('a foreign file');
    writeFileSync(join(out, 'model.json'), '{"format":"something else"}');
    await refuse('another model.json');
    rmSync(join(out, 'notes.txt'));
    rmSync(join(out, 'model.json'));
    await sampleModel().save(out);
    writeFileSync(join(out, 'notes.txt'), 'mine');
    await refuse('a model and a foreign file');
    rmSync(out, { recursive: true });
    writeFileSync(out, 'a file');
    await expect(sampleModel().save(out)).rejects.toMatchObject({ code: 'output-refused' });
  });

  test('that is a link to nothing, or no name, is refused before anything is computed', async () => {
    symlinkSync(join(place, 'nothing'), out);
    const refused = { code: 'output-refused', position: { option: 'out', file: out } };
    await expect(checkOutput(out)).rejects.toMatchObject(refused);
    await expect(sampleModel().save(out)).rejects.toMatchObject(refused);
    expect(readdirSync(place)).toEqual(['model']);
    await expect(checkOutput('')).rejects.toMatchObject({ code: 'invalid-option', position: { option: 'out' } });
  });

  test('may hold a canonical form, but nothing foreign in it', async () => {
    await sampleModel().save(out, { canonical: true });
    await sampleModel({ seed: 2 }).save(out, { canonical: true });
    expect(readdirSync(join(out, 'canonical')).sort()).toEqual(['U.npy', 'V.npy', 'd.npy']);
    writeFileSync(join(out, 'canonical', 'notes.txt'), 'mine');
    await expect(sampleModel().save(out)).rejects.toMatchObject({ code: 'output-refused' });
    expect((await loadModel(out)).fit.seed).toBe(2);
  });

  test('that cannot be written fails, and nothing is left or lost', async () => {
    const isRoot = process.getuid?.() === 0;
    const readOnly = isRoot ? '/proc/hadamard-model' : join(place, 'closed', 'model');
    if (!isRoot) {
      mkdirSync(join(place, 'closed'));
      chmodSync(join(place, 'closed'), 0o555);
    }
    await expect(sampleModel().save(readOnly)).rejects.toMatchObject({
      code: 'output-failed',
      position: { file: readOnly },
    });
  });

  test.skipIf(!canActAsUser())('that is read-only keeps the older model byte for byte', async () => {
    await sampleModel().save(out);
    const before = contentOf(out);
    chmodSync(place, 0o555);
    const code = `
      import { loadModel } from '${new URL('../../dist/src/model/load.js', import.meta.url).href}';
      import { checkOutput } from '${new URL('../../dist/src/model/folder.js', import.meta.url).href}';
      const model = await loadModel('${out}');
      for (const write of [() => checkOutput('${out}'), () => model.save('${out}'), () => model.save('${place}/new')])
        await write().then(() => console.log('written'), ({ code, position }) => console.log(code, position.file));
    `;
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', code], asUser);
    expect(String(printed).trim().split('\n')).toEqual([
      `output-failed ${out}`,
      `output-failed ${out}`,
      `output-failed ${place}/new`,
    ]);
    expect(contentOf(out)).toEqual(before);
    expect(readdirSync(place)).toEqual(['model']);
  });

  test('on a full disk keeps the older model byte for byte', async () => {
    await sampleModel().save(out);
    const before = contentOf(out);
    // A limit on the size of files stands for a full disk: write() fails part of the way.
    const code = `
      import { matrix, Model } from '${new URL('../../dist/src/model/model.js', import.meta.url).href}';
      import { loadModel } from '${new URL('../../dist/src/model/load.js', import.meta.url).href}';
      const small = await loadModel('${out}');
      const model = new Model({ ...small, U: matrix(new Float64Array(1e6), 5e5, 2), V: small.V, biases: small.biases, labels: {}, fit: small.fit });
      await model.save('${out}').then(() => console.log('saved'), (error) => console.log(error.code));
    `;
    const printed = execFileSync('bash', [
      '-c',
      `ulimit -f 100; exec "$0" --input-type=module -e "$1"`,
      process.execPath,
      code,
    ]);
    expect(String(printed).trim()).toBe('output-failed');
    expect(contentOf(out)).toEqual(before);
    expect(readdirSync(place)).toEqual(['model']);
  });
});

describe('a process that dies while it saves', () => {
  /** Saves over and over in a process of its own, until it is killed. */
  function endlessSaves() {
    const code = `
      import { loadModel } from '${new URL('../../dist/src/model/load.js', import.meta.url).href}';
      const model = await loadModel('${out}');
      for (;;) { await model.save('${out}'); console.log('saved'); }
    `;
    return spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  test('leaves a model that can be read, wherever kill -9 strikes', async () => {
    await sampleModel({ rows: 20000, columns: 3000, rank: 8 }).save(out);
    const digest = (await loadModel(out)).fit.digest;
    for (let round = 0; round < 8; round++) {
      const saver = endlessSaves();
      await new Promise((resolve) => saver.stdout.once('data', resolve));
      await new Promise((resolve) => setTimeout(resolve, 3 + 7 * round));
      saver.kill('SIGKILL');
      await new Promise((resolve) => saver.once('close', resolve));
      expect((await loadModel(out)).fit.digest).toBe(digest);
    }
  });

  test('between its two renames leaves the older model where load and the next save find it', async () => {
    await sampleModel({ seed: 3 }).save(out);
    cpSync(out, join(place, `.model.old-${randomUUID()}`), { recursive: true });
    rmSync(out, { recursive: true });
    expect((await loadModel(out)).fit.seed).toBe(3);
    await sampleModel({ seed: 4 }).save(out);
    expect((await loadModel(out)).fit.seed).toBe(4);
    expect(readdirSync(place)).toEqual(['model']);
  });
});

test('saves of several processes at the same time all succeed, and one of their models stays', async () => {
  await sampleModel().save(out);
  const digest = (await loadModel(out)).fit.digest;
  const code = `
    import { loadModel } from '${new URL('../../dist/src/model/load.js', import.meta.url).href}';
    import { checkOutput } from '${new URL('../../dist/src/model/folder.js', import.meta.url).href}';
    const model = await loadModel('${join(place, 'source')}');
    for (let round = 0; round < 40; round++) { await checkOutput('${out}'); await model.save('${out}'); }
  `;
  cpSync(out, join(place, 'source'), { recursive: true });
  const savers = [1, 2, 3].map(() =>
    spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'ignore', 'pipe'] }),
  );
  const ended = await Promise.all(
    savers.map(async (saver) => {
      let stderr = '';
      saver.stderr.on('data', (text) => (stderr += text));
      const exit = await new Promise((resolve) => saver.once('close', resolve));
      return { exit, stderr };
    }),
  );
  expect(ended).toEqual([1, 2, 3].map(() => ({ exit: 0, stderr: '' })));
  expect((await loadModel(out)).fit.digest).toBe(digest);
  expect(readdirSync(place).sort()).toEqual(['model', 'source']);
});

test('nothing is left listening after a save', async () => {
  await sampleModel().save(out);
  expect(process.listeners('exit').filter(({ name }) => name === 'removeUnfinished')).toEqual([]);
  expect(existsSync(out)).toBe(true);
});
