/**
 * A finish by truncated Newton steps for a method that crawls in the end: once a sweep brings little or the gradient is
 * small, f(V) = min_U f(U,V) is minimised to a small gradient at a quadratic pace.
 */
import type { Method, MethodRun, Point, Proposal } from './method.js';
import type { ReducedProblemShape } from './reducedProblem.js';
import { TruncatedNewton, truncatedNewton } from './truncatedNewton.js';

/** The finish begins after a sweep that lowers f by less than this, relative, or from a relative gradient norm below that. */
const smallFall = 1e-3;
const smallGradient = 1e-4;

export function polished(method: Method, shape: ReducedProblemShape): Method {
  const finish = truncatedNewton(shape, method.buffers);
  return {
    ...finish,
    name: method.name,
    // What the method accelerates with is not wanted any more when the finish begins.
    workspace: { bytes: Math.max(finish.workspace?.bytes ?? 0, method.workspace?.bytes ?? 0) },
    scratch: (longest) => Math.max(finish.scratch?.(longest) ?? 0, method.scratch?.(longest) ?? 0),
    ...(method.start && { start: method.start }),
    create: (run) => new Polished(method.create(run), new TruncatedNewton(run, shape, method.buffers)),
  };
}

class Polished implements MethodRun {
  #current: MethodRun;
  readonly #finish: MethodRun;

  constructor(method: MethodRun, finish: MethodRun) {
    this.#current = method;
    this.#finish = finish;
  }

  async step(from: Point, precise: boolean, isLast: boolean): Promise<Proposal> {
    const proposal = await this.#current.step(from, precise, isLast);
    const isSlow = from.objective - proposal.objective < smallFall * from.objective;
    if (isSlow || (proposal.relativeGradientNorm ?? 1) < smallGradient) this.#current = this.#finish;
    return proposal;
  }

  async finish(from: Point): Promise<Proposal> {
    return (await this.#current.finish?.(from)) ?? { ...from, relativeGradientNorm: null, isExtrapolated: false };
  }
}
