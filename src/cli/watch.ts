/** A fit to look at while it runs: one page on 127.0.0.1, for whoever knows the token in its address. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HadamardError } from '../errors.js';
import type { Progress } from '../factorize/factorizeOptions.js';
import { courseOf } from '../report/course.js';
import { type LiveText, livePage } from '../report/live.js';
import { secondsLeft } from './progress.js';
import { clock, duration, real } from './render.js';

export interface Watch {
  readonly url: string;
  /** What is being done now, where it is not a sweep. */
  stage(text: string): void;
  /** Takes note; what is sent, is sent when the fit lets the event loop turn. */
  update(progress: Progress): void;
  /** Gives the report to the browsers that watch, and waits until they have it, a few seconds at most. */
  finish(page: string): Promise<void>;
  /** Ends the server and every connection. */
  close(): Promise<void>;
}

export interface WatchRequest {
  /** 0 is any that is free. */
  readonly port: number;
  readonly source: string;
  readonly rank: number;
  readonly tolerance: number | undefined;
  readonly timeLimit: number | undefined;
  /** Whether entries are held out. */
  readonly isHeldOut: boolean;
}

const framePause = 250;
const longestGoodbye = 3000;
/** Of the whole way: beyond it every second point is left out. */
const mostPoints = 1000;
/** A browser that does not read is let go. */
const mostUnread = 2 ** 20;

const headers = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "frame-ancestors 'none'",
} as const;

/** @throws HadamardError `invalid-option` where the port is taken. */
export async function openWatch(request: WatchRequest): Promise<Watch> {
  const { source, rank, tolerance = null, timeLimit, isHeldOut } = request;
  const token = randomBytes(24).toString('base64url');
  const course = createCourse(tolerance, isHeldOut);
  const texts: Partial<Record<LiveText, string>> = {};
  const listeners = new Set<ServerResponse>();
  let page = livePage(source, rank, tolerance, isHeldOut);
  let share = 0;
  let isNews = false;
  let delivered: (() => void) | undefined;

  const send = (response: ServerResponse, isWhole: boolean) => {
    const news = { texts, share, isWhole, course: isWhole ? course.whole() : course.fresh() };
    response.write(`event: news\ndata: ${JSON.stringify(news)}\n\n`);
    if (response.writableLength > mostUnread) response.destroy();
  };
  const server = createServer((incoming, response) => {
    const place = placeOf(incoming, token);
    if (typeof place === 'number') {
      response.writeHead(place, headers).end();
      return;
    }
    if (place === 'page') {
      response.on('finish', () => delivered?.());
      response.writeHead(200, { ...headers, 'content-type': 'text/html; charset=utf-8' }).end(page);
      return;
    }
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream' });
    listeners.add(response);
    response.on('close', () => listeners.delete(response));
    send(response, true);
  });
  const timer = setInterval(() => {
    if (!isNews) return;
    isNews = false;
    const isWhole = course.isThinned();
    for (const response of listeners) send(response, isWhole);
    course.taken();
  }, framePause);
  timer.unref();
  await listen(server, request.port);
  const { port } = server.address() as AddressInfo;
  const stages = {
    prepare: 'laying out the data',
    start: 'making a start, rank by rank',
    certify: 'measuring the certificate',
  };
  const stage = (text: string) => {
    texts['live-phase'] = text;
    isNews = true;
  };
  return {
    url: `http://127.0.0.1:${port}/${token}/`,
    stage,
    update(progress) {
      if (progress.phase !== 'sweep') {
        stage(stages[progress.phase]);
        return;
      }
      if (progress.starts) {
        // Many starts have no one course; the report shows that of the best.
        const { done, of, best } = progress.starts;
        stage(`fitting: ${done} of ${of} starts done`);
        share = done / of;
        if (best !== null) texts['live-objective'] = real(best);
        return;
      }
      course.add(progress);
      share = Math.max(progress.sweep / progress.maxSweeps, progress.seconds / (timeLimit ?? Number.POSITIVE_INFINITY));
      const left = secondsLeft(progress, timeLimit);
      Object.assign(texts, {
        'live-phase': 'fitting',
        'live-sweep': `${progress.sweep} of ${progress.maxSweeps}`,
        'live-objective': real(progress.objective),
        'live-gradient': progress.relativeGradientNorm?.toExponential(1) ?? '–',
        ...(progress.validation && { 'live-validation': real(progress.validation.rmse) }),
        'live-time': duration(progress.seconds),
        'live-left': left === undefined ? '–' : clock(left),
      });
      isNews = true;
    },
    async finish(report) {
      page = report;
      let awaited = listeners.size;
      if (awaited === 0) return;
      const all = new Promise<void>((resolve) => {
        delivered = () => {
          if (--awaited === 0) resolve();
        };
      });
      for (const response of listeners) response.write('event: done\ndata: 1\n\n');
      let goodbye: NodeJS.Timeout | undefined;
      await Promise.race([
        all,
        new Promise<void>((resolve) => {
          goodbye = setTimeout(resolve, longestGoodbye);
        }),
      ]);
      clearTimeout(goodbye);
    },
    async close() {
      clearInterval(timer);
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** What a request is for, or the status that refuses it: pages of other hosts may not ask, nor may who has no token. */
function placeOf({ method, headers, url = '' }: IncomingMessage, token: string): 'page' | 'events' | number {
  // A name that was made to point at this machine is another host to the browser.
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(headers.host ?? '')) return 403;
  if (method !== 'GET') return 405;
  const [, given = '', place] = url.split('/', 3);
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  if (a.length !== b.length || !timingSafeEqual(a, b)) return 404;
  if (url === `/${token}/`) return 'page';
  return place === 'events' && url === `/${token}/events` ? 'events' : 404;
}

async function listen(server: ReturnType<typeof createServer>, port: number): Promise<void> {
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  } catch (error) {
    throw new HadamardError(
      {
        code: 'invalid-option',
        what: `watch cannot use port ${port}: ${(error as Error).message}.`,
        position: { option: 'watch' },
        rule: 'The page is served on a port of 127.0.0.1 that nothing else uses.',
        remedy: 'Give another port, or none for any that is free.',
      },
      { cause: error },
    );
  }
}

/** The way of the fit so far, thinned as it grows, and what of it was not sent yet. */
function createCourse(tolerance: number | null, isHeldOut: boolean) {
  let kept: Progress[] = [];
  let sent = 0;
  let step = 1;
  let hasThinned = false;
  return {
    add(progress: Progress) {
      if (progress.sweep % step !== 0 && kept.length > 0) return;
      kept.push(progress);
      if (kept.length <= mostPoints) return;
      kept = kept.filter((_, i) => i % 2 === 0);
      step *= 2;
      hasThinned = true;
    },
    whole: () => courseOf(kept, tolerance, isHeldOut),
    fresh: () => courseOf(kept.slice(sent), tolerance, isHeldOut),
    isThinned: () => hasThinned,
    taken() {
      sent = kept.length;
      hasThinned = false;
    },
  };
}
