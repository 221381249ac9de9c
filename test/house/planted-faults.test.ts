/**
 * Every check of `npm run check` is seen to pass on a small sound package and to fail on a fault planted in it. The package
 * stands in a folder of its own; configuration and scripts are the project's.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const project = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'hadamard-house-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The project's package.json with only the checks in it and the tools they run, whatever else the project needs. */
const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
const pick = (from: object, wanted: RegExp): object =>
  Object.fromEntries(Object.entries(from).filter(([name]) => wanted.test(name)));
Object.assign(manifest, {
  scripts: pick(manifest.scripts, /^check/),
  dependencies: {},
  devDependencies: pick(
    manifest.devDependencies,
    /^(@arethetypeswrong\/cli|@biomejs\/biome|@types\/node|dependency-cruiser|knip|publint|typedoc|typescript|vitest)$/,
  ),
});

/** As the formatter wants it. */
const manifestWith = (changes: object): string => `${JSON.stringify({ ...manifest, ...changes }, null, 2)}\n`;

const soundPackage = {
  'package.json': manifestWith({}),
  'src/errors.ts': 'export class HadamardError extends Error {}\n',
  'src/data/matrix.ts': `import { HadamardError } from '../errors.js';

export function rows(values: readonly number[]): number {
  if (values.length === 0) throw new HadamardError('empty');
  return values.length;
}
`,
  'src/model/model.ts': "export { rows } from '../data/matrix.js';\n",
  'src/index.ts': "export { rows } from './model/model.js';\n",
  'src/cli/main.ts': "#!/usr/bin/env node\nimport { rows } from '../index.js';\n\nconsole.log(rows([1]));\n",
  'src/report/page/page.ts': "document.title = 'sound';\n",
  'workers/rowTask.ts': "import { rows } from '../src/data/matrix.js';\n\nrows([1]);\n",
  'workers/rows.cts': "module.exports = () => import('./rowTask.js');\n",
  'workers/scores.cts': "module.exports = () => import('./rowTask.js');\n",
  'test/rows.test.ts': "import { rows } from '../dist/src/index.js';\n\nrows([1]);\n",
  'bench/rows.mjs': "import { rows } from '../dist/src/index.js';\n\nrows([1]);\n",
  'dist/src/kernels/kernels.wasm': '',
  'dist/workers/rows.cjs': 'module.exports = () => 1;\n',
  'dist/workers/scores.cjs': 'module.exports = () => 1;\n',
  'dist/bundle/index.js': 'export const rows = (values) => values.length;\n',
  'dist/bundle/command/main.js': '#!/usr/bin/env node\nconsole.log(1);\n',
  'samples/small/table.csv': 'row,a\n1,2\n',
  'README.md': '# hadamard\n',
  LICENSE: 'MIT\n',
};

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** What `npm run check:name` runs, without npm's own start each time. */
function check(name: string): { failed: boolean; said: string } {
  const run = spawnSync(manifest.scripts[`check:${name}`], {
    cwd: folder,
    encoding: 'utf8',
    shell: true,
    env: { ...process.env, PATH: join(project, 'node_modules', '.bin') + delimiter + process.env.PATH },
  });
  return { failed: run.status !== 0, said: run.stdout + run.stderr };
}

/** Runs a check with some files replaced or added, then puts things back. */
function checkWith(name: string, fault: Readonly<Record<string, string>>): ReturnType<typeof check> {
  const places = Object.keys(fault).map((path) => join(folder, path));
  const before = places.map((place) => (existsSync(place) ? readFileSync(place) : undefined));
  write(fault);
  try {
    return check(name);
  } finally {
    places.forEach((place, index) => {
      const content = before[index];
      if (content === undefined) rmSync(place);
      else writeFileSync(place, content);
    });
  }
}

