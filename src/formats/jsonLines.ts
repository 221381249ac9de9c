/** Labels, a JSON string a line: newlines and quotes in a label do no harm. */
import { readFile, writeFile } from 'node:fs/promises';
import { asFileError, malformed } from './lines.js';
import { batchLength, type Chunks } from './output.js';

export async function writeJsonLines(path: string, labels: readonly string[]): Promise<void> {
  await writeFile(path, jsonLines(labels));
}

export function jsonLines(labels: readonly string[]): string {
  return labels.map((label) => `${JSON.stringify(label)}\n`).join('');
}

/** The same for a file that is written piece by piece. */
export async function* jsonLineChunks(labels: readonly string[]): Chunks {
  for (let start = 0; start < labels.length; start += batchLength)
    yield labels
      .slice(start, start + batchLength)
      .map((label) => `${JSON.stringify(label)}\n`)
      .join('');
}

/** @throws HadamardError `malformed-file` with the line, and as every file. */
export async function readJsonLines(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw asFileError(path, error);
  });
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line, i) => {
    try {
      const label: unknown = JSON.parse(line);
      if (typeof label === 'string') return label;
    } catch {
      // Reported below, with the line.
    }
    throw malformed(
      path,
      `Line ${i + 1} is not a JSON string.`,
      { line: i + 1 },
      'Labels are a JSON string a line.',
      'Save the model again.',
    );
  });
}
