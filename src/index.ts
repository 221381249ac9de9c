/** The public surface of hadamard. */

export type {
  CompressedRows,
  DenseMatrix,
  IndexArray,
  MatrixInput,
  RealArray,
  Triples,
  WeightsInput,
  WeightValues,
} from './data/input.js';
export type { Duplicates } from './data/observations.js';
export type { Background, Bounds, Hold } from './data/terms.js';
export { adjustUncertainties, type UncertaintyRules } from './data/uncertainties.js';
export {
  type ErrorCode,
  type ErrorDetails,
  type ErrorPosition,
  type ErrorRecord,
  errorCodes,
  HadamardError,
  isHadamardError,
} from './errors.js';
export type { BesideOptions } from './factorize/beside.js';
export { type Refusal, refusals } from './factorize/combinations.js';
export type { FitMessage, PassMessage, PhaseMessage, SweepMessage } from './factorize/diagnostics.js';
export { type Contribution, type ExplainOptions, type Explanation, explain } from './factorize/explain.js';
export type { ProblemShape } from './factorize/extent.js';
export { factorize } from './factorize/factorize.js';
export type { FactorizeOptions, Init, Progress, ValidationData } from './factorize/factorizeOptions.js';
export { type FoldedIn, type FoldInOptions, foldIn } from './factorize/foldIn.js';
export {
  type Imputed,
  type ImputeFitOptions,
  type ImputeModelOptions,
  type IntervalOption,
  impute,
} from './factorize/impute.js';
export { type Tool, type ToolName, tools } from './factorize/like.js';
export type { ObjectiveOptions as ObjectiveParts } from './factorize/objectiveSpec.js';
export { type Plan, plan } from './factorize/plan.js';
export { type PresetName, presets } from './factorize/presets.js';
export { type UpdateOptions, update } from './factorize/update.js';
export { type Claim, type Verification, type VerifyOptions, verifyModel } from './factorize/verifyModel.js';
export type { Dtype } from './kernels/load.js';
export type { ColumnFilter } from './model/allowedColumns.js';
export type { Canonical, Rotated } from './model/canonical.js';
export type { Covariances, UncertaintyReport } from './model/covariances.js';
export { equationOf } from './model/equation.js';
export {
  type Exported,
  type ExportFormat,
  type ExportOptions,
  exportFormats,
  exportModel,
} from './model/exportModel.js';
export type {
  BootstrapDisplacementReport,
  BootstrapReport,
  ByFactor,
  DisplacementReport,
  FactorUncertainty,
} from './model/factorUncertainty.js';
export type {
  Certificate,
  FitReport,
  ModelUpdate,
  StartsReport,
  Status,
  StopReason,
  TraceEntry,
  ValidationError,
} from './model/fitReport.js';
export { type Inspection, inspectModel, type LatentColumn, type Loading } from './model/inspectModel.js';
export type {
  PredictIntervalOptions,
  PredictionInterval,
  PredictionIntervals,
} from './model/intervals.js';
export { loadModel } from './model/load.js';
export {
  type BackgroundLists,
  type Biases,
  type Labels,
  Model,
  type ModelParts,
  type ObjectiveOptions,
  type Recommendation,
  type RecommendOptions,
  type RunRecord,
  type SaveOptions,
} from './model/model.js';
export type { ExportSide, VectorOptions } from './model/vectors.js';
export {
  type ChoiceOption,
  type FitOptions,
  type FormOption,
  type NumberOption,
  type OptionName,
  type OptionSpec,
  optionTable,
  type PartsOption,
  type PathOption,
  type ResolvedOptions,
} from './options.js';
export type { PerSide, Side } from './parallel/layout.js';
export {
  type RecommendAllOptions,
  type RecommendProgress,
  type RowRecommendations,
  recommendAll,
  recommendEach,
} from './recommend/recommendAll.js';
export { type Similar, type SimilarOptions, type SimilarResult, similar } from './recommend/similar.js';
export { type ReportOptions, reportHtml } from './report/report.js';
export { bootstrap, type ResampleOptions } from './selection/bootstrap.js';
export {
  type BootstrapDisplaceOptions,
  bootstrapDisplace,
  type DisplaceOptions,
  displace,
} from './selection/displace.js';
export { type EvaluateOptions, type Evaluation, evaluate, type FoldResult } from './selection/evaluate.js';
export type { Cell, TuneChoice } from './selection/recommendation.js';
export type { SourceOptions } from './selection/sourceProblem.js';
export { type Split, type SplitOptions, splits } from './selection/splits.js';
export { type TuneOptions, type TuneProgress, type Tuning, tune } from './selection/tune.js';
export { openSession, type Session } from './session/openSession.js';
export type { SessionOptions } from './session/sessionOptions.js';
