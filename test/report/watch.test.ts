import { existsSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { openWatch, type Watch } from '../../dist/src/cli/watch.js';
import { failureOf, noise, npy, run, start, temporaryFolder } from '../cli/run.js';
import { hasChromium, listenTo, needsChromium, openBrowser } from './browser.js';

const folder = temporaryFolder();
afterAll(folder.remove);
writeFileSync(join(folder.path, 'noise.npy'), npy(noise(400 * 300, 5), 400, 300));

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

function ask(url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers, method, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    asked.on('error', reject).end();
  });
}

interface News {
  readonly texts: Record<string, string>;
  readonly share: number;
  readonly isWhole: boolean;
  readonly course: { sweep: number[]; objective: number[]; gradient: (number | null)[] };
}

/** The events that come from a watch; `ended` resolves when the server has closed the connection. */
function follow(url: string): {
  events: [string, unknown][];
  ended: Promise<void>;
  until: (event: string) => Promise<void>;
} {
  const events: [string, unknown][] = [];
  let waiting: (() => void)[] = [];
  const ended = new Promise<void>((resolve) => {
    const asked = request(`${url}events`, { agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          const [, event = '', data = ''] = /event: (\w+)\ndata: (.*)/.exec(text.slice(0, end)) ?? [];
          events.push([event, JSON.parse(data)]);
          text = text.slice(end + 2);
        }
        const called = waiting;
        waiting = [];
        for (const look of called) look();
      });
      response.on('close', resolve);
    });
    asked.on('error', () => resolve());
    asked.end();
  });
  const until = async (event: string) => {
    while (!events.some(([name]) => name === event)) await new Promise<void>((resolve) => waiting.push(resolve));
  };
  return { events, ended, until };
}

const progress = (sweep: number) => ({
  phase: 'sweep' as const,
  sweep,
  maxSweeps: 10_000,
  objective: 1000 / sweep,
  relativeGradientNorm: sweep === 1 ? null : 1 / sweep,
  seconds: sweep / 10,
  observationsPerSecond: 1e6,
});

describe('a watch', () => {
  let watch: Watch;
  const open = async () => {
    watch = await openWatch({
      port: 0,
      source: '<b>A</b>.csv',
      rank: 3,
      tolerance: 1e-4,
      timeLimit: undefined,
      isHeldOut: false,
    });
    return watch.url;
  };
  afterEach(() => watch.close().catch(() => undefined));

  test('shows its page to who has the token, at this machine’s own names', async () => {
    const url = await open();
    const { port, pathname } = new URL(url);
    expect(pathname).toMatch(/^\/[\w-]{32}\/$/);
    const page = await ask(url);
    expect(page.status).toBe(200);
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    expect(page.body).toContain("connect-src 'self'");
    expect(page.body).not.toContain('<b>A</b>.csv');
    const origin = `http://127.0.0.1:${port}`;
    const wrong = `${pathname.slice(1, -2)}${pathname.at(-2) === 'A' ? 'B' : 'A'}`;
    for (const path of [
      '/',
      '/events',
      '/favicon.ico',
      `/${wrong}/`,
      `/${wrong}/events`,
      pathname.slice(0, -1),
      `${pathname}x`,
      `${pathname}events/x`,
      `/x${pathname}`,
    ])
      expect((await ask(origin + path)).status, path).toBe(404);
    expect((await ask(url, { host: `localhost:${port}` })).status).toBe(200);
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', 'localhost.evil'])
      expect((await ask(url, { host })).status, host).toBe(403);
    expect((await ask(url, {}, 'POST')).status).toBe(405);
  });

  test('shows the error on held-out entries where there are any', async () => {
    const url = await open();
    expect(await (await fetch(url)).text()).not.toContain('live-validation');
    await watch.close();
    watch = await openWatch({ port: 0, source: 'A', rank: 3, tolerance: 1e-4, timeLimit: undefined, isHeldOut: true });
    const page = await (await fetch(watch.url)).text();
    expect(page).toContain('<dt>RMSE held out</dt><dd id="live-validation">–</dd>');
    expect(page).toContain('data-course="validation"');
    watch.update({ ...progress(1), validation: { loss: 2, rmse: 0.75 } });
    const { events, until } = follow(watch.url);
    await until('news');
    expect((events[0] as [string, News])[1]).toMatchObject({
      texts: { 'live-validation': '0.75' },
      course: { validation: [0.75] },
    });
  });

  test('has another token each time', async () => {
    const first = new URL(await open()).pathname;
    await watch.close();
    expect(new URL(await open()).pathname).not.toBe(first);
  });

  test('sends the whole way at first, then what is new', async () => {
    const url = await open();
    watch.update(progress(1));
    watch.update(progress(2));
    const { events, until } = follow(url);
    await until('news');
    const [, first] = events[0] as [string, News];
    expect(first).toMatchObject({
      isWhole: true,
      course: { sweep: [1, 2], objective: [1000, 500], gradient: [null, 0.5] },
    });
    expect(first.texts).toMatchObject({
      'live-phase': 'fitting',
      'live-sweep': '2 of 10000',
      'live-objective': '500',
      'live-gradient': '5.0e-1',
    });
    expect(first.share).toBeCloseTo(2e-4, 12);
    // What came before the first frame is sent once more with it, at most.
    await setTimeout(400);
    const before = events.length;
    watch.update(progress(3));
    watch.stage('writing the report');
    while (events.length === before) await setTimeout(20);
    const [, next] = events[before] as [string, News];
    expect(next).toMatchObject({
      isWhole: false,
      course: { sweep: [3] },
      texts: { 'live-phase': 'writing the report' },
    });
  });

  test('keeps a long way short', async () => {
    const url = await open();
    for (let sweep = 1; sweep <= 10_000; sweep++) watch.update(progress(sweep));
    const { events, until } = follow(url);
    await until('news');
    const { course } = (events[0] as [string, News])[1];
    expect(course.sweep.length).toBeLessThanOrEqual(1000);
    expect(course.sweep.length).toBeGreaterThan(300);
    expect(course.sweep[0]).toBe(1);
    expect([...course.sweep].sort((a, b) => a - b)).toEqual(course.sweep);
  });

  test('gives the report to who watches, then is gone with all its connections', async () => {
    const url = await open();
    const { events, until, ended } = follow(url);
    await until('news');
    const finished = watch.finish('<!doctype html>the report');
    await until('done');
    expect((await ask(url)).body).toBe('<!doctype html>the report');
    await finished;
    await watch.close();
    await ended;
    expect(events.at(-1)?.[0]).toBe('done');
    await expect(ask(url)).rejects.toThrow(/ECONNREFUSED/);
  });

  test('waits for nobody when nobody watches', async () => {
    const url = await open();
    await ask(url);
    await watch.finish('');
    await watch.close();
    await expect(ask(url)).rejects.toThrow(/ECONNREFUSED/);
  });

  test('says when its port is taken', async () => {
    const port = Number(new URL(await open()).port);
    const again = openWatch({
      port,
      source: 'A',
      rank: 1,
      tolerance: undefined,
      timeLimit: undefined,
      isHeldOut: false,
    });
    await expect(again).rejects.toMatchObject({ code: 'invalid-option', position: { option: 'watch' } });
  });
});

