/** `hadamard verify` */
import { isHadamardError } from '../errors.js';
import { type Claim, verifyModel } from '../factorize/verifyModel.js';
import { loadModel } from '../model/load.js';
import type { Model } from '../model/model.js';
import { type DataFlags, dataRequestOf } from './dataFlags.js';
import type { ExitCode } from './exitCodes.js';
import { readFitted } from './fittedData.js';
import { asInFile } from './inFile.js';
import { progressLine } from './progress.js';
import { grid, printable, wrap } from './render.js';
import { untilInterrupt } from './signals.js';

export interface VerifyFlags extends DataFlags {
  readonly json?: true;
}

/** @throws HadamardError as reading the data; what is wrong with the model's files is a claim that does not hold. */
export async function verify(directory: string, path: string, flags: VerifyFlags): Promise<ExitCode> {
  const request = dataRequestOf(path, flags);
  const line = progressLine(process.stderr, { quiet: false });
  const claims: Claim[] = [];
  try {
    let compute = () => {};
    await untilInterrupt(async () => {
      line.stage('reading …');
      const [files, model] = await loaded(directory);
      claims.push(files);
      if (!model) return 0;
      const { A, weights, problem } = await readFitted(model, request, line);
      compute = () => {
        try {
          claims.push(...verifyModel(model, A, { weights }).claims);
        } catch (error) {
          throw asInFile(error, path, problem);
        }
      };
      return 0;
    });
    line.stage('computing every claim again …');
    // Without a turn of the event loop, so no handler may stand between Ctrl-C and the process.
    compute();
  } finally {
    line.end();
  }
  const agrees = claims.every((claim) => claim.agrees !== false);
  process.stdout.write(
    flags.json ? `${JSON.stringify({ schema: 1, agrees, claims })}\n` : `${asText(claims, process.stdout)}\n`,
  );
  return agrees ? 0 : 4;
}

/** The model where its files are what they were when they were saved, and what is said of them. */
async function loaded(directory: string): Promise<[files: Claim, model: Model | undefined]> {
  const claim = { claim: 'files', said: 'as saved' };
  try {
    return [{ ...claim, found: 'as saved', agrees: true }, await loadModel(directory)];
  } catch (error) {
    if (!isHadamardError(error) || error.code !== 'malformed-model') throw error;
    return [{ ...claim, found: 'changed', agrees: false, note: error.what }, undefined];
  }
}

function asText(claims: readonly Claim[], stream: NodeJS.WriteStream): string {
  const rows = claims.map(({ claim, said, found, agrees }) => [
    claim,
    shown(said),
    shown(found),
    agrees === null ? '—' : agrees ? 'yes' : 'NO',
  ]);
  const wrong = claims.filter(({ agrees }) => agrees === false).length;
  const compared = claims.filter(({ agrees }) => agrees !== null).length;
  return [
    grid(['claim', 'said', 'found', 'agrees'], rows, stream),
    '',
    ...notesOn(claims, stream),
    wrong === 0
      ? `All ${compared} claims that were computed again agree.`
      : `${wrong} of ${compared} claims do not hold.`,
  ].join('\n');
}

/** A note in a paragraph, behind the claims that have it. */
function notesOn(claims: readonly Claim[], stream: NodeJS.WriteStream): string[] {
  const named = new Map<string, string[]>();
  for (const { claim, note } of claims) if (note !== undefined) named.set(note, [...(named.get(note) ?? []), claim]);
  const width = Math.max(40, Math.min(stream.columns ?? 80, 100)) - 2;
  return [...named].flatMap(([note, names]) =>
    wrap(printable(`${names.join(', ')}: ${note}`), width).map((line, index) => (index === 0 ? line : `  ${line}`)),
  );
}

/** Ten digits, where others are rounding; texts at a glance. */
function shown(value: Claim['said']): string {
  if (value === null) return '—';
  if (typeof value === 'number') return String(Number(value.toPrecision(10)));
  return value.length <= 17 ? printable(value) : `${printable(value.slice(0, 16))}…`;
}
