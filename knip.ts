import type { KnipConfig } from 'knip';

/** Tests and benchmarks import what ships, dist/src/…; knip is shown the sources that it was compiled from. */
const asSource = (text: string): string => text.replace(/(['"`])((?:\.\.\/)+)dist\/(src|workers)\//g, '$1$2$3/');

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
