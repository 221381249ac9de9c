// @ts-check
/** Compiles everything into dist/, and marks it as built when all went well. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { together } from './together.mjs';

const kernels = 'asc --config src/kernels/assembly/asconfig.json --target';
rmSync('dist/built', { force: true });
const failed = await together([
  'tsc -p tsconfig.json',
  'tsc -p src/report/page',
  `${kernels} strict`,
  `${kernels} relaxed`,
]);
if (failed.length === 0) failed.push(...(await together(['node scripts/bundle.mjs'])));
if (failed.length > 0) {
  console.error(`The build failed: ${failed.join(', ')}`);
  process.exitCode = 1;
} else {
  mkdirSync('dist', { recursive: true });
  writeFileSync('dist/built', '');
}
