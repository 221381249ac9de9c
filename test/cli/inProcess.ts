/** Runs a command in this process: a start of Node less. Paths are whole ones. */
import { vi } from 'vitest';
import { runCommand } from '../../dist/src/cli/program.js';
import type { Ended } from './run.js';

export async function inProcess(...args: string[]): Promise<Ended> {
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation(() => true),
  );
  const said = (spy = spies[0]) => (spy?.mock.calls ?? []).map(([text]) => String(text)).join('');
  try {
    const code = await runCommand(args);
    return { code, stdout: said(spies[0]), stderr: said(spies[1]) };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
