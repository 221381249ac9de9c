// @ts-check
/**
 * Runs dependency-cruiser over src and workers and fails on any violation, or when it did not see every source file: under
 * some versions of TypeScript it finds no modules at all and calls that success.
 */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cruise } from 'dependency-cruiser';
import extractDepcruiseOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';

const rooms = ['src', 'workers'];
const options = await extractDepcruiseOptions(pathToFileURL(resolve('.dependency-cruiser.mjs')).href);
const { output } = await cruise(rooms, options, undefined, { tsConfig: extractTSConfig('tsconfig.json') });
if (typeof output === 'string') throw new Error('dependency-cruiser gave text where its result object was expected.');

const cruised = new Set(output.modules.map((module) => module.source));
const files = rooms
  .flatMap((room) => readdirSync(room, { recursive: true, encoding: 'utf8' }).map((file) => join(room, file)))
  .filter((file) => file.endsWith('.ts') && !file.startsWith(join('src', 'kernels', 'assembly')));
const unseen = files.filter((file) => !cruised.has(file.replaceAll('\\', '/')));

for (const { rule, from, to, cycle } of output.summary.violations) {
  console.error(`${rule.name}: ${from} → ${cycle ? cycle.map((step) => step.name).join(' → ') : to}`);
}
for (const file of unseen) console.error(`not seen by dependency-cruiser: ${file}`);
const { totalDependenciesCruised } = output.summary;
const failed =
  output.summary.violations.length > 0 || unseen.length > 0 || files.length === 0 || !totalDependenciesCruised;
console.log(
  `layers: ${files.length} files, ${totalDependenciesCruised} imports, ${output.summary.violations.length} violations`,
);
process.exitCode = failed ? 1 : 0;
