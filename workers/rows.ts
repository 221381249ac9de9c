/** Entry of the piscina workers. */
import { phases } from '../src/methods/phases.js';
import { createRowWorker } from '../src/parallel/rowWorker.js';

export default createRowWorker(phases);
