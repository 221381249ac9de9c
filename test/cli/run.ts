/** Runs the command line: in this process, or as one of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import { runCommand } from '../../dist/src/cli/program.js';

export const main = fileURLToPath(new URL('../../dist/bundle/command/main.js', import.meta.url));

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  process: ChildProcess;
  /** Resolves when stderr has shown this. */
  shown(pattern: RegExp): Promise<void>;
  ended: Promise<Ended>;
}

export function start(args: readonly string[], cwd: string): Running {
  const child = spawn(process.execPath, [main, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
  const shown = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (pattern.test(stderr)) resolve();
      };
      child.stderr.on('data', look);
      child.once('close', () => reject(new Error(`ended before ${pattern} was shown:\n${stderr}`)));
      look();
    });
  return { process: child, shown, ended };
}

/** Where the process itself is looked at: that it ends, with which code, and what it leaves. */
export function asProcess(args: readonly string[], cwd: string): Promise<Ended> {
  return start(args, cwd).ended;
}

/** In this process, a start of Node less; one at a time. */
export async function run(args: readonly string[], cwd: string): Promise<Ended> {
  const said = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const before = process.cwd();
  process.chdir(cwd);
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((chunk) => {
      said[name].push(Buffer.from(chunk as string));
      return true;
    }),
  );
  try {
    const code = await runCommand(args);
    return { code, stdout: Buffer.concat(said.stdout).toString(), stderr: Buffer.concat(said.stderr).toString() };
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.chdir(before);
  }
}

/** The JSON line that stderr ends with. */
export function failureOf({ stderr }: Ended): { code: string; message: string; position: Record<string, unknown> } {
  return JSON.parse(stderr.trimEnd().split('\n').at(-1) as string);
}

export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'hadamard-cli-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A dense little-endian f64 .npy file. */
export function npy(values: Float64Array, rows: number, columns: number): Buffer {
  const header = `{'descr': '<f8', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`.padEnd(117, ' ');
  const start = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header}\n`, 'latin1');
  return Buffer.concat([start, Buffer.from(values.buffer)]);
}

/** Uniform numbers in −½…½ that depend on the seed alone. */
export function noise(count: number, seed: number): Float64Array {
  let state = seed;
  return new Float64Array(count).map(() => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}
