/** Builds where a source is newer than the last build: before tests, and npm runs `prepare` before each `npx hadamard` in a checkout. */
import { execSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const changed = (path) => statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
const within = (folder) => readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name));

const settings = ['package.json', 'package-lock.json', 'tsconfig.json', 'scripts/build.mjs', 'scripts/bundle.mjs'];
const sources = [...settings, ...within('src'), ...within('workers')];
// Written last: it is there, and new, only when all before it went well.
const built = changed('dist/built');
if (!sources.every((source) => changed(source) < built)) execSync('npm run build', { cwd: root, stdio: 'inherit' });
