/** `hadamard update` */
import { HadamardError, isHadamardError } from '../errors.js';
import { update } from '../factorize/update.js';
import { checkOutput } from '../model/folder.js';
import { loadModel } from '../model/load.js';
import type { Model } from '../model/model.js';
import type { Side } from '../parallel/layout.js';
import { type DataFlags, dataRequestOf, duplicatesOf, numberFlag, sideOf } from './dataFlags.js';
import { type ExitCode, exitCodeOf } from './exitCodes.js';
import { asInFile } from './inFile.js';
import { type ModelData, readModelData } from './modelData.js';
import { indexNamed } from './names.js';
import { progressLine } from './progress.js';
import { linesOf } from './readNames.js';
import { count, counted, facts, printable, real } from './render.js';
import { interruptible } from './signals.js';

export interface UpdateFlags extends DataFlags {
  readonly duplicates?: string;
  readonly side?: string;
  readonly remove?: string;
  readonly refresh?: string;
  readonly out: string;
  readonly json?: true;
  readonly quiet?: true;
}

export async function updateModel(directory: string, path: string | undefined, flags: UpdateFlags): Promise<ExitCode> {
  const side = sideOf(flags.side);
  const duplicates = duplicatesOf(flags.duplicates);
  const refresh = numberFlag('refresh', flags.refresh, 0) ?? 0;
  if (path === undefined && flags.remove === undefined)
    throw new HadamardError({
      code: 'invalid-option',
      what: 'There is nothing to do: neither rows nor --remove is given.',
      position: { option: 'remove' },
      rule: 'An update adds, replaces or removes rows.',
      remedy: 'Give a file of rows, --remove, or both.',
    });
  await checkOutput(flags.out);
  const line = progressLine(process.stderr, { quiet: flags.quiet === true });
  return interruptible(async (signal) => {
    line.stage('reading …');
    const model = await loadModel(directory);
    const data = path === undefined ? undefined : await readModelData(model, dataRequestOf(path, flags), side);
    for (const note of data?.notes ?? []) line.note(note);
    const remove = flags.remove === undefined ? undefined : await namesIn(flags.remove, model, side);
    const next = await update(model, data?.A, {
      side,
      names: data && namesOf(data, model, side, refresh),
      remove,
      refresh,
      weights: data?.weights,
      duplicates,
      signal,
      onProgress: line.update,
    }).catch((error: unknown) => {
      throw path === undefined || !data ? error : asInFile(error, path, data.problem);
    });
    await next.save(flags.out);
    line.end();
    const done = next.fit.updates?.at(-1);
    const told = done ? (done.notes ?? []) : next.fit.notes;
    for (const note of told) line.note(note);
    tell(next, side, flags, [...(data?.notes ?? []), ...told]);
    // So many sweeps were asked for.
    return refresh > 0 ? exitCodeOf(next.fit, new Set(['maxSweeps'])) : 0;
  }).finally(line.end);
}

/** What each row of the file is to the model; undefined: all are added. */
function namesOf(
  { names, count: rows }: ModelData,
  model: Model,
  side: Side,
  refresh: number,
): (string | number)[] | undefined {
  if (model.labels[side]) return names ? [...names] : nameless(side);
  if (!names) return refresh > 0 ? Array.from({ length: rows }, (_, i) => i) : undefined;
  return names.map((name) => indexNamed(name, 2 ** 32) ?? name);
}

function nameless(side: Side): never {
  throw new HadamardError({
    code: 'shape-mismatch',
    what: `The model names its ${side}, and the file does not.`,
    rule: `An update finds ${side} of the model by their labels.`,
    remedy: 'Give a .csv that names them.',
  });
}

/** A label a line; indices where the model has no labels. */
async function namesIn(path: string, model: Model, side: Side): Promise<(string | number)[]> {
  const labels = await linesOf(path).catch((error: unknown) => {
    if (!isHadamardError(error) || error.code !== 'not-found') throw error;
    const { code, what, position } = error;
    throw new HadamardError(
      {
        code,
        what,
        position: { ...position, option: 'remove' },
        rule: `--remove takes a file that names ${side}, one a line.`,
        remedy: 'Check the path; for a single name, write it to a file.',
      },
      { cause: error },
    );
  });
  return model.labels[side] ? labels : labels.map((label) => indexNamed(label, 2 ** 32) ?? label);
}

function tell(model: Model, side: Side, flags: UpdateFlags, notes: readonly string[]): void {
  const done = model.fit.updates?.at(-1);
  if (flags.json) {
    const { status, objective, certificate, digest } = model.fit;
    const fit = done ? {} : { status, objective, certificate };
    const [rows, columns] = model.shape;
    process.stdout.write(
      `${JSON.stringify({ schema: 1, ...(done ?? { side }), ...fit, rows, columns, digest, out: flags.out, notes })}\n`,
    );
    return;
  }
  if (flags.quiet) return;
  const [m, n] = model.shape;
  const { added = 0, replaced = 0, removed = 0, observed = 0, drift, relativeGradientNorm } = done ?? {};
  const rows: [string, string][] = done
    ? [
        [
          side,
          `${count(added)} added, ${count(replaced)} replaced, ${count(removed)} removed; ${count(observed)} observed`,
        ],
        ...(drift === undefined ? [] : [['drift', driftInWords(side, drift)] as [string, string]]),
        ...(relativeGradientNorm === undefined
          ? []
          : [['gradient', `${real(relativeGradientNorm)} relative, of the whole objective`] as [string, string]]),
      ]
    : [
        ['fit', `${counted(model.fit.sweeps, 'sweep')}, ${model.fit.status}, objective ${real(model.fit.objective)}`],
        ['gradient', `${real(model.fit.certificate.relativeGradientNorm)} relative`],
      ];
  process.stdout.write(
    `${facts([...rows, ['model', `${printable(flags.out)}, ${count(m)} × ${count(n)}`]], process.stdout)}\n`,
  );
}

function driftInWords(side: Side, drift: number): string {
  return `${real(drift)}: the gradient of ${side === 'rows' ? 'V' : 'U'} for these ${side}, relative to their squares; compare it with what update prints for as many ${side} that the fit has seen`;
}
