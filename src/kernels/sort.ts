/** What the kernels that sort entries are told: see assembly/sortEntries.ts, whose fields these are. */
import { type FieldWriter, fieldWriter } from './fields.js';

const words = [
  'owners',
  'indices',
  'values',
  'weights',
  'pointers',
  'count',
  'first',
  'size',
  'starts',
  'bandOf',
  'cursor',
  'next',
  'bandOwners',
  'bandIndices',
  'bandValues',
  'bandWeights',
  'toIndices',
  'toValues',
  'toWeights',
  'outIndices',
  'outValues',
  'outWeights',
  'orders',
  'orderSize',
  'digits',
  'indexCount',
] as const;

/** Addresses (0: absent), counts, and what is taken from listed values. */
export type SortFields = { readonly [name in (typeof words)[number] | 'shift']: number };

const struct: FieldWriter<keyof SortFields> = fieldWriter(words, ['shift']);
export const sortBytes: number = struct.bytes;
export const writeSort: FieldWriter<keyof SortFields>['write'] = struct.write;
