/**
 * Parses the parts of a file in this thread and in workers beside it. Who parses a part is chance; what is handed on is the
 * parts in their order, so that nothing depends on it.
 */
import { Worker } from 'node:worker_threads';
import { countParts, type FileParts, loadPart } from './fileParts.js';
import {
  LineParser,
  type ParsedPart,
  type ParserLayout,
  type PartView,
  parserMemory,
  Unusual,
  viewPart,
} from './lineParser.js';
import { numbersOf, type ParserNumbers } from './parserNumbers.js';

/** What a worker is given. */
export interface PartTask {
  readonly file: FileParts;
  readonly layout: ParserLayout;
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
  readonly claims: Claims;
}

/** Shared: the next part that nobody has, and, for each slot of a worker, 1 where it waits to be taken. */
interface Claims {
  readonly next: Int32Array;
  readonly slots: Int32Array;
}

/** From a worker; undefined where it has met what is {@link Unusual}. */
export type PartMessage = { readonly part: number; readonly parsed: ParsedPart } | undefined;

export interface PartCrewOptions {
  readonly file: FileParts;
  readonly layout: ParserLayout;
  readonly module: WebAssembly.Module;
  readonly threads: number;
  readonly workerUrl: string | undefined;
}

/** Parts are put together in this thread alone, which takes about a quarter of the time that they take to parse. */
const mostThreads = 8;

/** Takes the parts in their order. What a view shows is good during the call. */
type PartTaker = (view: PartView, parsed: ParsedPart, numbers: ParserNumbers) => void;

/** One that parses: its memory, and what its numbers of labels are in the whole file. */
interface Parser {
  readonly memory: WebAssembly.Memory;
  readonly numbers: ParserNumbers;
  readonly slots: Int32Array;
}

/** @throws Unusual; what `take` throws. No worker is left behind. */
export async function eachPart(options: PartCrewOptions, take: PartTaker): Promise<void> {
  const { file, layout, module, threads, workerUrl } = options;
  const parts = countParts(file);
  const next = new Int32Array(new SharedArrayBuffer(4));
  const waiting = new Map<number, { readonly parser: Parser; readonly parsed: ParsedPart }>();
  let taken = 0;
  let failure: Error | undefined;
  let wake = (): void => undefined;
  const deliver = () => {
    for (let found = waiting.get(taken); found; found = waiting.get(taken)) {
      const { parser, parsed } = found;
      take(viewPart(parser.memory, layout, parsed), parsed, parser.numbers);
      Atomics.store(parser.slots, parsed.slot, 0);
      Atomics.notify(parser.slots, parsed.slot);
      waiting.delete(taken++);
    }
  };
  const beside = workerUrl === undefined ? 0 : Math.min(threads, mostThreads, parts) - 1;
  // Before the workers: where there is no memory, none must be left behind.
  const own = openParser(layout);
  const others = Array.from({ length: beside }, () => openParser(layout));
  const workers: Worker[] = [];
  // With a worker is lost what it had begun; the reader of lines needs none.
  const lose = () => {
    failure = new Unusual();
    wake();
  };
  try {
    for (const parser of others) {
      const claims = { next, slots: parser.slots };
      const workerData: PartTask = { file, layout, memory: parser.memory, module, claims };
      const worker = new Worker(new URL(workerUrl as string), { workerData, execArgv: [], name: 'hadamard-lines' });
      workers.push(worker);
      worker.on('message', (message: PartMessage) => {
        if (!message) return lose();
        waiting.set(message.part, { parser, parsed: message.parsed });
        wake();
      });
      worker.on('error', lose);
      worker.on('exit', (code) => code !== 0 && lose());
    }
    const parser = new LineParser(layout, own.memory, module);
    while (taken < parts) {
      const slot = own.slots.indexOf(0);
      const part = slot < 0 ? parts : Atomics.add(next, 0, 1);
      if (part < parts) {
        const { start, end } = loadPart(file, part, parser.input);
        own.slots[slot] = 1;
        waiting.set(part, { parser: own, parsed: parser.parse(start, end, slot) });
        // Messages, signals and timers have their turn.
        await new Promise((resolve) => setImmediate(resolve));
      } else if (!waiting.has(taken)) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (failure) throw failure;
      deliver();
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function openParser(layout: ParserLayout): Parser {
  const memory = parserMemory(layout);
  return {
    memory,
    numbers: numbersOf(memory, layout),
    slots: new Int32Array(new SharedArrayBuffer(4 * layout.slots.length)),
  };
}

/** The body of a worker. */
export function parseParts(
  { file, layout, memory, module, claims }: PartTask,
  send: (message: PartMessage) => void,
): void {
  const parser = new LineParser(layout, memory, module);
  const parts = countParts(file);
  try {
    for (let slot = 0; ; slot = (slot + 1) % layout.slots.length) {
      Atomics.wait(claims.slots, slot, 1);
      const part = Atomics.add(claims.next, 0, 1);
      if (part >= parts) return;
      const { start, end } = loadPart(file, part, parser.input);
      Atomics.store(claims.slots, slot, 1);
      send({ part, parsed: parser.parse(start, end, slot) });
    }
  } catch (error) {
    if (!(error instanceof Unusual)) throw error;
    send(undefined);
  }
}
