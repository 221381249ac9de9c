/** Workers for fits. */
import { phases } from '../methods/phases.js';
import { type Crew, inlineCrew, pooledCrew } from '../parallel/crew.js';
import type { FactorizeOptions } from './factorizeOptions.js';
import type { WorkingPlan } from './plan.js';

/** A crew for one fit, and how to let go of it. */
export interface HiredCrew {
  readonly crew: Crew;
  release(): Promise<void>;
}

export type Hire = (plan: WorkingPlan, options: FactorizeOptions) => HiredCrew;

/** A string: piscina takes no URL objects. */
const defaultWorkerUrl = new URL('../../workers/rows.cjs', import.meta.url).href;

/** Workers for one fit, ended with it. */
export const hireCrew: Hire = (plan, options) => {
  const crew = plan.inline
    ? inlineCrew(phases)
    : pooledCrew({ workerUrl: options.workerUrl ?? defaultWorkerUrl, threads: plan.threads });
  return { crew, release: () => crew.close() };
};

/** Workers that stay from one of several like fits to the next, until all are let go. */
export function keepCrews(hire: Hire): { readonly hire: Hire; release(): Promise<void> } {
  const kept = new Map<boolean, HiredCrew>();
  return {
    hire(plan, options) {
      const hired = kept.get(plan.inline) ?? hire(plan, options);
      kept.set(plan.inline, hired);
      return { crew: hired.crew, release: async () => hired.crew.rest() };
    },
    async release() {
      for (const { release } of kept.values()) await release();
    },
  };
}