beforeAll(() => {
  const shared = [
    'tsconfig.json',
    'src/report/page/tsconfig.json',
    'biome.json',
    'knip.ts',
    'vitest.config.ts',
    '.dependency-cruiser.mjs',
    'scripts/check.mjs',
    'scripts/check-layers.mjs',
    'scripts/check-package.mjs',
    'scripts/check-types.mjs',
    'scripts/together.mjs',
    'test/tsconfig.json',
    'bench/tsconfig.json',
  ];
  for (const path of shared) cpSync(join(project, path), join(folder, path), { recursive: true });
  symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'));
  write(soundPackage);
});

// In the order of `npm run check`.
describe.each(['types', 'lint', 'layers', 'unused', 'package'])('check:%s', (name) => {
  it('passes on a sound package', () => {
    const { failed, said } = check(name);
    expect(failed, said).toBe(false);
  }, 180_000);
});

describe('check:types fails on', () => {
  it('a type error in src', () => {
    const { failed, said } = checkWith('types', { 'src/data/count.ts': "export const count: number = 'one';\n" });
    expect(said).toMatch(/src\/data\/count\.ts.*TS2322/);
    expect(failed).toBe(true);
  });

  const call = "import { rows } from '../dist/src/index.js';\n\nrows('1');\n";
  const faults = [
    ['the page', 'src/report/page/wrong.ts', 'document.title = 1;\n', 'src/report/page'],
    ['a test', 'test/wrong.test.ts', call, 'test/tsconfig.json'],
    ['a benchmark', 'bench/wrong.mjs', `// @ts-check\n${call}`, 'bench/tsconfig.json'],
  ] as const;
  let all: ReturnType<typeof check>;
  beforeAll(() => {
    all = checkWith('types', Object.fromEntries(faults.map(([, path, text]) => [path, text])));
  });

  // Each is told apart, and any one of them is a failure.
  it.each(faults)('a type error in %s', (_fault, path, _text, project) => {
    expect(all.said).toMatch(new RegExp(`${path}.*TS2(322|345)`));
    expect(/^Failed: (.*)$/m.exec(all.said)?.[1]).toContain(`tsc -p ${project}`);
    expect(all.failed).toBe(true);
  });
});

describe('check:lint fails on', () => {
  const faults = {
    'src/data/unformatted.ts': 'export const a = "b"\n',
    'src/data/nan.ts': 'export function isNaNumber(x: number): boolean {\n  return x === NaN;\n}\n',
  };
  let all: ReturnType<typeof check>;
  beforeAll(() => {
    all = checkWith('lint', faults);
  });

  it.each([
    ['a file that is not formatted', /src\/data\/unformatted\.ts format/],
    ['a fault that only lint sees', /src\/data\/nan\.ts:2:\d+ lint\/correctness\/useIsNan/],
  ])('%s', (_fault, complaint) => {
    expect(all.said).toMatch(complaint);
    expect(all.failed).toBe(true);
  });

  it('a mere warning', () => {
    const text = "import { rows } from './matrix.js';\n\nexport const a = 1;\n";
    const { failed, said } = checkWith('lint', { 'src/data/fault.ts': text });
    expect(said).toMatch(/noUnusedImports/);
    expect(failed).toBe(true);
  });
});

