/** A fitted model as one HTML file that can be read, printed and sent, and asks nothing of anyone. */
import { shapeOf } from '../data/entries.js';
import type { MatrixInput, WeightsInput } from '../data/input.js';
import type { Duplicates } from '../data/observations.js';
import { HadamardError } from '../errors.js';
import { checkModel } from '../model/checkModel.js';
import type { Model } from '../model/model.js';
import { checkNames } from '../options.js';
import { version } from '../version.js';
import { machineSection, reproduceSection } from './account.js';
import { courseOfModel, courseSection } from './course.js';
import { canonicalOf, loadingsSection, mapSection, spectrumSection } from './factors.js';
import { html } from './html.js';
import { certificateSection, headerOf, objectiveSection, titleOf } from './overview.js';
import type { Charts } from './parts.js';
import { profileSection } from './profiles.js';
import { profileUncertaintySection } from './profileUncertainty.js';
import { residualStatistics } from './residualStatistics.js';
import { residualSection } from './residuals.js';
import { pageHtml, type Section } from './shell.js';
import { startsSection } from './starts.js';

export interface ReportOptions {
  /** The weights that belong to the data; every weight is 1 where absent. */
  readonly weights?: WeightsInput | undefined;
  /** What an entry listed twice means; default: as in the fit. */
  readonly duplicates?: Duplicates | undefined;
  /** What was fitted, as the title of the page; default A ≈ UVᵀ. */
  readonly source?: string | undefined;
  /** The error on entries of a test, √(Σr²/entries): the page shows it beside that of the fit. */
  readonly test?: { readonly rmse: number; readonly entries: number } | undefined;
}

/**
 * One self-contained HTML page about a model: the equation that was minimised, the certificate in words, objective and
 * gradient on the way, singular values, factors (profiles and contributions of preset pmf), a map of rows and columns,
 * time and memory, and the command to run again; with `data` the residuals z = W(A − prediction) as well. Every part is
 * sampled or binned, so the page has a few hundred kilobytes whatever the size of the model.
 *
 * @param data A as it was fitted, m×n: what option `like` makes of the values of A is not made again.
 * @throws HadamardError `invalid-input` for what is no model, `invalid-option`, `shape-mismatch` when data and model differ in shape, and as `factorize` for bad data.
 */
export function reportHtml(model: Model, data?: MatrixInput, options: ReportOptions = {}): string {
  checkModel(model);
  checkNames(options, ['weights', 'duplicates', 'source', 'test']);
  const { weights, duplicates = model.fit.options.duplicates, source, test } = options;
  if (data !== undefined) checkShape(model, data);
  const charts: Charts = {};
  const course = courseOfModel(model);
  const canonical = canonicalOf(model);
  const statistics = data && residualStatistics(model, data, weights, duplicates);
  const sections = [
    objectiveSection(model),
    certificateSection(model),
    startsSection(model),
    courseSection(model, course),
    statistics && residualSection(model, statistics, charts),
    canonical && spectrumSection(model, canonical, charts),
    model.fit.q ? profileSection(model, charts) : loadingsSection(model, canonical),
    profileUncertaintySection(model, charts),
    canonical && mapSection(model, canonical, charts),
    machineSection(model),
    reproduceSection(model),
  ];
  return pageHtml({
    title: titleOf(model, source),
    header: headerOf(model, source, test),
    sections: sections.filter((section): section is Section => section !== undefined),
    footer: html`Written by hadamard ${version}. This page is one file and loads nothing.`,
    data: { course, charts },
  });
}

function checkShape({ shape: [m, n] }: Model, data: MatrixInput): void {
  const [rows, columns] = shapeOf(data);
  if (rows === m && columns === n) return;
  throw new HadamardError({
    code: 'shape-mismatch',
    what: `The data is ${rows}×${columns} and the model is ${m}×${n}.`,
    rule: 'Residuals are those of the data that the model was fitted to.',
    remedy: 'Give A as it was fitted, or leave it out.',
  });
}
