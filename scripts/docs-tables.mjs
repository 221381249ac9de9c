/** Writes docs/options.md and docs/errors.md from the tables in the code; `--check` only says whether they agree. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { errorCodes, optionTable, presets, refusals, tools } from '../dist/src/index.js';
import { flagOf, ruleOf } from '../dist/src/options.js';

const cell = (text) => String(text).replaceAll('|', '\\|');

function options() {
  const rows = Object.entries(optionTable).map(([name, spec]) => {
    const flag = spec.commandLine === false ? (spec.flags ?? '') : `\`${flagOf(name)}\``;
    const standard = spec.default ?? spec.defaultText ?? 'required';
    return `| \`${name}\` | ${flag} | ${cell(standard)} | ${cell(spec.sentence)} ${cell(ruleOf(name))} |`;
  });
  return `# Options

The objective is f(U,V) = ‖W ∘ (A − UVᵀ)‖²_F + regularization, without a ½. An option has one name in the library and its
kebab-case form on the command line. This page is written by \`npm run docs:tables\` from \`src/options.ts\`.

| library | command line | default | what it does |
| --- | --- | --- | --- |
${rows.join('\n')}

What they mean together is on the page of [objectives](objectives.md). Beside these, the library takes \`weights\` (exactly one of \`{ sqrtWeight: W }\`, \`{ weight: W² }\`, \`{ sigma: 1/W }\`, each a
matrix of A's shape in any form or an array with one number per listed value), \`init\` (\`{ U?, V? }\`), \`labels\`,
\`onProgress\`, \`signal\`, \`handOver\` (the lists of triples or CSR are given up, and free once they are sorted), and for bundled applications \`workerUrl\` and \`wasmUrl\` (or mark hadamard as external).
`;
}

function errors() {
  const rows = Object.entries(errorCodes).map(([code, sentence]) => `| \`${code}\` | ${cell(sentence)} |`);
  return `# Errors

What goes wrong with input, options, files, memory or threads is a \`HadamardError\` (\`isHadamardError(error)\`) with a stable
\`code\`: \`what\` is wrong, its \`position\` where it has one (\`option\`, \`file\`, \`line\`, \`field\`, \`byte\`, \`row\`,
\`column\`, \`index\`, \`first\`; rows and columns of a matrix count from 0, lines of a file and their fields from 1), the
\`rule\` and, where there is one, the \`remedy\`. An aborted fit that has no model yet rejects with an
\`AbortError\` instead, whose \`cause\` is the signal's reason.

The command line exits with 2 for bad input, 1 for our own faults and 130 when cancelled, and names flags (\`--max-sweeps\`)
where the library names options. This page is written by \`npm run docs:tables\` from \`src/errors.ts\`.

| code | meaning |
| --- | --- |
${rows.join('\n')}
`;
}

function objectives() {
  const rows = refusals.map(
    ({ parts, code, why, instead }) =>
      `| ${cell(parts.join(' with '))} | ${cell(why)} | ${cell(instead)} | \`${code}\` |`,
  );
  const toolRows = Object.entries(tools).map(
    ([name, { minimises, inOurs }]) => `| \`${name}\` | ${cell(minimises)} | ${cell(inOurs)} |`,
  );
  const presetRows = Object.entries(presets).map(
    ([name, options]) =>
      `| \`${name}\` | ${Object.entries(options)
        .map(([key, value]) => `\`${key}: ${JSON.stringify(value)}\``)
        .join(', ')} |`,
  );
  return `# What is minimised

This page is written by \`npm run docs:tables\` from the code. The general form, every part of which is optional:

    f(U,V) = Σ_listed ℓ(W_ij, A_ij, p_ij) + Σ_unlisted r_i c_j (β − p_ij)²
           + Σ_i s_i^ν Σ_c (λ_U u_ic² + μ_U |u_ic|) + Σ_j s_j^ν Σ_c (λ_V v_jc² + μ_V |v_jc|)
           + Σ_i λ_b s_i^ν b_i² + Σ_j λ_b s_j^ν c_j²        subject to lower ≤ u, v ≤ upper and held entries

    p_ij = mean + b_i + c_j + u_i·v_j

s_i is 1 (\`lambdaScale: 'row'\`), the count of row i's observations (\`count\`) or its ΣW² (\`weight\`); with a background
\`count\` is n_i + r_i·Σ_j c_j and \`weight\` adds r_i·c_j of each unlisted entry. No ½ anywhere; W is 1/σ or the root of a confidence, so a listed entry counts W².

## Losses (\`loss\`, \`--loss\`), r = p − a

| name | ℓ(W, a, p) | how a row is solved |
| --- | --- | --- |
| \`quadratic\` | W²r² | exactly |
| \`huber:δ\` | ρ(Wr), ρ(z) = z² for |z| ≤ δ, else 2δ|z| − δ²; δ in units of σ | tangent quadratics of weight W²·min(1, δ/|Wr|) |
| \`huber:δ:raw\` | W²ρ(r) | W²·min(1, δ/|r|) |
| \`l1\`, \`l1:ε\` | W²(√(r² + ε²) − ε), below W²|r| by at most εW² (in all ε·ΣW²); ε is a thousandth of the values' median distance from their median unless given, and stands in the model's options and notes | W²/(2√(r² + ε²)) |
| \`logistic\` | W² log(1 + e^(−ap)), a = ±1 | W²·tanh(|p|/2)/(4|p|) (Jaakkola & Jordan 2000) |
| \`poisson\` | W²(a log(a/p) − a + p), a ≥ 0; U and V non-negative | Newton steps, halved until the row's objective falls |

A tangent quadratic lies above the loss and touches it, so no step raises f. A sweep takes two of them a row, the last
half-sweep as many as it takes. The certificate is the gradient of f itself, with bounds and L1 the element of the
subdifferential of least magnitude; \`certificate.kkt\` is the largest of a row, relative to its right-hand side.

## Background (\`background\`, \`--background-weight\`, \`--background-value\`, \`--background-rows\`, \`--background-columns\`)

Unlisted entries count as observations of β (0 unless given) with weight W² = r_i·c_j (one number for all, or two lists).
Listed entries keep their own value and weight; one of weight 0 is left out of the background as well. They are summed by
k×k Gram matrices (Hu, Koren & Volinsky 2008), so a sweep costs O(nnz·k² + (m+n)·k³), whatever m·n is. With poisson the
unlisted zeros enter as (Σ r_i u_i)·(Σ c_j v_j).

## Constraints

\`nonnegative\` (\`--nonnegative\`) and \`bounds: { rows: [lower, upper], columns }\` keep entries within bounds, \`l1\` makes
them sparse, \`freeColumns\` leaves the first N latent columns without penalty, \`hold: { U, V }\` (NaN is free) and
\`--hold-columns\` keep known entries. Each row's problem is solved to its own optimum, in float64: coordinate descent finds
which entries are free, a Newton step on those gives the digits; weighted squares of 32 unknowns at the most go by principal
pivoting first. No solution is clipped to its bounds; starts and extrapolated points are, before a row is solved from them.

## Presets (\`preset\`, \`--preset\`)

What is given beside a preset comes before it.

| preset | options |
| --- | --- |
${presetRows.join('\n')}

## What the factors mean

UVᵀ is (UM)(VM⁻ᵀ)ᵀ for every invertible M: without constraints only the product is known, and \`model.canonical()\`
(\`--canonical\`) gives its one form U·diag(d)·Vᵀ, orthonormal, d falling, signs fixed; \`model.varimax()\` turns the loadings
towards few large entries. With λ > 0 on both sides the optimum has UᵀU = VᵀV up to rotation, and
λ(‖U‖² + ‖V‖²) = 2λ‖UVᵀ‖_* (Srebro, Rennie & Jaakkola 2004): where k is at least the rank of softImpute's solution the two have
the same minimum. Non-negative factors are known up to order and scale where the data pins them down, and not always then;
\`pmf\` scales contributions to mean 1, \`pca\` centres scores. L1, bounds and held entries mean what they say for U and V as
they are: rotations of such a model are refused.

## What other tools minimise (\`like\`, \`--like\`)

The same knobs by our names: rank (factors, k), lambda (regularization, reg), alpha, nu. Weights there are W² here.

| tool | it minimises | in ours |
| --- | --- | --- |
${toolRows.join('\n')}

## What does not go together

Everything else does, dense and sparse, f32 and f64.

| parts | why | instead | code |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}

const pages = {
  'docs/objectives.md': objectives(),
  'docs/options.md': options(),
  'docs/errors.md': errors(),
};
for (const [path, text] of Object.entries(pages)) {
  const url = new URL(`../${path}`, import.meta.url);
  if (!process.argv.includes('--check')) writeFileSync(url, text);
  else if (!existsSync(url) || readFileSync(url, 'utf8') !== text) {
    console.error(`${path} is out of date: run npm run docs:tables.`);
    process.exitCode = 1;
  }
}
