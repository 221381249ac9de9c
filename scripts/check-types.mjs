// @ts-check
/** Types of everything: what is shipped first, since tests and benchmarks are checked against its declarations. */
import { together } from './together.mjs';

const first = await together(['tsc -p tsconfig.json --noEmitOnError --emitDeclarationOnly']);
const rest = ['src/report/page --noEmitOnError', 'test/tsconfig.json', 'bench/tsconfig.json'];
const failed = first.length > 0 ? first : await together(rest.map((project) => `tsc -p ${project}`));
if (failed.length > 0) {
  console.error(`Failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
