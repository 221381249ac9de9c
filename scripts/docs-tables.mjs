/** Writes docs/options.md and docs/errors.md from the tables in the code; `--check` only says whether they agree. */
import { readFileSync, writeFileSync } from 'node:fs';
import { errorCodes, optionTable } from '../dist/src/index.js';
import { flagOf, ruleOf } from '../dist/src/options.js';

const cell = (text) => String(text).replaceAll('|', '\\|');

function options() {
  const rows = Object.entries(optionTable).map(([name, spec]) => {
    const flag = spec.commandLine === false ? '' : `\`${flagOf(name)}\``;
    const standard = spec.default ?? spec.defaultText ?? 'required';
    return `| \`${name}\` | ${flag} | ${cell(standard)} | ${cell(spec.sentence)} ${cell(ruleOf(name))} |`;
  });
  return `# Options

The objective is f(U,V) = ‖W ∘ (A − UVᵀ)‖²_F + regularization, without a ½. An option has one name in the library and its
kebab-case form on the command line. This page is written by \`npm run docs:tables\` from \`src/options.ts\`.

| library | command line | default | what it does |
| --- | --- | --- | --- |
${rows.join('\n')}

Beside these, the library takes \`weights\` (exactly one of \`{ sqrtWeight: W }\`, \`{ weight: W² }\`, \`{ sigma: 1/W }\`, each a
matrix of A's shape in any form or an array with one number per listed value), \`init\` (\`{ U?, V? }\`), \`labels\`,
\`onProgress\`, \`signal\`, and for bundled applications \`workerUrl\` and \`wasmUrl\` (or mark hadamard as external).
`;
}

function errors() {
  const rows = Object.entries(errorCodes).map(([code, sentence]) => `| \`${code}\` | ${cell(sentence)} |`);
  return `# Errors

What goes wrong with input, options, files, memory or threads is a \`HadamardError\` (\`isHadamardError(error)\`) with a stable
\`code\`: \`what\` is wrong, its \`position\` where it has one (\`option\`, \`file\`, \`line\`, \`byte\`, \`row\`, \`column\`, \`index\`,
\`first\`; rows and columns count from 0, lines from 1), the \`rule\` and, where there is one, the \`remedy\`. An aborted fit that
has no model yet rejects with the signal's reason instead: an \`AbortError\`, or what \`abort(reason)\` was given.

The command line exits with 2 for bad input, 1 for our own faults and 130 when cancelled, and names flags (\`--max-sweeps\`)
where the library names options. This page is written by \`npm run docs:tables\` from \`src/errors.ts\`.

| code | meaning |
| --- | --- |
${rows.join('\n')}
`;
}

const pages = { 'docs/options.md': options(), 'docs/errors.md': errors() };
for (const [path, text] of Object.entries(pages)) {
  const url = new URL(`../${path}`, import.meta.url);
  if (!process.argv.includes('--check')) writeFileSync(url, text);
  else if (readFileSync(url, 'utf8') !== text) {
    console.error(`${path} is out of date: run npm run docs:tables.`);
    process.exitCode = 1;
  }
}
