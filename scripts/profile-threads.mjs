// @ts-check
/**
 * Loaded with --import by scripts/profile.mjs. hadamard's threads inherit nothing from the host's command line, and a
 * profiler is part of that: here they are given --cpu-prof again, and kept from what clinic puts into NODE_OPTIONS,
 * which does not survive in a thread.
 */
import { syncBuiltinESMExports } from 'node:module';
import threads from 'node:worker_threads';

const execArgv = process.execArgv.filter((argument) => argument.startsWith('--cpu-prof'));

threads.Worker = class extends threads.Worker {
  /** @param {string | URL} file @param {threads.WorkerOptions} [options] */
  constructor(file, options) {
    super(file, { ...options, execArgv, env: { ...process.env, NODE_OPTIONS: '' } });
  }
};
syncBuiltinESMExports();
