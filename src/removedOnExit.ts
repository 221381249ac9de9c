/** What is written beside its place does not outlive the process. */
import { rmSync } from 'node:fs';

const unfinished = new Set<string>();

function removeUnfinished(): void {
  for (const path of unfinished) rmSync(path, { recursive: true, force: true });
}

/** Runs `work`; should the process exit before it is done, these files and folders are removed. */
export async function removedOnExit<T>(paths: readonly string[], work: () => Promise<T>): Promise<T> {
  if (unfinished.size === 0) process.on('exit', removeUnfinished);
  for (const path of paths) unfinished.add(path);
  try {
    return await work();
  } finally {
    for (const path of paths) unfinished.delete(path);
    if (unfinished.size === 0) process.off('exit', removeUnfinished);
  }
}
