/** Writes a model to a folder. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { oddLabel } from '../data/labels.js';
import { HadamardError } from '../errors.js';
import { writeJsonLines } from '../formats/jsonLines.js';
import { writeNpy } from '../formats/npy.js';
import type { Canonical } from './canonical.js';
import { checkDirectory } from './checkDirectory.js';
import { modelFormat, modelVersion, replaceFolder } from './folder.js';
import { hashesOf, sealed } from './integrity.js';
import type { ModelParts } from './parts.js';

/** As `Model.save`. */
export async function saveModel(
  { U, V, biases, labels = {}, fit, background, covariances, factorUncertainty, run }: ModelParts,
  directory: string,
  canonical?: Canonical,
): Promise<void> {
  checkDirectory(directory);
  for (const side of ['rows', 'columns'] as const) checkLabels(side, labels[side]);
  const [m, k] = U.shape as [number, number];
  const n = V.shape[0] as number;
  await replaceFolder(directory, async (folder) => {
    await writeNpy(join(folder, 'U.npy'), U.data, [m, k]);
    await writeNpy(join(folder, 'V.npy'), V.data, [n, k]);
    if (biases.rows) await writeNpy(join(folder, 'row_bias.npy'), biases.rows, [m]);
    if (biases.columns) await writeNpy(join(folder, 'column_bias.npy'), biases.columns, [n]);
    if (background) {
      await writeNpy(join(folder, 'background_rows.npy'), background.rows, [m]);
      await writeNpy(join(folder, 'background_columns.npy'), background.columns, [n]);
    }
    if (covariances) {
      const { rows, columns, columnWeights } = covariances;
      await writeNpy(join(folder, 'row_covariance.npy'), rows, [m, rows.length / m]);
      await writeNpy(join(folder, 'column_covariance.npy'), columns, [n, columns.length / n]);
      await writeNpy(join(folder, 'column_weights.npy'), columnWeights, [n]);
    }
    if (factorUncertainty) await writeFile(join(folder, 'uncertainty.json'), `${JSON.stringify(factorUncertainty)}\n`);
    if (canonical) {
      await mkdir(join(folder, 'canonical'));
      await writeNpy(join(folder, 'canonical', 'U.npy'), canonical.U.data, [m, k]);
      await writeNpy(join(folder, 'canonical', 'd.npy'), canonical.d, [k]);
      await writeNpy(join(folder, 'canonical', 'V.npy'), canonical.V.data, [n, k]);
    }
    if (labels.rows) await writeJsonLines(join(folder, 'rows.jsonl'), labels.rows);
    if (labels.columns) await writeJsonLines(join(folder, 'columns.jsonl'), labels.columns);
    const description = {
      format: modelFormat,
      version: modelVersion,
      shape: [m, n],
      rank: k,
      dtype: U.data instanceof Float64Array ? 'f64' : 'f32',
      biases: { kind: biases.kind, mean: biases.mean },
      labels: { rows: labels.rows !== undefined, columns: labels.columns !== undefined },
      files: await hashesOf(folder),
      fit,
      ...(run && { run }),
    };
    await writeFile(join(folder, 'model.json'), sealed(description));
  });
}

/** Of a model that was put together by hand: loaded again, a label is to name one row. */
function checkLabels(side: 'rows' | 'columns', labels: readonly string[] = []): void {
  const odd = oddLabel(labels);
  if (odd)
    throw new HadamardError({
      code: 'invalid-input',
      what: `Label ${odd.index} of the ${side} ${odd.why}.`,
      position: { option: 'labels', index: odd.index },
      rule: 'Labels are strings, none twice.',
      remedy: 'Correct it, or leave the labels out.',
    });
}
