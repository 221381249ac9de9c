/** Options of every command that fits: where A and its weights come from, and the parts of an objective beside the table. */
import type { Option } from 'commander';
import { tableOptions } from '../flags.js';
import { columnsOption, denseOption, formatOption, inGroup, outputOptions, weightsOptions } from './shared.js';

/** Of commands that fit the training entries of folds and hold entries out themselves. */
export function foldFitOptions(except: readonly string[] = []): Option[] {
  const all = [
    ...tableOptions('Objective:'),
    ...objectiveOptions(),
    ...dataOptions(),
    ...receptorOptions(),
    ...tableOptions('Data:'),
    ...outputOptions(),
    ...tableOptions('Stopping:', ['timeLimit', 'holdout', 'patience']),
    ...tableOptions('Computation:'),
  ];
  return all.filter((option) => !except.includes(option.attributeName()));
}

export function dataOptions(): Option[] {
  return [...weightsOptions(), columnsOption(), denseOption(), formatOption()];
}

export function objectiveOptions(): Option[] {
  return [
    inGroup(
      'Objective:',
      '--background-weight <w>',
      'Entries that are not listed are observations too, of weight W² = w: implicit feedback. An entry listed with weight 0 is left out of it.',
    ),
    inGroup('Objective:', '--background-value <y>', 'The value of entries that are not listed. [0]'),
    inGroup(
      'Objective:',
      '--background-rows <file>',
      'Background weights r_i·c_j: r, a table (label, weight) or .npy. Without --background-columns all c_j are 1.',
    ),
    inGroup('Objective:', '--background-columns <file>', 'The same for c.'),
    inGroup(
      'Objective:',
      '--hold-columns <file>',
      'Known columns of V, such as source profiles: a table with a line for each column of A, or .npy. They are the first of the k latent columns and stay as they are; empty cells are free.',
    ),
  ];
}

export function receptorOptions(): Option[] {
  return [
    inGroup(
      'Uncertainties:',
      '--weak <columns>',
      'Columns whose uncertainties count three times, by label: Benzene,Toluene.',
    ),
    inGroup('Uncertainties:', '--bad <columns>', 'Columns that are left out of the fit.'),
    inGroup('Uncertainties:', '--total <column>', 'The total variable, whose uncertainties count three times.'),
    inGroup(
      'Uncertainties:',
      '--extra-uncertainty <share>',
      'Uncertainty of the model itself: σ² grows by (share·A)².',
    ),
  ];
}
