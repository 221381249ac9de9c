import type { KnipConfig } from 'knip';

/** Tests and benchmarks import what was compiled, dist/src/…, or bundled; knip is shown the sources of it. */
const asSource = (text: string): string =>
  text.replace(
    /(['"`])((?:\.\.\/)+)dist\/(?:(src|workers)\/|bundle\/(?=index))/g,
    (_, quote, up, room = 'src') => `${quote}${up}${room}/`,
  );

const config: KnipConfig = {
  entry: [
    'src/index.ts',
    'src/cli/main.ts',
    'src/report/page/page.ts',
    'workers/*.{ts,cts}',
    'bench/**/*.mjs',
    'scripts/*.mjs',
  ],
  project: ['{src,workers,test}/**/*.{ts,cts}', '{bench,scripts}/**/*.mjs', '!src/kernels/assembly/**'],
  ignoreExportsUsedInFile: { interface: true, type: true },
  // Run by name from scripts/, which knip does not follow; fastify by an example of docs/service.md.
  ignoreDependencies: ['@arethetypeswrong/cli', 'assemblyscript', 'clinic', 'fastify', 'publint'],
  compilers: { ts: asSource, mjs: asSource },
};

export default config;
