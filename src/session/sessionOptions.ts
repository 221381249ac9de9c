/** What a session is opened with. */
import { HadamardError } from '../errors.js';
import { checkOption } from '../options.js';

export interface SessionOptions {
  /** Worker threads of every fit; default all cores. */
  readonly threads?: number;
  /** Bytes that one fit may plan for; default the container's or the machine's memory. */
  readonly memoryLimit?: number;
  /** How many fits may wait behind the running one; default unlimited. */
  readonly queue?: number;
  /** Where a bundled application put workers/session.js and workers/rows.cjs, and the folder of the .wasm files. */
  readonly sessionUrl?: string;
  readonly workerUrl?: string;
  readonly wasmUrl?: string;
}

const urls = ['sessionUrl', 'workerUrl', 'wasmUrl'] as const;
const names: readonly string[] = ['threads', 'memoryLimit', 'queue', ...urls] satisfies (keyof SessionOptions)[];

/** @throws HadamardError `invalid-option` */
export function checkSessionOptions(options: SessionOptions): void {
  if (typeof options !== 'object' || options === null)
    throw new HadamardError({
      code: 'invalid-option',
      what: `The options of the session are ${String(options)}.`,
      rule: 'They are an object such as { threads: 4 }.',
      remedy: 'Give an object, or leave them out.',
    });
  for (const name of Object.keys(options))
    if (!names.includes(name))
      throw invalidSessionOption(
        name,
        `A session has no option "${name}".`,
        `The options of a session are ${names.join(', ')}.`,
      );
  if (options.threads !== undefined) checkOption('threads', options.threads);
  if (options.memoryLimit !== undefined) checkOption('memoryLimit', options.memoryLimit);
  const { queue } = options;
  if (!(queue === undefined || queue === Number.POSITIVE_INFINITY || (Number.isInteger(queue) && queue >= 0)))
    throw invalidSessionOption(
      'queue',
      `queue is ${String(queue)}.`,
      'queue is a whole number of waiting fits, at least 0; Infinity, the default, is no limit.',
    );
  for (const name of urls)
    if (options[name] !== undefined && !(typeof options[name] === 'string' && URL.canParse(options[name])))
      throw invalidSessionOption(name, `${name} is ${String(options[name])}.`, `${name} is a URL, as a string.`);
}

export function invalidSessionOption(option: string, what: string, rule: string, cause?: unknown): HadamardError {
  return new HadamardError(
    {
      code: 'invalid-option',
      what,
      position: { option },
      rule,
      remedy: `Correct it, or leave ${option} out.`,
    },
    { cause },
  );
}
