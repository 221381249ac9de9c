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

/** Words: `turn` changes where workers have to look, `bell` where the coordinator has; `isClosed` sends everybody home; states follow. */
const word = { turn: 0, bell: 1, isClosed: 2, callBytes: 3, workers: 4, states: 5 } as const;

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

/** Wakes those who sleep until this word is another. */
function change(words: Int32Array, at: number): void {
  Atomics.add(words, at, 1);
  Atomics.notify(words, at);
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

  /** Calls those to the phase that is up who wait and have not been called to it; who is called is added to these. */
  callUp(called: Set<number>): void {
    const { words } = this.#view;
    const before = called.size;
    for (let worker = 0; worker < this.#workers; worker++) {
      if (called.has(worker)) continue;
      const was = Atomics.compareExchange(words, word.states + worker, state.waiting, state.working);
      if (was === state.waiting) called.add(worker);
    }
    if (called.size > before) change(words, word.turn);
  }

  isAnyoneWorking(): boolean {
    return isAnyoneWorking(this.#view.words);
  }

  get isClosed(): boolean {
    return Atomics.load(this.#view.words, word.isClosed) !== 0;
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
    change(this.#view.words, word.bell);
  }

  /** Seconds that each worker has been at work since they were last taken. */
  takeSeconds(): number[] {
    const seconds = [...this.#view.seconds];
    this.#view.seconds.fill(0);
    return seconds;
  }

  /** Sends everybody home. */
  close(): void {
    const { words } = this.#view;
    Atomics.store(words, word.isClosed, 1);
    change(words, word.turn);
    change(words, word.bell);
  }
}

/** A worker's side: the calls it is called up for, until it is sent home. What is done with one counts as its time at work. */
export function* callsAt(buffer: SharedArrayBuffer, worker: number): Generator<PhaseCall> {
  const workers = new Int32Array(buffer)[word.workers] as number;
  const { words, seconds, call } = viewOf(buffer, workers);
  const at = word.states + worker;
  for (let isNew = true; ; isNew = false) {
    Atomics.store(words, at, state.waiting);
    // Of those who end a phase the last one rings; two that see each other at work have both yet to look.
    if (isNew || !isAnyoneWorking(words)) change(words, word.bell);
    for (;;) {
      const turn = Atomics.load(words, word.turn);
      if (Atomics.load(words, word.isClosed) !== 0) return;
      if (Atomics.load(words, at) === state.working) break;
      Atomics.wait(words, word.turn, turn);
    }
    const started = performance.now();
    yield deserialize(call.slice(0, Atomics.load(words, word.callBytes))) as PhaseCall;
    seconds[worker] = (seconds[worker] as number) + (performance.now() - started) / 1000;
  }
}
