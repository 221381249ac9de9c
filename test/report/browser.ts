/** A headless Chromium for tests of pages: HADAMARD_CHROMIUM, or /usr/bin/chromium. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const executablePath = process.env.HADAMARD_CHROMIUM ?? '/usr/bin/chromium';

export const hasChromium: boolean = existsSync(executablePath);

/** A name for a test that says why it may be skipped. */
export const needsChromium = (what: string): string =>
  hasChromium ? what : `${what} (skipped: no ${executablePath}; set HADAMARD_CHROMIUM)`;

/** Without a sandbox, which containers do not allow; it is shown nothing but pages made here. */
export const openBrowser = (): Promise<Browser> => chromium.launch({ executablePath, args: ['--no-sandbox'] });

export interface Shown {
  readonly page: Page;
  /** Errors of the console and of scripts, and requests to anywhere but the page itself. */
  readonly complaints: string[];
}

/** Shows HTML as a file in a context of its own. */
export async function show(browser: Browser, html: string, options: BrowserContextOptions = {}): Promise<Shown> {
  const folder = mkdtempSync(join(tmpdir(), 'hadamard-page-'));
  const file = join(folder, 'page.html');
  writeFileSync(file, html);
  const context = await browser.newContext({ viewport: { width: 1000, height: 800 }, ...options });
  const page = await context.newPage();
  const own = pathToFileURL(file).href;
  const complaints = listenTo(page, (url) => url === own || url.startsWith('data:'));
  await page.goto(own);
  page.on('close', () => rmSync(folder, { recursive: true, force: true }));
  return { page, complaints };
}

export function listenTo(page: Page, isOwn: (url: string) => boolean): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!isOwn(request.url())) complaints.push(`request to ${request.url()}`);
  });
  return complaints;
}
