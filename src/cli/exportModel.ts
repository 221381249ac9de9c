/** `hadamard export` */
import { type ExportOptions, exportModel } from '../model/exportModel.js';
import { loadModel } from '../model/load.js';
import type { ExitCode } from './exitCodes.js';
import { count, facts, printable } from './render.js';
import { untilInterrupt } from './signals.js';

export interface ExportFlags {
  readonly format?: string;
  readonly out?: string;
  readonly side?: string;
  readonly canonical?: true;
  readonly withBias?: true;
  readonly json?: true;
}

export async function exportTo(directory: string, flags: ExportFlags): Promise<ExitCode> {
  const { format, out, side, canonical = false, withBias = false, json } = flags;
  return untilInterrupt(async () => {
    const model = await loadModel(directory);
    const options = { format, out, side, canonical, withBias } as ExportOptions;
    const done = await exportModel(model, options);
    if (json) {
      process.stdout.write(`${JSON.stringify({ schema: 1, format, ...done })}\n`);
      return 0;
    }
    const { kind, mean } = model.biases;
    const isWhole = kind === 'none' || withBias;
    const lines: [string, string][] = [
      ['files', done.files.map(printable).join('\n')],
      [
        'vectors',
        Object.entries(done.vectors)
          .map(([name, { count: number, width }]) => `${count(number)} ${name} × ${width}`)
          .join('\n'),
      ],
      [
        'prediction',
        `inner product${mean === 0 ? '' : ` + ${mean}`}${isWhole ? '' : ' + the biases, which --with-bias puts into the vectors'}`,
      ],
    ];
    process.stdout.write(`${facts(lines, process.stdout)}\n`);
    return 0;
  });
}
