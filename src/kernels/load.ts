/** Compiles and instantiates the WebAssembly kernels. */
import { readFileSync } from 'node:fs';

/** `reproducible`: strict SIMD, the same bits everywhere. `fast`: relaxed multiply-add, the same bits on one machine and Node. */
export type Arithmetic = 'reproducible' | 'fast';
export type Dtype = 'f32' | 'f64';

export interface CompiledKernels {
  readonly module: WebAssembly.Module;
  /** What was really compiled: `fast` falls back where the engine has no relaxed SIMD. */
  readonly arithmetic: Arithmetic;
}