describe('hadamard fit --watch', () => {
  test('serves while it fits and ends with the fit, whoever is connected', async () => {
    const {
      shown,
      ended,
      process: child,
    } = start(
      ['fit', 'noise.npy', '--rank', '40', '--tolerance', '0', '--max-sweeps', '4000', '--watch', '--out', 'watched'],
      folder.path,
    );
    onTestFinished(() => void child.kill('SIGKILL'));
    let told = '';
    child.stderr?.on('data', (chunk) => (told += chunk));
    await shown(/Watch the fit at http:\S+\/\n/);
    const url = /http:\S+/.exec(told)?.[0] as string;
    const { events, until, ended: gone } = follow(url);
    const grows = async () => {
      for (;;) {
        const sweeps = events.flatMap(([name, data]) => (name === 'news' ? (data as News).course.sweep : []));
        if (new Set(sweeps).size > 2) return;
        await setTimeout(20);
      }
    };
    await grows();
    child.kill('SIGINT');
    await until('done');
    expect((await ask(url)).body).toContain('this is the model so far');
    expect((await ended).code).toBe(130);
    await gone;
    expect(existsSync(join(folder.path, 'watched', 'model.json'))).toBe(true);
    await expect(ask(url)).rejects.toThrow(/ECONNREFUSED/);
  });

  test('refuses what is no port, and stops its server when the input is bad', async () => {
    const wrong = await run(['fit', 'noise.npy', '--rank', '2', '--watch=99999', '--json'], folder.path);
    expect(failureOf(wrong)).toMatchObject({ code: 'invalid-option', position: { option: 'watch' } });
    const missing = await run(['fit', '--watch', 'nowhere.npy', '--rank', '2', '--json', '--quiet'], folder.path);
    expect(missing.code).toBe(2);
    expect(failureOf(missing).code).toBe('not-found');
  });

  test.skipIf(!hasChromium)(needsChromium('is a page that grows, then becomes the report'), async () => {
    const browser = await openBrowser();
    onTestFinished(() => browser.close());
    const {
      shown,
      ended,
      process: child,
    } = start(
      // One thread leaves the browser one, and in f64 without acceleration the fit outlasts the browser's start.
      [
        ...'fit noise.npy --rank 40 --tolerance 0 --max-sweeps 4000 --holdout 0.1 --watch --out shown'.split(' '),
        ...'--threads 1 --dtype f64 --start random --acceleration none'.split(' '),
      ],
      folder.path,
    );
    onTestFinished(() => void child.kill('SIGKILL'));
    let told = '';
    child.stderr?.on('data', (chunk) => (told += chunk));
    await shown(/Watch the fit at http:\S+\/\n/);
    const url = /http:\S+/.exec(told)?.[0] as string;
    const page = await browser.newPage();
    const complaints = listenTo(
      page,
      (asked) => asked === url || asked === `${url}events` || asked.startsWith('data:'),
    );
    await page.goto(url);
    // Lines of more than three points.
    for (const part of ['objective', 'gradient', 'validation']) {
      const line = page.locator(`[data-course=${part}] .line`);
      while (((await line.getAttribute('d')) ?? '').split('L').length <= 3) await setTimeout(20);
    }
    expect(await page.locator('#live-sweep').innerText()).toMatch(/^\d+ of 4000$/);
    child.kill('SIGINT');
    await page.waitForSelector('#certificate');
    expect(await page.locator('.status').innerText()).toBe('Cancelled');
    expect((await ended).code).toBe(130);
    // When the server goes, a reader that is still connected is told by the browser.
    expect(complaints.filter((text) => !/ERR_CONNECTION|ERR_INCOMPLETE/.test(text))).toEqual([]);
  });
});
