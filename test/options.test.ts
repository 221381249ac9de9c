/** Every option of the table refuses what its rule excludes; the cases are made from the table itself. */
import { describe, expect, test } from 'vitest';
import { isHadamardError } from '../dist/src/errors.js';
import { factorize, plan } from '../dist/src/index.js';
import {
  checkOptions,
  type FitOptions,
  flagOf,
  type NumberOption,
  type OptionName,
  type OptionSpec,
  optionTable,
  otherOptions,
  type PartsOption,
  ruleOf,
} from '../dist/src/options.js';

type ValueSpec = Exclude<OptionSpec, PartsOption>;
const specOf = (name: OptionName) => optionTable[name] as ValueSpec;
/** What comes in parts is checked with the data it belongs to: test/factorize/composed.test.ts. */
const isParts = (name: OptionName) => (optionTable[name] as OptionSpec).kind === 'parts';
const all = Object.keys(optionTable) as OptionName[];
const names = all.filter((name) => !isParts(name));

test.each(all.filter(isParts))('%s, which comes in parts, has a sentence and a rule', (name) => {
  const { sentence, forms } = optionTable[name] as PartsOption;
  expect(sentence).toMatch(/^\S.*\.$/);
  expect(ruleOf(name)).toBe(`${name} is ${forms}.`);
});

/** Values of the right type just outside the bounds. */
function outside({ kind, minimum, maximum, exclusive }: NumberOption): number[] {
  const step = kind === 'integer' ? 1 : 1e-9;
  return [
    ...(minimum === undefined ? [] : [exclusive ? minimum : minimum - step, minimum - 1000]),
    ...(maximum === undefined ? [] : [maximum + step, maximum * 2]),
  ];
}

function inside({ kind, minimum = 0, maximum, exclusive }: NumberOption): number[] {
  const least = exclusive ? Number.MIN_VALUE : minimum;
  return [
    least,
    minimum + 1,
    ...(maximum === undefined ? [] : [maximum]),
    ...(kind === 'number' ? [minimum + 0.5] : []),
  ].filter((value) => value <= (maximum ?? value));
}

function invalidValues(spec: ValueSpec): unknown[] {
  if (spec.kind === 'choice') return ['nonsense', '', spec.choices[0]?.toUpperCase(), 1, true, null, [], {}];
  if (spec.kind === 'path') return ['', 1, null, true, ['/tmp'], {}];
  if (spec.kind === 'form')
    return ['nonsense', '', 'huber', 'huber:-1', 'l1:', 'poisson:2', ' logistic', 1, null, [], {}];
  const never = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, '3', null, true, [3], {}, 3n];
  return [...never, ...outside(spec), ...(spec.kind === 'integer' ? [(spec.minimum ?? 0) + 0.5] : [])];
}

function validValues(spec: ValueSpec): readonly unknown[] {
  if (spec.kind === 'path') return ['/tmp', '.'];
  if (spec.kind === 'form') return ['quadratic', 'huber:1.5', 'huber:1e-3:raw', 'l1', 'l1:.01', 'poisson', 'logistic'];
  return spec.kind === 'choice' ? spec.choices : inside(spec);
}

const optionsWith = (name: OptionName, value: unknown) => ({ rank: 3, [name]: value }) as unknown as FitOptions;

function errorOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe.each(names)('%s', (name) => {
  const spec = specOf(name);

  test.each(invalidValues(spec).map((value) => [value]))('refuses %s', (value) => {
    const error = errorOf(() => checkOptions(optionsWith(name, value)));
    expect(isHadamardError(error)).toBe(true);
    expect(error).toMatchObject({ code: 'invalid-option', position: { option: name }, rule: ruleOf(name) });
    const { message, remedy } = error as { message: string; remedy: string };
    expect(message).toContain(name);
    expect(remedy).toContain(flagOf(name));
  });

  test.each(validValues(spec).map((value) => [value]))('takes %s', (value) => {
    expect(checkOptions(optionsWith(name, value))).toMatchObject({ [name]: value });
  });

  test('has a sentence, a rule with its bounds, and a default that obeys it', () => {
    expect(spec.sentence).toMatch(/^\S.*\.$/);
    const rule = ruleOf(name);
    if (spec.kind === 'choice') for (const choice of spec.choices) expect(rule).toContain(choice);
    else if (spec.kind === 'form') {
      expect(rule).toContain(spec.forms);
      for (const value of spec.examples) expect(value).toMatch(spec.pattern);
    } else if (spec.kind === 'path') expect(rule).toContain(spec.placeholder);
    else
      for (const bound of [spec.minimum, spec.maximum]) if (bound !== undefined) expect(rule).toContain(String(bound));
    if (spec.default !== undefined) {
      expect(errorOf(() => checkOptions(optionsWith(name, spec.default)))).toBeUndefined();
      expect(checkOptions({ rank: 3 })).toMatchObject({ [name]: spec.default });
    }
  });

  test('undefined is as if it were left out', () => {
    if (name === 'rank')
      expect(errorOf(() => checkOptions(optionsWith(name, undefined)))).toMatchObject({ code: 'invalid-option' });
    else expect(checkOptions(optionsWith(name, undefined))).toEqual(checkOptions({ rank: 3 }));
  });
});

test('the defaults that numbers depend on', () => {
  expect(checkOptions({ rank: 4 })).toMatchObject({
    lambda: 0,
    lambdaScale: 'row',
    biases: 'none',
    biasLambda: 0,
    method: 'auto',
    dtype: undefined,
    arithmetic: 'reproducible',
    maxSweeps: 500,
    seed: 1,
    duplicates: 'refuse',
  });
  expect(checkOptions({ rank: 4, lambda: 0.5 }).biasLambda).toBe(0.5);
  expect(checkOptions({ rank: 4, lambda: 0.5, biasLambda: 0 }).biasLambda).toBe(0);
});

test('an unknown name is refused with the names that there are', () => {
  const error = errorOf(() => checkOptions({ rank: 3, regularisation: 1 } as FitOptions));
  expect(error).toMatchObject({ code: 'invalid-option', position: { option: 'regularisation' } });
  for (const name of names) expect((error as Error).message).toContain(name);
  // Names every object has are not options.
  for (const name of ['toString', 'constructor', 'hasOwnProperty'])
    expect(
      errorOf(() => checkOptions({ rank: 3, [name]: 1 } as FitOptions)),
      name,
    ).toMatchObject({ position: { option: name } });
});

test('options that are not plain values pass', () => {
  for (const name of otherOptions)
    expect(errorOf(() => checkOptions({ rank: 3, [name]: undefined } as FitOptions))).toBeUndefined();
});

test('factorize and plan refuse them too', async () => {
  const A = { rows: Uint32Array.of(0), columns: Uint32Array.of(0), values: Float64Array.of(1), shape: [1, 1] as const };
  await expect(factorize(A, { rank: 0 })).rejects.toMatchObject({
    code: 'invalid-option',
    position: { option: 'rank' },
  });
  await expect(factorize(A, {} as FitOptions)).rejects.toMatchObject({
    code: 'invalid-option',
    position: { option: 'rank' },
  });
  await expect(factorize(A, undefined as unknown as FitOptions)).rejects.toMatchObject({ code: 'invalid-option' });
  expect(errorOf(() => plan(A, { rank: 1, threads: 0 }))).toMatchObject({
    code: 'invalid-option',
    position: { option: 'threads' },
  });
});

test('flags are kebab-case', () => {
  expect(flagOf('rank')).toBe('--rank');
  expect(flagOf('maxSweeps')).toBe('--max-sweeps');
  expect(flagOf('biasLambda')).toBe('--bias-lambda');
});

test.each([
  [{ mask: new Float64Array(1) }, 'Did you mean weights?'],
  [{ iterations: 5 }, 'Did you mean maxSweeps?'],
  [{ constructor: 1 }, 'Correct the name'],
  [{ nonnegative: true }, 'Did you mean "both"?'],
])('%j, as other programs have it, is answered with what is meant here', async (given, hint) => {
  const A = { rows: Uint32Array.of(0), columns: Uint32Array.of(0), values: Float64Array.of(1), shape: [1, 1] } as const;
  const failed = factorize(A, { rank: 1, ...given } as never);
  await expect(failed).rejects.toMatchObject({ code: 'invalid-option', remedy: expect.stringContaining(hint) });
});
