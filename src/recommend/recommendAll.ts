/** The best columns of many rows, exact, on all cores. */
import { compileKernels } from '../kernels/load.js';
import type { Model, Recommendation } from '../model/model.js';
import { abortError, refuseAborted } from '../parallel/abort.js';
import { type Crew, Interrupted, inlineCrew, pooledCrew, requestStop, withdrawStop } from '../parallel/crew.js';
import { releaseMemory } from '../parallel/memoryPool.js';
import { prepareScores } from './prepareScores.js';
import { checkRequest, type RecommendAllOptions, type ScoreRequest, whyMissing } from './request.js';
import { blockRows, type ScoreContext } from './scoreContext.js';
import { scorePhases } from './scorePhase.js';

export type { RecommendAllOptions, RecommendProgress } from './request.js';

export interface RowRecommendations {
  readonly row: number;
  /** The row's label, where the model has labels. */
  readonly label?: string;
  /** Best first, ties by column; predictions are those of `model.predict`, to the bit. */
  readonly recommendations: readonly Recommendation[];
  /** Why there are fewer than `top`, where there are. */
  readonly missing?: string;
  /** Factor and bias of the row are 0, as without observations: its columns stand in the order of their biases, or numbers. */
  readonly unobserved?: true;
}

/** The answers of {@link recommendEach}, collected. */
export async function recommendAll(model: Model, options: RecommendAllOptions = {}): Promise<RowRecommendations[]> {
  const all: RowRecommendations[] = [];
  for await (const answer of recommendEach(model, options)) all.push(answer);
  return all;
}

/** Multiply-adds that are not worth starting threads for: about 0.1 s of one. */
const inlineCost = 2e9;
/** A batch is about so many multiply-adds, and its answers take at most so many bytes. */
const batchCost = 5e10;
const batchBytes = 2 ** 25;

/**
 * The columns of highest prediction for each row, in the order of `rows`, batch by batch: memory holds a batch of answers
 * beside the factors, however many rows there are.
 *
 * Every column is scored in f32 by the kernel; those within a rigorous bound of the best are scored again in float64, so
 * that order and predictions are exactly those of `model.predict`, ties by column, for every number of threads. That is
 * also why the kernel may use fused multiply-adds where the engine has them.
 *
 * @throws HadamardError `invalid-option`, `invalid-input`, `index-out-of-range`, `shape-mismatch` for bad options, as
 *   `factorize` for bad data in `exclude`; `worker-died`; `AbortError` when `signal` was aborted. No worker is left behind, nor
 *   is one when the caller breaks out of the loop.
 */
export async function* recommendEach(
  model: Model,
  options: RecommendAllOptions = {},
): AsyncGenerator<RowRecommendations, void, undefined> {
  const { signal, onProgress, inline, workerUrl = defaultWorkerUrl, wasmUrl } = options ?? {};
  const request = checkRequest(model, options ?? {});
  refuseAborted(signal, 'recommendations');
  const { rows } = request;
  if (rows.length === 0) return;
  const began = performance.now();
  const rowCost = Math.max(1, request.columns.length * model.rank);
  const isInline = inline !== 'never' && rows.length * rowCost < inlineCost;
  const size = batchRows(request, rowCost);
  const { module } = compileKernels('fast', wasmUrl);
  const crew: Crew<ScoreContext> = isInline
    ? inlineCrew(scorePhases)
    : pooledCrew({ workerUrl, threads: request.threads });
  let control: ScoreContext | undefined;
  let underway: Promise<unknown> | undefined;
  const stop = () => {
    if (control) requestStop(control);
  };
  try {
    const prepared = prepareScores(model, request, { module, slots: crew.threads, isShared: !isInline, batch: size });
    control = prepared.context(0, 0);
    withdrawStop(control);
    signal?.addEventListener('abort', stop, { once: true });
    refuseAborted(signal, 'recommendations');
    const start = (first: number) => {
      const context = prepared.context(first, Math.min(first + size, rows.length));
      const done = crew.run(context, { phase: 'score', side: 'rows', own: null, other: 0, out: null });
      underway = done.catch(() => undefined);
      return { context, done };
    };
    let batch: ReturnType<typeof start> | undefined = start(0);
    for (let next = size; batch; next += size) {
      await batch.done;
      const { context } = batch;
      // The next batch is on its way while the caller looks at this one.
      batch = next < rows.length ? start(next) : undefined;
      onProgress?.({
        rows: Math.min(next, rows.length),
        of: rows.length,
        seconds: (performance.now() - began) / 1000,
      });
      yield* answersOf(model, request, context);
    }
  } catch (error) {
    throw error instanceof Interrupted ? abortError(signal, 'recommendations') : error;
  } finally {
    stop();
    signal?.removeEventListener('abort', stop);
    await underway;
    await crew.close();
    // The next to have this memory begins without a stop.
    if (control) {
      withdrawStop(control);
      releaseMemory(control.memory);
    }
  }
}

/** A string: piscina takes no URL objects. */
const defaultWorkerUrl = new URL('../../workers/scores.cjs', import.meta.url).href;

function batchRows({ rows, top, columns }: ScoreRequest, rowCost: number): number {
  const byCost = Math.max(16 * blockRows, Math.floor(batchCost / rowCost));
  const byBytes = Math.floor(batchBytes / (12 * Math.max(1, Math.min(top, columns.length))));
  return Math.max(1, Math.min(byCost, byBytes, rows.length));
}

function* answersOf(model: Model, request: ScoreRequest, { rows, found, top, blocks }: ScoreContext) {
  const { labels } = model;
  const last = blocks.rows.at(-1) as number;
  for (let index = found.first; index < last; index++) {
    const row = rows[index] as number;
    const count = found.counts[index - found.first] as number;
    const start = (index - found.first) * top;
    const answer: RowRecommendations = {
      row,
      ...(labels.rows && { label: labels.rows[row] as string }),
      recommendations: Array.from({ length: count }, (_, place) => {
        const column = found.columns[start + place] as number;
        const prediction = found.predictions[start + place] as number;
        return { column, ...(labels.columns && { label: labels.columns[column] as string }), prediction };
      }),
      ...(count < request.top && { missing: whyMissing(request, model.shape[1], row, count) }),
      ...(model.isUnobserved('rows', row) && { unobserved: true as const }),
    };
    yield answer;
  }
}
