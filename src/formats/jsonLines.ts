/** Labels, a JSON string a line: newlines and quotes in a label do no harm. */
import { writeFile } from 'node:fs/promises';
import { eachLine, malformed } from './lines.js';
import { inPieces } from './output.js';

export async function writeJsonLines(path: string, labels: readonly string[]): Promise<void> {
  await writeFile(path, jsonLineChunks(labels));
}

export function jsonLineChunks(labels: readonly string[]): Generator<string> {
  return inPieces(
    (function* () {
      for (const label of labels) yield `${JSON.stringify(label)}\n`;
    })(),
  );
}

/** @throws HadamardError `malformed-file` with the line, and as every file. */
export async function readJsonLines(path: string): Promise<string[]> {
  const labels: string[] = [];
  await eachLine(path, (bytes, start, end, line) => {
    try {
      const label: unknown = JSON.parse(bytes.toString('utf8', start, end));
      if (typeof label === 'string') {
        labels.push(label);
        return;
      }
    } catch {
      // Reported below, with the line.
    }
    throw malformed(
      path,
      `Line ${line} is not a JSON string.`,
      { line },
      'Labels are a JSON string a line.',
      'Save the model again.',
    );
  });
  return labels;
}
