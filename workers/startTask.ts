/** What the workers of many starts do; starts.cts is the file that piscina loads. */
import { runStartHere, type StartAnswer, type StartTask } from '../src/factorize/oneStart.js';

export const runTask: (task: StartTask) => Promise<StartAnswer> = runStartHere;
