/** `hadamard inspect` */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelUpdate } from '../model/fitReport.js';
import { findModel } from '../model/folder.js';
import { type Inspection, inspectModel } from '../model/inspectModel.js';
import { loadModel } from '../model/load.js';
import type { Model } from '../model/model.js';
import { commandOf } from '../report/account.js';
import type { ExitCode } from './exitCodes.js';
import { bold, bytes, count, facts, grid, printable, real } from './render.js';
import { claimsOf, computation, objectiveInWords } from './summary.js';

export interface InspectFlags {
  readonly top?: string;
  readonly json?: true;
}

interface Size {
  readonly file: string;
  readonly bytes: number;
}

export async function inspect(directory: string, flags: InspectFlags): Promise<ExitCode> {
  // Its digest is checked on the way: a model that is not what it was is an error.
  const model = await loadModel(directory);
  const sizes = await sizesOf(findModel(directory));
  const inspection = inspectModel(model, { top: Number(flags.top ?? 5) });
  const { stdout } = process;
  stdout.write(
    flags.json
      ? `${JSON.stringify(asJson(model, inspection, sizes))}\n`
      : `${[facts(factsOf(model, inspection, sizes, directory), stdout), ...commandLines(model, stdout), latentTable(model, inspection, stdout)].join('\n\n')}\n`,
  );
  return 0;
}

/** The line of `--json`. Keys are only ever added. */
function asJson(model: Model, inspection: Inspection, sizes: readonly Size[]): object {
  const { trace: _trace, ...fit } = model.fit;
  const { labels, biases } = model;
  return {
    schema: 1,
    shape: model.shape,
    rank: model.rank,
    dtype: fit.dtype,
    biases: { kind: biases.kind, mean: biases.mean },
    labels: { rows: labels.rows !== undefined, columns: labels.columns !== undefined },
    ...inspection,
    fit,
    ...(model.factorUncertainty && { factorUncertainty: model.factorUncertainty }),
    ...(model.run && { run: model.run }),
    files: sizes,
    digest: fit.digest,
  };
}

function factsOf(
  model: Model,
  inspection: Inspection,
  sizes: readonly Size[],
  directory: string,
): [name: string, value: string][] {
  const { fit, shape, rank, labels } = model;
  const [m, n] = shape;
  const { norms, singularValues, equation } = inspection;
  const named = [labels.rows && 'rows', labels.columns && 'columns'].filter(Boolean).join(' and ');
  // An update says what it has measured itself; the rest is of the fit.
  const before = fit.updates ? 'of the fit before the updates: ' : '';
  const total = sizes.reduce((sum, size) => sum + size.bytes, 0);
  return [
    [
      'model',
      `${printable(directory)}\n${count(m)} × ${count(n)}, rank ${rank}, ${fit.dtype}; ${named === '' ? 'no labels: rows and columns count from 0' : `labels of ${named}`}\n${count(fit.observed)} observed (${fit.updates ? 'of the fit before the updates' : `${((100 * fit.observed) / (m * n)).toPrecision(3)} %`})`,
    ],
    ['minimised', equation.map(unbroken).join('\n')],
    ...(fit.updates ? [['updated', updatesInWords(fit.updates)] as [string, string]] : []),
    ['objective', `${before}${objectiveInWords(fit)}`],
    ...claimsOf(model, before),
    [
      'fit',
      `${count(fit.sweeps)} sweeps, seed ${fit.seed}, ${computation(fit)}\n${fit.method.name}: ${fit.method.reason}`,
    ],
    ['norms', normsInWords(norms, model)],
    ['singular values', `${singularValues.slice(0, 12).map(real).join(', ')}${rank > 12 ? ', …' : ''}`],
    ['unobserved', unobservedInWords(inspection)],
    ['made by', `hadamard ${fit.versions.hadamard} on Node ${fit.versions.node}`],
    ['on disk', `${bytes(total)}: ${sizes.map((size) => `${size.file} ${bytes(size.bytes)}`).join(', ')}`],
    ['digest', `sha256 ${fit.digest}\nthe arrays have it: they are as they were saved`],
  ];
}

/** In lines of its own, which nothing breaks, so that it can be copied. */
function commandLines({ run }: Model, stream: NodeJS.WriteStream): string[] {
  if (!run) return [];
  return [`  ${bold('command', stream)}\n  ${commandOf(run, printable).replaceAll('\n', '\n  ')}`];
}

function updatesInWords(updates: readonly ModelUpdate[]): string {
  return updates
    .map(({ side, added, replaced, removed, drift, relativeGradientNorm, notes = [] }) =>
      [
        `${side}: ${count(added)} added, ${count(replaced)} replaced, ${count(removed)} removed`,
        drift !== undefined && `drift ${real(drift)}`,
        relativeGradientNorm !== undefined && `relative gradient norm ${relativeGradientNorm.toExponential(1)}`,
        ...notes,
      ]
        .filter(Boolean)
        .join('; '),
    )
    .join('\n');
}

/** Lines break between the terms of a sum. */
function unbroken(line: string): string {
  return line
    .split(' + ')
    .map((term) => term.replaceAll(' ', '\u00a0'))
    .join(' + ');
}

function normsInWords({ U, V, rowBias, columnBias }: Inspection['norms'], { biases }: Model): string {
  return [
    `‖U‖ ${real(U)}, ‖V‖ ${real(V)}`,
    biases.kind !== 'none' && `mean ${real(biases.mean)}`,
    rowBias !== undefined && `‖b‖ ${real(rowBias)}`,
    columnBias !== undefined && `‖c‖ ${real(columnBias)}`,
  ]
    .filter(Boolean)
    .join(', ');
}

function unobservedInWords({ unobserved: { rows, columns } }: Inspection): string {
  if (rows + columns === 0) return 'no row and no column';
  return `factors and biases of ${count(rows)} rows and ${count(columns)} columns are 0, as without observations`;
}

function latentTable({ labels }: Model, { latent, isCanonical }: Inspection, stream: NodeJS.WriteStream): string {
  const rows = latent.map(({ share, largest }, c) => [
    String(c + 1),
    `${(100 * share).toFixed(1)} %`,
    largest
      .map(({ column, label, value }) => `${printable(shortened(label ?? String(column)))} ${signed(value)}`)
      .join('  '),
  ]);
  const of = isCanonical ? 'singular vector of UVᵀ' : 'column of V as it is';
  const heading = `largest loadings, by ${of}${labels.columns ? '' : ' (columns from 0)'}`;
  return grid(['', 'share', heading], rows, stream);
}

/** A table is read at a glance. */
function shortened(label: string): string {
  return label.length <= 24 ? label : `${label.slice(0, 23)}…`;
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Number(Math.abs(value).toPrecision(2))}`;
}

async function sizesOf(folder: string): Promise<Size[]> {
  const names = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(
    names.sort().map(async (file) => {
      const status = await stat(join(folder, file));
      return status.isFile() ? [{ file, bytes: status.size }] : [];
    }),
  );
  return sizes.flat();
}
