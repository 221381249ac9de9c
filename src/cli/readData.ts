/** Reads data files with as many threads as a fit may have. */
import { availableParallelism } from 'node:os';
import { type ReadRequest, readTable, type Table } from '../formats/readTable.js';

const workerUrl = new URL('../../workers/lines.js', import.meta.url).href;

/** {@link readTable} with threads beside this one, all cores unless `threads` says how many. */
export function readData(path: string, request: Omit<ReadRequest, 'workerUrl'> = {}): Promise<Table> {
  return readTable(path, { ...request, threads: request.threads ?? availableParallelism(), workerUrl });
}
