import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { equationOf } from '../../dist/src/model/equation.js';
import type { Model } from '../../dist/src/model/model.js';
import { matrix } from '../../dist/src/model/model.js';
import { commandOf } from '../../dist/src/report/account.js';
import { equationHtml } from '../../dist/src/report/equation.js';
import { real } from '../../dist/src/report/format.js';
import { pngDataUrl } from '../../dist/src/report/png.js';
import { reportHtml } from '../../dist/src/report/report.js';
import { sampleModel } from '../model/sample.js';
import { fitSample, hostile, sampleData, withParts } from './sample.js';

const sample = sampleData(40, 12, true);
let model: Model;
let page: string;
beforeAll(async () => {
  model = await fitSample(sample);
  page = reportHtml(model, sample.A, { weights: { sigma: sample.sigma }, source: 'a<b>.csv' });
});

const sectionsOf = (html: string) => [...html.matchAll(/<section id="([\w-]+)"/g)].map(([, id]) => id);

describe('a page', () => {
  test('asks nothing of anyone, and its policy names the one script that it has', () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] as string;
    const scripts = [...page.matchAll(/<script type="module">([\s\S]*?)<\/script>/g)].map(([, text]) => text as string);
    expect(scripts).toHaveLength(1);
    const digest = createHash('sha256')
      .update(scripts[0] as string)
      .digest('base64');
    expect(policy).toBe(
      `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${digest}'; img-src data:; base-uri 'none'; form-action 'none'`,
    );
    expect(/https?:|\/\/[a-z]|@import|url\(/i.exec(page)?.[0]).toBeUndefined();
    expect(/ on\w+="/.exec(page)?.[0]).toBeUndefined();
    expect([...page.matchAll(/ (?:src|href)="([^"#]{0,5})/g)].map(([, start]) => start)).toSatisfy((starts: string[]) =>
      starts.every((start) => start === '' || start === 'data:'),
    );
  });

  test('is the same each time', () => {
    expect(reportHtml(model, sample.A, { weights: { sigma: sample.sigma }, source: 'a<b>.csv' })).toBe(page);
  });

  test('shows labels as text, whatever is in them', () => {
    for (const label of hostile.filter((text) => /[<>&"\n\u202e]/.test(text)))
      expect(page.includes(label), label).toBe(false);
    expect(/[\u2028\u202a-\u202e]/.test(page)).toBe(false);
    // Elements are those that the page itself writes.
    const elements = new Set(
      [...page.replace(/<script[\s\S]*?<\/script>/g, '').matchAll(/<([a-z]\w*)/g)].map(([, name]) => name),
    );
    expect(elements).not.toContain('script');
    expect([...page.matchAll(/<img/g)]).toHaveLength(2);
    const data = JSON.parse(/id="data">([\s\S]*?)<\/script>/.exec(page)?.[1] as string);
    const names = data.charts['map-columns'].marks.at(-1).names as string[];
    expect(names[0]).toBe(hostile[0]);
    expect(names[3]).toBe('line\\nbreak\\u2028here');
    expect(names[4]).toBe('שלום עולם');
  });

  test('has a section for what there is, and none for what there is not', () => {
    const all = ['objective', 'certificate', 'course', 'residuals', 'spectrum', 'factors', 'map', 'machine', 'again'];
    expect(sectionsOf(page)).toEqual(all);
    expect(sectionsOf(reportHtml(model))).toEqual(all.filter((id) => id !== 'residuals'));
    const one = sampleModel({ rank: 1 });
    expect(sectionsOf(reportHtml(one))).toEqual(all.filter((id) => id !== 'residuals' && id !== 'map'));
    const untraced = withParts(one, { fit: { ...one.fit, trace: [] } });
    expect(sectionsOf(reportHtml(untraced))).not.toContain('course');
    expect(reportHtml(one)).not.toContain('The command that made');
    const empty = {
      rows: new Uint32Array(),
      columns: new Uint32Array(),
      values: new Float64Array(),
      shape: [40, 12],
    } as const;
    expect(sectionsOf(reportHtml(model, empty))).not.toContain('residuals');
  });

  test('says how the fit ended', () => {
    const told = (status: string, reason: string) =>
      reportHtml(withParts(model, { fit: { ...model.fit, status, reason } as never }));
    expect(page).toContain('Converged');
    expect(told('stalled', 'objective')).toContain('Stalled');
    expect(told('budget', 'time')).toContain('Out of time');
    expect(told('budget', 'sweeps')).toContain('Stopped at its budget');
    expect(told('cancelled', 'signal')).toContain('this is the model so far');
    expect(told('validated', 'validation')).toContain('held-out entries were predicted no better');
    for (const html of [page, told('stalled', 'objective')]) expect(html).toContain('no other start ends lower');
  });

  test('shows the error on entries that were held out, and that of a test', async () => {
    for (const text of ['<dt>RMSE held out', '<dt>RMSE of the test', 'data-course="validation"'])
      expect(page).not.toContain(text);
    const held = await fitSample(sample, { holdout: 0.2, patience: 2, maxSweeps: 30 });
    const { rmse, entries, sweep } = held.fit.validation as NonNullable<Model['fit']['validation']>;
    const html = reportHtml(held, undefined, { test: { rmse: 0.125, entries: 1 } });
    expect(html).toContain(
      `<dt>RMSE held out</dt><dd>${real(rmse)}<small>${entries} entries, after sweep ${sweep}</small></dd>`,
    );
    expect(html).toContain('<dt>RMSE of the test</dt><dd>0.125<small>1 entry</small></dd>');
    expect(html).toContain('data-course="validation"');
    const { course } = JSON.parse(/id="data">([\s\S]*?)<\/script>/.exec(html)?.[1] as string);
    expect(course.validation).toEqual(
      held.trace.map(({ validation }) => (validation ? Number(validation.rmse.toPrecision(6)) : null)),
    );
  });

  test('refuses data of another shape', () => {
    const code = (A: object) => {
      try {
        reportHtml(model, A as never);
        return undefined;
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(code({ ...sample.A, shape: [41, 12] })).toBe('shape-mismatch');
  });

  test('of preset pmf has profiles, contributions and Q', async () => {
    const pmf = await fitSample(sampleData(), { preset: 'pmf' });
    const html = reportHtml(pmf);
    expect(html).toContain('Profiles and contributions');
    expect(html).toContain('Q(expected)');
    const charts = JSON.parse(/id="data">([\s\S]*?)<\/script>/.exec(html)?.[1] as string).charts;
    expect(charts['contribution-1'].marks[0].y.map((y: number) => y.toPrecision(3))).toEqual(
      Array.from({ length: 40 }, (_, i) => Number(pmf.U.get(i, 1).toPrecision(4)).toPrecision(3)),
    );
    // The shares of a species over the factors make one.
    const total = pmf.V.get(3, 0) + pmf.V.get(3, 1);
    const share = (100 * pmf.V.get(3, 0)) / total;
    expect(html.includes(`column 3</bdi></th><td class="bar"><i style="--v:${(share / 100).toFixed(4)}"></i>`)).toBe(
      true,
    );
  });
});

test('a page of a model for 20 million observations stays small', () => {
  const [m, n, k] = [40_000, 10_000, 16];
  const label = (noun: string) => (_: unknown, i: number) =>
    `${noun} ${i} ${'with a long and <winding> name '.repeat(4)}`;
  const large = sampleModel({
    rows: m,
    columns: n,
    rank: k,
    dtype: 'f32',
    biases: 'both',
    labels: { rows: Array.from({ length: m }, label('row')), columns: Array.from({ length: n }, label('column')) },
  });
  const trace = Array.from({ length: 5000 }, (_, t) => ({
    sweep: t + 1,
    seconds: t / 7,
    objective: 1e7 / (t + 1),
    relativeGradientNorm: 1 / (t + 1) ** 2,
    step: 'plain' as const,
  }));
  const fit = {
    ...large.fit,
    trace,
    observed: 20_000_000,
    threads: 256,
    utilization: new Array(256).fill(0.9),
    inline: false,
  };
  const count = 500_000;
  const A = {
    rows: Uint32Array.from({ length: count }, (_, t) => (t * 7919) % m),
    columns: Uint32Array.from({ length: count }, (_, t) => (t * 104_729) % n),
    values: Float32Array.from({ length: count }, (_, t) => Math.sin(t) + (t % 1000 === 0 ? 50 : 0)),
    shape: [m, n] as const,
  };
  const html = reportHtml(withParts(large, { fit }), A, { duplicates: 'keep' });
  expect(sectionsOf(html)).toHaveLength(9);
  expect(Buffer.byteLength(html)).toBeLessThan(600_000);
});

describe('the equation', () => {
  const typeset = (change: object) => {
    const one = sampleModel({ biases: 'both' });
    const changed = withParts(one, { fit: { ...one.fit, options: { ...one.fit.options, ...change } as never } });
    return { options: changed.fit.options, text: equationHtml(changed).text };
  };
  const plain = (text: string) =>
    text.replace(/<[^>]*>/g, '').replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));

  test.each([
    {},
    { lambdaRows: 1, lambdaColumns: 2, lambdaScale: 'count', nu: 0.5, freeColumns: 2 },
    { background: { weight: 'separable', value: 0 }, l1Rows: 3 },
    { bounds: { rows: [0, null], columns: [0, 1] }, hold: { U: false, V: true } },
    ...['huber:1.5', 'l1:0.1', 'poisson', 'logistic'].map((loss) => ({ loss })),
  ])('is that of the model, letter by letter: %o', (change) => {
    const { options, text } = typeset(change);
    const [objective, prediction, ...meanings] = equationOf(options);
    const letters = (line: string) => line.replace(/[_\s]/g, '');
    const [box = '', list = ''] = text.split('</div>');
    expect(/aria-label="([^"]*)"/.exec(box)?.[1]).toContain(`; ${prediction}`);
    expect(letters(plain(box))).toBe(letters(`${objective}${prediction}`));
    for (const meaning of meanings) expect(letters(plain(list))).toContain(letters(meaning));
  });

  test('has its indices below the line', () => {
    const { text } = typeset({ lambdaRows: 0.1, lambdaScale: 'count', freeColumns: 2 });
    expect(text).toContain('0.1 Σ <i>n</i><sub>i</sub> ‖<b>u</b><sub>i &#62;2</sub>‖²');
    expect(text).toContain('<i>p</i> = mean + <i>b</i><sub>i</sub>');
  });

  test('takes nothing of a model’s file for markup', () => {
    const { text } = typeset({ bounds: { rows: ['<img src=x>', null], columns: [2, '<b>'] }, loss: 'huber:<u>' });
    expect(text).not.toMatch(/<img|≤ <b>|<u>/);
  });

  test('says whether there are weights', () => {
    expect(equationHtml(model).text).toContain('the weights, 1/σ');
    expect(typeset({}).text).toContain('<i>W</i>: 1; 0 where <i>A</i> is unobserved');
  });
});

test('the command is one that a shell takes as it was given', () => {
  const inputs = ["it's $HOME.csv", 'b;c'];
  const options = {
    rank: 4,
    table: true,
    weightsAre: 'sigma',
    out: 'my "model"',
    columns: ['a', 'b c'],
    biasLambda: -1,
  };
  const command = commandOf({ command: 'fit', inputs, options });
  const words = execFileSync('sh', ['-c', `hadamard() { for word; do printf '%s\\0' "$word"; done; }; ${command}`], {
    encoding: 'utf8',
  });
  expect(words.split('\0').slice(0, -1)).toEqual([
    'fit',
    ...inputs,
    '--rank',
    '4',
    '--table',
    '--weights-are',
    'sigma',
    '--out',
    'my "model"',
    '--columns',
    'a,b c',
    '--bias-lambda=-1',
  ]);
});

test('pictures are PNG files', () => {
  const pixels = Uint8Array.from({ length: 3 * 2 * 4 }, (_, t) => t * 10);
  const file = Buffer.from(pngDataUrl(3, 2, pixels).replace('data:image/png;base64,', ''), 'base64');
  expect(file.subarray(1, 4).toString()).toBe('PNG');
  expect([file.readUInt32BE(16), file.readUInt32BE(20)]).toEqual([3, 2]);
  const at = file.indexOf('IDAT');
  const lines = inflateSync(file.subarray(at + 4, at + 4 + file.readUInt32BE(at - 4)));
  expect([...lines]).toEqual([0, ...pixels.subarray(0, 12), 0, ...pixels.subarray(12)]);
});

test('singular values and the map are those of UVᵀ, whatever rotation the factors have', () => {
  // Orthogonal columns: the singular values are products of norms.
  const U = Float64Array.of(3, 0, 0, 0, 0, 2);
  const V = Float64Array.of(0, 1, 4, 0, 0, 0);
  const one = sampleModel({ rows: 3, columns: 3, rank: 2 });
  const html = reportHtml(withParts(one, { U: matrix(U, 3, 2), V: matrix(V, 3, 2) }));
  const { charts } = JSON.parse(/id="data">([\s\S]*?)<\/script>/.exec(html)?.[1] as string);
  expect(charts.spectrum.marks[0].y).toEqual([12, 2]);
  const { x, y } = charts['map-columns'].marks.at(-1);
  expect([x, y]).toEqual([
    [0, 3.464, 0],
    [Number(Math.SQRT2.toPrecision(4)), 0, 0],
  ]);
});
