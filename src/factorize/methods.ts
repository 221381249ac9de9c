/** Which method an option names. */
import { als } from '../methods/als.js';
import { gradient } from '../methods/gradient.js';
import type { Method } from '../methods/method.js';
import type { CheckedOptions } from '../options.js';

export function methodOf(options: CheckedOptions): Method {
  return options.method === 'als' ? als(options.acceleration) : gradient;
}
