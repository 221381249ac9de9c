import type { FactorizeOptions, Triples } from '../../dist/src/index.js';

export declare const fitProblem: { readonly A: Triples; readonly options: FactorizeOptions };
