/** Entry of the threads that parse the parts of a file. */
import { parentPort, workerData } from 'node:worker_threads';
import { type PartTask, parseParts } from '../src/formats/partCrew.js';

parseParts(workerData as PartTask, (message) => parentPort?.postMessage(message));
