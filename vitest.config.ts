import { defineConfig } from 'vitest/config';

/** Where .ci/run wants the runner's own report. */
const report = process.env.HADAMARD_TEST_REPORT;

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    // A process of its own for every file: tests start threads, send signals and read memory.
    pool: 'forks',
    maxWorkers: 2,
    // Node loads what is built, as for users, and sooner than vitest would transform it.
    server: { deps: { external: [/\/dist\//] } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
  },
});
