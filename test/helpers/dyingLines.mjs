/** A worker of the reader that takes a part and dies. */
import { workerData } from 'node:worker_threads';

Atomics.add(workerData.claims.next, 0, 1);
process.exit(1);