describe('check:layers fails on', () => {
  const faults = [
    ['an import from a floor above', 'src/data/up.ts', "import '../model/model.js';\n", 'never-up-from-kernels-data'],
    [
      'a type imported from above',
      'src/data/upType.ts',
      "export type { rows } from '../index.js';\n",
      'never-up-from-kernels-data',
    ],
    ['an import from a sibling room', 'src/kernels/side.ts', "import '../data/matrix.js';\n", 'siblings-kernels-data'],
    [
      'an import of a worker entry',
      'src/cli/entry.ts',
      "import '../../workers/rowTask.js';\n",
      'no-import-of-worker-entries',
    ],
    ['a file that stands on no floor', 'src/shed/tool.ts', "import '../errors.js';\n", 'every-file-has-a-floor'],
    ['an import of a development tool', 'src/data/tool.ts', "import 'typescript';\n", 'only-what-is-shipped'],
    ['an import of what is not there', 'src/data/gone.ts', "import './nowhere.js';\n", 'found'],
  ] as const;
  let all: ReturnType<typeof check>;
  beforeAll(() => {
    all = checkWith('layers', {
      ...Object.fromEntries(faults.map(([, path, text]) => [path, text])),
      'src/data/one.ts': "import './two.js';\n",
      'src/data/two.ts': "import './one.js';\n",
    });
  });

  it.each(faults)('%s', (_fault, path, _text, rule) => {
    expect(all.said).toContain(`${rule}: ${path} → `);
    expect(all.failed).toBe(true);
  });

  it('a circle', () => {
    expect(all.said).toContain('no-circle: src/data/one.ts → src/data/two.ts → src/data/one.ts');
  });

  it('files that the tool did not look at', () => {
    const config = readFileSync(join(project, '.dependency-cruiser.mjs'), 'utf8');
    const blind = config.replace("exclude: { path: '", "exclude: { path: '^src/model/|");
    expect(blind).not.toBe(config);
    const { failed, said } = checkWith('layers', { '.dependency-cruiser.mjs': blind });
    expect(said).toContain('not seen by dependency-cruiser: src/model/model.ts');
    expect(failed).toBe(true);
  });
});

describe('check:unused fails on', () => {
  let all: ReturnType<typeof check>;
  beforeAll(() => {
    all = checkWith('unused', {
      'src/model/model.ts': `${soundPackage['src/model/model.ts']}export const spareExport = 1;\n`,
      'src/data/spareFile.ts': 'export const a = 1;\n',
      'package.json': manifestWith({ dependencies: { comlink: '^4.4.2' } }),
    });
  });

  it.each([
    ['an export that nobody uses', 'spareExport'],
    ['a file that nobody imports', 'src/data/spareFile.ts'],
    ['a dependency that nobody imports', 'comlink'],
  ])('%s', (_fault, complaint) => {
    expect(all.said).toContain(complaint);
    expect(all.failed).toBe(true);
  });
});

it('check:unused counts what a test takes from dist/ as used', () => {
  const { failed, said } = checkWith('unused', {
    'src/model/model.ts': `${soundPackage['src/model/model.ts']}export const spare = 1;\n`,
    'test/spare.test.ts': "import { spare } from '../dist/src/model/model.js';\n\nspare.toFixed();\n",
  });
  expect(failed, said).toBe(false);
});

describe('check:package fails on', () => {
  it('an entry point that is not there', () => {
    const exports = { '.': { types: './dist/src/index.d.ts', default: './dist/src/main.js' } };
    const { failed, said } = checkWith('package', {
      'package.json': manifestWith({ exports }),
    });
    expect(said).toMatch(/dist\/src\/main\.js.*does not exist/);
    expect(failed).toBe(true);
  });

  it('types that only their reader finds broken', () => {
    const { failed, said } = checkWith('package', { 'dist/src/index.d.ts': "export { rows } from './gone.js';\n" });
    expect(said).toContain('All good!'); // publint does not look into them
    expect(said).toContain('Internal resolution error');
    expect(failed).toBe(true);
  });

  it('declarations that need types which are not installed with the package', () => {
    const { failed, said } = checkWith('package', {
      'dist/src/index.d.ts': 'export declare const rows: (values: Buffer) => number;\n',
    });
    expect(said).toContain("Cannot find name 'Buffer'");
    expect(failed).toBe(true);
  });

  it('a missing file, and one too many', () => {
    const { failed, said } = checkWith('package', {
      'package.json': manifestWith({ files: ['dist/src', 'samples', 'bench'] }),
    });
    expect(said).toContain('missing: ^dist\\/workers\\/rows\\.cjs$');
    expect(said).toContain('does not belong in the package: bench/rows.mjs');
    expect(failed).toBe(true);
  });
});
