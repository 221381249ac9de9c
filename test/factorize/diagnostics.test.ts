import { AsyncLocalStorage } from 'node:async_hooks';
import { channel, tracingChannel } from 'node:diagnostics_channel';
import { afterEach, expect, test } from 'vitest';
import {
  type FitMessage,
  factorize,
  openSession,
  type PassMessage,
  type PhaseMessage,
  type SweepMessage,
} from '../../dist/src/index.js';
import { problem, triples } from '../helpers/problem.js';

const A = triples(problem({ m: 300, n: 120, density: 0.2, rank: 3, isWeighted: false, offset: 1, seed: 4 }));
const options = { rank: 4, lambda: 0.1, maxSweeps: 12, seed: 3 } as const;

interface Heard {
  readonly events: string[];
  readonly fits: FitMessage[];
  readonly phases: PhaseMessage[];
  readonly sweeps: SweepMessage[];
  readonly passes: PassMessage[];
}

const undo: (() => void)[] = [];
afterEach(() => {
  for (const end of undo.splice(0)) end();
});

function listen(): Heard {
  const heard: Heard = { events: [], fits: [], phases: [], sweeps: [], passes: [] };
  const on = <T>(name: string, list: T[], event: (message: T) => string) => {
    const hear = (message: unknown) => {
      list.push(message as T);
      heard.events.push(event(message as T));
    };
    channel(name).subscribe(hear);
    undo.push(() => channel(name).unsubscribe(hear));
  };
  on<PhaseMessage>('hadamard:phase', heard.phases, ({ phase }) => phase);
  on<SweepMessage>('hadamard:sweep', heard.sweeps, () => 'sweep');
  on<PassMessage>('hadamard:pass', heard.passes, () => 'pass');
  for (const step of ['start', 'asyncEnd', 'error'])
    on<FitMessage>(`tracing:hadamard:fit:${step}`, step === 'start' ? heard.fits : [], () => `fit ${step}`);
  return heard;
}

/** [startTime, endTime] of each, in the order of their ends, none before the one before it. */
function expectOneAfterAnother(spans: readonly { startTime: number; endTime: number }[]) {
  let last = Number.NEGATIVE_INFINITY;
  for (const { startTime, endTime } of spans) {
    expect(startTime).toBeGreaterThanOrEqual(last);
    expect(endTime).toBeGreaterThanOrEqual(startTime);
    last = endTime;
  }
}

test.each([
  ['inline', 1, { threads: 1 }],
  ['pooled', 2, { threads: 2, inline: 'never' }],
] as const)(
  '%s: a subscriber sees the fit, its phases, sweeps and passes; the bits are the same',
  async (_, workers, way) => {
    const silent = await factorize(A, { ...options, ...way });
    const heard = listen();
    const model = await factorize(A, { ...options, ...way });
    expect(model.fit.digest).toBe(silent.fit.digest);

    expect(heard.events[0]).toBe('fit start');
    expect(heard.events.at(-1)).toBe('fit asyncEnd');
    expect(heard.events.filter((event) => event !== 'pass' && event !== 'sweep')).toEqual([
      'fit start',
      'prepare',
      'start',
      'fit',
      'certify',
      'fit asyncEnd',
    ]);
    const [fit] = heard.fits as [FitMessage];
    expect(fit.result).toBe(model);
    expect(fit.options).toMatchObject(options);
    for (const { fit: id } of [...heard.phases, ...heard.sweeps, ...heard.passes]) expect(id).toBe(fit.fit);

    // Phases fill the fit: each begins where the one before it ended.
    expectOneAfterAnother(heard.phases);
    for (const [index, phase] of heard.phases.entries())
      if (index > 0) expect(phase.startTime).toBe(heard.phases[index - 1]?.endTime);
    const sum = heard.phases.reduce((seconds, { startTime, endTime }) => seconds + (endTime - startTime), 0);
    const seconds = Object.values(model.fit.seconds).reduce((a, b) => a + b, 0);
    // Between what the report adds up and the whole call, however busy the machine is.
    expect(sum).toBeGreaterThanOrEqual(1000 * seconds - 0.01);
    expect(sum).toBeLessThanOrEqual((fit.endTime as number) - fit.startTime + 0.01);

    expectOneAfterAnother(heard.sweeps);
    const reported = heard.sweeps.map(({ fit: _fit, startTime: _start, endTime: _end, ...entry }) => entry);
    expect(reported).toEqual(model.trace.filter(({ step }) => step !== 'rejected'));
    const whole = heard.phases.find(({ phase }) => phase === 'fit') as PhaseMessage;
    for (const { startTime, endTime } of heard.sweeps) {
      expect(startTime).toBeGreaterThanOrEqual(whole.startTime);
      expect(endTime).toBeLessThanOrEqual(whole.endTime);
    }

    expectOneAfterAnother(heard.passes);
    expect(new Set(heard.passes.map(({ phase, side }) => `${phase} ${side}`))).toContain('solve rows');
    expect(heard.passes.length).toBeGreaterThan(2 * heard.sweeps.length);
    for (const { busy } of heard.passes) expect(busy).toHaveLength(workers);
  },
);

