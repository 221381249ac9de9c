/** The board that workers stand by at, with threads that note what they are called to. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { Board } from '../../dist/src/parallel/board.js';
import type { PhaseCall } from '../../dist/src/parallel/phase.js';

const url = new URL('../../dist/src/parallel/board.js', import.meta.url).href;
const call: PhaseCall = { phase: 'noted', side: 'rows', own: 0, other: 0, out: null };

const started: Worker[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((worker) => worker.terminate()));
});

/** Stores the step of each call it gets in `notes`, one behind the other, and posts the call. */
function start(board: Board, slot: number, notes = new SharedArrayBuffer(8)): Worker {
  const worker = new Worker(
    `const { parentPort, workerData: { url, buffer, slot, notes } } = require('node:worker_threads');
     import(url).then(({ callsAt }) => {
       const list = new Int32Array(notes);
       let count = 0;
       for (const call of callsAt(buffer, slot)) {
         list[++count] = call.step;
         parentPort.postMessage(call);
       }
       parentPort.postMessage('home');
     });`,
    { eval: true, workerData: { url, buffer: board.buffer, slot, notes } },
  );
  started.push(worker);
  return worker;
}

/** Calls up who is there, until a worker is. */
async function arrival(board: Board, slot: number, called = new Set<number>()): Promise<Set<number>> {
  for (;;) {
    const { bell } = board;
    board.callUp(called);
    if (called.has(slot)) return called;
    await board.rung(bell);
  }
}

async function end(board: Board): Promise<void> {
  for (;;) {
    const { bell } = board;
    if (!board.isAnyoneWorking()) return;
    await board.rung(bell);
  }
}

describe('a board', () => {
  test('hands every number of a call over as it is', async () => {
    const board = new Board(1);
    const given = { ...call, step: -0, descent: { lead: Number.NaN, scale: 1 / 3, step: -Infinity } as never };
    board.write(given);
    const worker = start(board, 0);
    const said = once(worker, 'message');
    await arrival(board, 0);
    expect(await said).toEqual([given]);
    expect(Object.is((await said)[0].step, -0)).toBe(true);
  });

  test('calls nobody who is not there, and who comes late to the phase that is up', async () => {
    const board = new Board(2);
    board.write({ ...call, step: 7 });
    const notes = new SharedArrayBuffer(8);
    start(board, 0);
    const called = await arrival(board, 0);
    expect([...called]).toEqual([0]);
    start(board, 1, notes);
    await arrival(board, 1, called);
    await end(board);
    expect(new Int32Array(notes)[1]).toBe(7);
  });

  test('has each worker at a phase once, and none at one that is over', async () => {
    const [workers, phases] = [3, 2000];
    const board = new Board(workers);
    const notes = Array.from({ length: workers }, () => new SharedArrayBuffer(4 * (phases + 1)));
    notes.forEach((list, slot) => void start(board, slot, list));
    const lists = notes.map((list) => new Int32Array(list));
    const expected = notes.map(() => [0]);
    for (let step = 1; step <= phases; step++) {
      board.write({ ...call, step });
      for (const slot of await arrival(board, step % workers)) (expected[slot] as number[]).push(step);
      await end(board);
      for (const [slot, steps] of expected.entries()) {
        const list = lists[slot] as Int32Array;
        if (list[steps.length - 1] !== steps.at(-1) || (list[steps.length] ?? 0) !== 0)
          expect.fail(
            `Worker ${slot} has noted ${list.slice(0, steps.length + 1).slice(-3)} by the end of phase ${step}.`,
          );
      }
    }
    expect(lists.map((list, slot) => [...list.slice(0, expected[slot]?.length)])).toEqual(expected);
    expect(board.takeSeconds().every((seconds) => seconds > 0)).toBe(true);
    expect(board.takeSeconds()).toEqual([0, 0, 0]);
  });

  test('sends everybody home who is there or comes', async () => {
    const board = new Board(2);
    board.write(call);
    const first = start(board, 0);
    await arrival(board, 0);
    await end(board);
    board.close();
    const second = start(board, 1);
    for (const worker of [first, second]) {
      const said: unknown[] = [];
      worker.on('message', (message) => said.push(message));
      await once(worker, 'exit');
      expect(said.at(-1)).toBe('home');
    }
  });

  test('goes on without one who leaves at work', async () => {
    const board = new Board(2);
    board.write(call);
    // It never comes back from its first call.
    started.push(
      new Worker(
        `const { workerData: { url, buffer } } = require('node:worker_threads');
         import(url).then(({ callsAt }) => { for (const call of callsAt(buffer, 0)) for (;;); });`,
        { eval: true, workerData: { url, buffer: board.buffer } },
      ),
    );
    await arrival(board, 0);
    expect(board.isAnyoneWorking()).toBe(true);
    const ended = end(board);
    board.leave(0);
    await ended;
    const called = new Set<number>();
    board.callUp(called);
    expect([...called]).toEqual([]);
  });
});
