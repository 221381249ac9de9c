// @ts-check
/** All checks of package.json, in two rows beside each other: what looks at declarations comes after the check that makes them. */
import { together } from './together.mjs';

/** @param {readonly string[]} names */
const inTurn = (...names) => names.map((name) => `npm run --silent check:${name}`).join(' && ');

const failed = await together([inTurn('types', 'package', 'docs'), inTurn('lint', 'layers', 'unused', 'api')]);
if (failed.length > 0) process.exitCode = 1;
