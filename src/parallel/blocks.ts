/** Claims blocks and runs them: the same loop in a worker thread and inline. */
import { instantiateKernels, type Kernels } from '../kernels/load.js';
import { control, type Side, totalsPerBlock } from './layout.js';
import type { BlockContext, PhaseCall, PhaseTable, Totals, Workbench } from './phase.js';

/** The kernels over a memory, which a small fit hands on to the next: an instance costs as much as a sweep of it. */
interface Instance {
  readonly module: WebAssembly.Module;
  readonly kernels: Kernels;
  readonly view: DataView;
}

const instances = new WeakMap<WebAssembly.Memory, Instance>();

/** That of the fit at hand: a fit sends many tasks to the same thread, each with a memory object of its own. */
let current: { readonly id: number; readonly instance: Instance } | undefined;

export function openWorkbench<Context extends BlockContext>(fit: Context, slot: number): Workbench<Context> {
  if (current?.id !== fit.id) current = { id: fit.id, instance: instanceOf(fit) };
  const { kernels, view } = current.instance;
  return { fit, kernels, view, slot, scratch: fit.layout.scratch + slot * fit.layout.scratchStride };
}

function instanceOf({ module, memory }: BlockContext): Instance {
  const known = instances.get(memory);
  if (known?.module === module) return known;
  const instance = { module, kernels: instantiateKernels(module, memory), view: new DataView(memory.buffer) };
  instances.set(memory, instance);
  return instance;
}

/** Lets go of the last fit's memory. */
export function closeWorkbench(): void {
  current = undefined;
}

export function controlWords(fit: BlockContext): Int32Array {
  return new Int32Array(fit.memory.buffer, 0, 16);
}

/** A block that is begun and has nobody at work on it was lost with its worker. */
export const blockState = { untouched: 0, done: 1, begun: 2 } as const;

/** The {@link blockState} of every block. */
export function doneFlags(fit: BlockContext, side: Side): Int32Array {
  return new Int32Array(fit.memory.buffer, fit.layout.sides[side].done, fit.blocks[side].length - 1);
}

/** Takes the next block that is not done, runs it and stores its sums; false when none is left or a stop was asked for. */
export function runNextBlock<Context extends BlockContext>(
  workbench: Workbench<Context>,
  phases: PhaseTable<Context>,
  call: PhaseCall,
): boolean {
  const { fit } = workbench;
  const words = controlWords(fit);
  const done = doneFlags(fit, call.side);
  for (;;) {
    if (Atomics.load(words, control.stopRequested) !== 0) return false;
    const block = Atomics.add(words, control.nextBlock, 1);
    if (block >= done.length) return false;
    if (Atomics.load(done, block) === blockState.done) continue;
    const phase = phases[call.phase];
    if (!phase) throw new Error(`No phase "${call.phase}" in this build.`);
    Atomics.store(done, block, blockState.begun);
    writeTotals(fit, call.side, block, phase.run(workbench, call, block));
    Atomics.store(done, block, blockState.done);
    return true;
  }
}

function writeTotals(fit: BlockContext, side: Side, block: number, totals: Totals): void {
  new Float64Array(fit.memory.buffer, fit.layout.sides[side].results + block * totalsPerBlock * 8, totalsPerBlock).set([
    totals.loss,
    totals.penalty,
    totals.gradientSquared,
    totals.ownSquared,
    totals.biasGradientSquared,
    totals.biasSquared,
  ]);
}

/** Adds the blocks' sums up in block order. */
export function sumTotals(fit: BlockContext, side: Side): Totals {
  const blocks = fit.blocks[side].length - 1;
  const results = new Float64Array(fit.memory.buffer, fit.layout.sides[side].results, blocks * totalsPerBlock);
  const sums = new Float64Array(totalsPerBlock);
  for (let i = 0; i < results.length; i++)
    sums[i % totalsPerBlock] = (sums[i % totalsPerBlock] as number) + (results[i] as number);
  const [loss = 0, penalty = 0, gradientSquared = 0, ownSquared = 0, biasGradientSquared = 0, biasSquared = 0] = sums;
  return { loss, penalty, gradientSquared, ownSquared, biasGradientSquared, biasSquared };
}
