/** Observations on disk, for as long as a fit lasts: option `onDisk`. */
import { statfs } from 'node:fs/promises';
import { closeEntryFile, createEntryFile } from '../data/entryFile.js';
import type { MatrixInput, WeightsInput } from '../data/input.js';
import { mebibytes } from '../data/machineLimit.js';
import type { Survey } from '../data/observations.js';
import { type FiledObservations, placeOnDisk } from '../data/placeOnDisk.js';
import type { StoredObservations } from '../data/storedRows.js';
import { HadamardError } from '../errors.js';
import type { CheckedOptions } from '../options.js';
import { refuseAborted } from '../parallel/abort.js';
import { elementBytes } from '../parallel/layout.js';
import { asAllocation } from '../parallel/memoryPool.js';
import type { ObjectiveSpec } from './composition.js';
import { isUnsettled } from './layOutTerms.js';
import type { WorkingPlan } from './plan.js';

/** @throws HadamardError `incompatible-options` for what needs all values at once. */
export function checkOnDisk({ onDisk }: CheckedOptions, { loss }: ObjectiveSpec): void {
  if (onDisk === undefined || !isUnsettled(loss)) return;
  throw new HadamardError({
    code: 'incompatible-options',
    what: 'The loss is l1 without its ε, and the observations are on disk.',
    position: { option: 'loss' },
    rule: 'The ε that l1 has by itself is made from the median of all values, which have to be in memory for that.',
    remedy: 'Say loss l1:ε with an ε, such as a thousandth of how far values usually lie apart, or leave onDisk out.',
  });
}

export interface FilesRequest {
  readonly A: MatrixInput;
  readonly weights: WeightsInput | undefined;
  readonly found: Survey;
  readonly checked: CheckedOptions;
  readonly plan: WorkingPlan;
  readonly shift: number;
  readonly isZeroKept: boolean;
  readonly isHandedOver: boolean;
  readonly signal: AbortSignal | undefined;
}

/**
 * Hands `use` the observations in files, where the options say so; they are gone when it is done.
 *
 * @throws HadamardError `duplicate-entry`, `not-enough-disk`, `not-found`, `output-failed`; AbortError; what `use` throws.
 */
export async function withFiles<T>(
  request: FilesRequest,
  use: (filed: StoredObservations | undefined) => Promise<T>,
): Promise<T> {
  const { onDisk } = request.checked;
  if (onDisk === undefined) return use(undefined);
  const filed = await fileObservations(onDisk, request);
  const files = [filed.byRow.file, filed.byColumn.file];
  try {
    if (!request.plan.request.hasGrid) return await use(filed);
    const grid = createEntryFile(onDisk, { ...filed.byRow.file, capacity: filed.observed });
    files.push(grid);
    return await use({ ...filed, grid });
  } finally {
    files.forEach(closeEntryFile);
  }
}

async function fileObservations(
  folder: string,
  { A, weights, found, checked, plan, shift, isZeroKept, isHandedOver, signal }: FilesRequest,
): Promise<FiledObservations> {
  await checkSpace(folder, plan.bytes.disk);
  const { dtype, isWeighted } = plan.request;
  return placeOnDisk(A, weights, found, {
    folder,
    elementBytes: elementBytes(dtype),
    isWeighted,
    duplicates: checked.duplicates,
    shift,
    isZeroKept,
    isHandedOver,
    async pause() {
      await new Promise((resolve) => setImmediate(resolve));
      refuseAborted(signal);
    },
  }).catch((error: unknown) => {
    throw asAllocation(plan.bytes.total, error);
  });
}

/** @throws HadamardError `not-enough-disk` */
async function checkSpace(folder: string, bytes: number): Promise<void> {
  // What is wrong with the folder is said where the file is made.
  const found = await statfs(folder).catch(() => undefined);
  const free = found ? found.bavail * found.bsize : Number.POSITIVE_INFINITY;
  if (bytes <= free) return;
  throw new HadamardError({
    code: 'not-enough-disk',
    what: `The observations take ${mebibytes(bytes)} on disk while they are sorted, and ${folder} has ${mebibytes(free)}.`,
    position: { option: 'onDisk', file: folder },
    rule: 'Both orientations, with the row of each entry beside, are written to this folder.',
    remedy: 'Give a folder on a disk with more room, or dtype f32; with room in memory leave onDisk out.',
  });
}
