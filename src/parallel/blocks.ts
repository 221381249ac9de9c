/** Claims blocks and runs them: the same loop in a worker thread and inline. */
import { instantiateKernels, totalNames, zeroTotals } from '../kernels/load.js';
import { control, type Side, totalsPerBlock } from './layout.js';
import type { BlockContext, PhaseCall, PhaseTable, Totals, Workbench } from './phase.js';

/** The kernels over a memory, which a small fit hands on to the next: an instance costs as much as a sweep of it. */
interface Instance extends Pick<Workbench, 'kernels' | 'view' | 'words' | 'doubles' | 'bytes'> {
  readonly module: WebAssembly.Module;
}

const instances = new WeakMap<WebAssembly.Memory, Instance>();

export function openWorkbench<Context extends BlockContext>(fit: Context, slot: number): Workbench<Context> {
  const { kernels, view, words, doubles, bytes } = instanceOf(fit);
  const scratch = fit.layout.scratch + slot * fit.layout.scratchStride;
  return { fit, kernels, view, words, doubles, bytes, slot, scratch };
}

function instanceOf({ module, memory }: BlockContext): Instance {
  const known = instances.get(memory);
  if (known?.module === module) return known;
  const { buffer } = memory;
  const instance = {
    module,
    kernels: instantiateKernels(module, memory),
    view: new DataView(buffer),
    words: new Int32Array(buffer),
    doubles: new Float64Array(buffer),
    bytes: new Uint8Array(buffer),
  };
  instances.set(memory, instance);
  return instance;
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
  const { fit, words } = workbench;
  const blocks = fit.blocks[call.side].length - 1;
  const done = fit.layout.sides[call.side].done / 4;
  for (;;) {
    if (Atomics.load(words, control.stopRequested) !== 0) return false;
    const block = Atomics.add(words, control.nextBlock, 1);
    if (block >= blocks) return false;
    if (Atomics.load(words, done + block) === blockState.done) continue;
    const phase = phases[call.phase];
    if (!phase) throw new Error(`No phase "${call.phase}" in this build.`);
    Atomics.store(words, done + block, blockState.begun);
    writeTotals(workbench, call.side, block, phase.run(workbench, call, block));
    Atomics.store(words, done + block, blockState.done);
    return true;
  }
}

function writeTotals<Context extends BlockContext>(
  { fit, doubles }: Workbench<Context>,
  side: Side,
  block: number,
  totals: Totals,
): void {
  let at = fit.layout.sides[side].results / 8 + block * totalsPerBlock;
  for (const name of totalNames) doubles[at++] = totals[name];
}

/** Adds the blocks' sums up in block order. */
export function sumTotals(fit: BlockContext, side: Side, doubles: Float64Array): Totals {
  const sums = zeroTotals();
  let at = fit.layout.sides[side].results / 8;
  for (let block = 0; block < fit.blocks[side].length - 1; block++)
    for (const name of totalNames) sums[name] += doubles[at++] as number;
  return sums;
}