test('without subscribers no pass is watched, and who comes late hears the next fit', async () => {
  await factorize(A, options);
  const heard = listen();
  expect(heard.events).toEqual([]);
  await factorize(A, options);
  expect(heard.events).toContain('pass');
});

test('a fit that fails ends in error, without a model', async () => {
  const heard = listen();
  await expect(factorize(A, { ...options, rank: 0 })).rejects.toMatchObject({ code: 'invalid-option' });
  expect(heard.events).toEqual(['fit start', 'fit error', 'fit asyncEnd']);
  expect(heard.fits[0]).toMatchObject({ error: { code: 'invalid-option' } });
  expect(heard.fits[0]?.result).toBeUndefined();
});

test('a session repeats in the host what its thread has published', async () => {
  const heard = listen();
  const session = openSession({ threads: 2 });
  try {
    const [first, second] = await Promise.all([
      session.factorize(A, options),
      session.factorize(A, { ...options, rank: 3, maxSweeps: 2 }),
    ]);
    await expect(session.factorize(A, { ...options, rank: -1 })).rejects.toMatchObject({ code: 'invalid-option' });
    expect(heard.fits.map(({ result }) => result)).toEqual([first, second, undefined]);
    for (const [index, { fit, startTime, endTime }] of heard.fits.slice(0, 2).entries()) {
      const phases = heard.phases.filter((message) => message.fit === fit);
      expect(phases.map(({ phase }) => phase)).toEqual(['prepare', 'start', 'fit', 'certify']);
      expectOneAfterAnother(phases);
      // Two threads, one clock: within the call, but for rounding.
      expect(phases[0]?.startTime).toBeGreaterThan(startTime - 0.01);
      expect(phases[3]?.endTime).toBeLessThan((endTime as number) + 0.01);
      const model = index === 0 ? first : second;
      expect(heard.sweeps.filter((message) => message.fit === fit)).toHaveLength(model.fit.sweeps);
      expect(heard.passes.some((message) => message.fit === fit)).toBe(true);
    }
  } finally {
    await session.close();
  }
});

test('a store that is bound to the start of fits is seen in their phases, so that spans have parents', async () => {
  const store = new AsyncLocalStorage<number>();
  const { start } = tracingChannel<unknown, FitMessage>('hadamard:fit');
  start.bindStore(store, (message) => (message as FitMessage).fit);
  undo.push(() => start.unbindStore(store));
  const parents: [number | undefined, number][] = [];
  const hear = (message: unknown) => void parents.push([store.getStore(), (message as PhaseMessage).fit]);
  channel('hadamard:phase').subscribe(hear);
  undo.push(() => channel('hadamard:phase').unsubscribe(hear));
  await Promise.all([factorize(A, options), factorize(A, options)]);
  expect(parents).toHaveLength(8);
  for (const [parent, fit] of parents) expect(parent).toBe(fit);
});

test.each([
  ['in steps beside a background', { rank: 48, background: 0.1, maxSweeps: 3 }],
  ['by tangent quadratics', { rank: 3, loss: 'huber:0.5', maxSweeps: 3 }],
  ['in steps, at last by their matrices,', { rank: 48, lambda: 2, maxSweeps: 3, method: 'als' }],
  ['in steps', { rank: 96, lambda: 2, maxSweeps: 3, method: 'als' }],
  ['in steps, with biases beside a large value,', { rank: 96, lambda: 2, maxSweeps: 3, method: 'als', biases: 'both' }],
] as const)('rows solved %s are solved to the end by the last sweep, not once more', async (_, more) => {
  const listed = triples(problem({ m: 700, n: 420, density: 0.6, rank: 3, isWeighted: false, offset: 1, seed: 4 }));
  if ('biases' in more) listed.values[0] = 1000;
  const all = { ...options, tolerance: 0, acceleration: 'none', certificate: 'first-order', ...more } as const;
  const heard = listen();
  const model = await factorize(listed, all);
  const solved = heard.passes.filter(({ phase, side }) => /solve/i.test(phase) && side === 'rows');
  // And once from the start.
  expect(solved.length).toBe(4);
  const { U, V } = model.fit.certificate.gradientNorm;
  expect(U / V).toBeLessThan(1e-3);
});
