/**
 * What a coordinator and the workers that stand by for it tell each other without messages. As long as a piece of work over blocks lasts
 * each worker has one task, and sleeps in it between phases: a phase then costs a wake-up of each, in place of a task sent and a report
 * read, one after the other.
 *
 * A worker is `away` until it has come and once it is gone, `waiting` for a phase or `working` on one. It alone goes to waiting; the
 * coordinator alone calls it to work, so that nobody is ever at work on a phase that is over.
 */
import { deserialize, serialize } from 'node:v8';
import type { PhaseCall } from './phase.js';

const state = { away: 0, waiting: 1, working: 2 } as const;

/** Words: `bell` changes where the coordinator has to look again, `isClosed` sends everybody home; states follow. */
const word = { bell: 0, isClosed: 1, callBytes: 2, workers: 3, states: 4 } as const;

/** Calls are a few hundred bytes. */
const mostCallBytes = 2 ** 14;

interface View {
  readonly words: Int32Array;
  /** Each worker's seconds at work. */
  readonly seconds: Float64Array;
  readonly call: Uint8Array;
}

const wordsOf = (workers: number) => (word.states + workers + 1) & ~1;

function viewOf(buffer: SharedArrayBuffer, workers: number): View {
  const words = wordsOf(workers);
  return {
    words: new Int32Array(buffer, 0, words),
    seconds: new Float64Array(buffer, 4 * words, workers),
    call: new Uint8Array(buffer, 4 * words + 8 * workers),
  };
}

function isAnyoneWorking(words: Int32Array): boolean {
  const end = word.states + (words[word.workers] as number);
  for (let at = word.states; at < end; at++) if (Atomics.load(words, at) === state.working) return true;
  return false;
}

function ring(words: Int32Array): void {
  Atomics.add(words, word.bell, 1);
  Atomics.notify(words, word.bell);
}

/** The coordinator's side. */
export class Board {
  readonly buffer: SharedArrayBuffer;
  readonly #view: View;
  readonly #workers: number;

  constructor(workers: number) {
    this.#workers = workers;
    this.buffer = new SharedArrayBuffer(4 * wordsOf(workers) + 8 * workers + mostCallBytes);
    this.#view = viewOf(this.buffer, workers);
    this.#view.words[word.workers] = workers;
  }

  /** Puts the next phase up. Nobody may be at work. */
  write(call: PhaseCall): void {
    const bytes = serialize(call);
    this.#view.call.set(bytes);
    Atomics.store(this.#view.words, word.callBytes, bytes.length);
  }

  /** Calls a worker to the phase that is up. @returns false where it is not waiting. */
  callUp(worker: number): boolean {
    const { words } = this.#view;
    const at = word.states + worker;
    if (Atomics.compareExchange(words, at, state.waiting, state.working) !== state.waiting) return false;
    Atomics.notify(words, at);
    return true;
  }

  isAnyoneWorking(): boolean {
    return isAnyoneWorking(this.#view.words);
  }

  get bell(): number {
    return Atomics.load(this.#view.words, word.bell);
  }

  /** Until the bell is another than it was. */
  async rung(bell: number): Promise<void> {
    const { async: isToCome, value } = Atomics.waitAsync(this.#view.words, word.bell, bell);
    if (isToCome) await value;
  }

  /** A worker is gone, whatever it was at. */
  leave(worker: number): void {
    Atomics.store(this.#view.words, word.states + worker, state.away);
    ring(this.#view.words);
  }

  /** Seconds that each worker has been at work since they were last taken. */
  takeSeconds(): number[] {
    const seconds = [...this.#view.seconds];
    this.#view.seconds.fill(0);
    return seconds;
  }

  /** Sends everybody home. */
  close(): void {
    Atomics.store(this.#view.words, word.isClosed, 1);
    for (let worker = 0; worker < this.#workers; worker++) this.callUp(worker);
    ring(this.#view.words);
  }
}

/** A worker's side: the calls it is called up for, until it is sent home. What is done with one counts as its time at work. */
export function* callsAt(buffer: SharedArrayBuffer, worker: number): Generator<PhaseCall> {
  const [, , , workers] = new Int32Array(buffer, 0, word.states);
  const { words, seconds, call } = viewOf(buffer, workers as number);
  const at = word.states + worker;
  for (let isNew = true; ; isNew = false) {
    Atomics.store(words, at, state.waiting);
    // Of those who end a phase the last one rings; two that see each other at work have both yet to look.
    if (isNew || !isAnyoneWorking(words)) ring(words);
    if (Atomics.load(words, word.isClosed) === 0) Atomics.wait(words, at, state.waiting);
    if (Atomics.load(words, word.isClosed) !== 0) return;
    const started = performance.now();
    yield deserialize(call.slice(0, Atomics.load(words, word.callBytes))) as PhaseCall;
    seconds[worker] = (seconds[worker] as number) + (performance.now() - started) / 1000;
  }
}
