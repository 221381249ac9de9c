/** Waiting for work that something else may end. */
import { setTimeout as later } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { Ending } from '../../dist/src/parallel/ending.js';

const never = () => new Promise<never>(() => undefined);

test('work comes to what it comes to', async () => {
  const ending = new Ending();
  await expect(ending.orEnd(Promise.resolve(5))).resolves.toBe(5);
  await expect(ending.orEnd(Promise.reject(new Error('work')))).rejects.toThrow('work');
  expect(ending.hasCome).toBe(false);
});

test('the end rejects what waits and what comes after it, with its first reason', async () => {
  const ending = new Ending();
  const waiting = [ending.orEnd(never()), ending.orEnd(never())];
  ending.come(new Error('first'));
  ending.come(new Error('second'));
  for (const wait of [...waiting, ending.orEnd(never())]) await expect(wait).rejects.toThrow('first');
  expect(ending.hasCome).toBe(true);
});

test('keeps nothing of what is done', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const ending = new Ending();
  const outcomes: WeakRef<object>[] = [];
  for (let i = 0; i < 20; i++) {
    const outcome = await ending.orEnd(Promise.resolve({ i }));
    outcomes.push(new WeakRef(outcome));
  }
  await later(1);
  collect();
  // The last may still be on the stack.
  expect(outcomes.slice(0, -1).filter((outcome) => outcome.deref() !== undefined)).toHaveLength(0);
});
