import { inflateSync } from 'node:zlib';
import axe from 'axe-core';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reportHtml } from '../../dist/src/report/report.js';
import { hasChromium, needsChromium, openBrowser, show } from './browser.js';
import { bootstrapped, fitSample, hostile, sampleData, withParts } from './sample.js';

const sample = sampleData(60, 14, true);
let browser: Browser;
let html: string;
let receptor: string;
let uncertain: string;
beforeAll(async () => {
  const weights = { sigma: sample.sigma };
  html = reportHtml(await fitSample(sample), sample.A, { weights });
  const plain = sampleData(30, 12);
  const profiles = await fitSample(plain, { preset: 'pmf' });
  receptor = reportHtml(profiles, plain.A, { weights: { sigma: plain.sigma } });
  uncertain = reportHtml(withParts(profiles, { factorUncertainty: bootstrapped(12) }));
  if (hasChromium) browser = await openBrowser();
});
afterAll(() => browser?.close());

/** How many colours a picture of an element has: a chart that was not drawn has one. */
async function coloursOf(element: Locator): Promise<number> {
  const png = await element.screenshot();
  const width = png.readUInt32BE(16);
  const channels = png[25] === 6 ? 4 : 3;
  const data: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at))
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
      data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  const lines = inflateSync(Buffer.concat(data));
  // Filtered lines: those of one colour are all zeros but for the first pixel.
  const values = new Set<number>();
  const stride = 1 + width * channels;
  for (let at = stride; at < lines.length; at++) if (at % stride > channels) values.add(lines[at] as number);
  return values.size;
}

/** Whether anything reaches beyond the page's own width. */
const overflow = (page: Page) =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth') as Promise<number>;

const openDetails = (page: Page) =>
  page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');

describe.skipIf(!hasChromium).each(['light', 'dark'] as const)(needsChromium('in a %s browser'), (colorScheme) => {
  // What is not a matter of colour is the same in both themes.
  const pages = () => (colorScheme === 'light' ? [html, receptor] : [html]);

  test('all is drawn, without a complaint or a request', async () => {
    for (const text of pages()) await seeDrawn(text);
  });

  const seeDrawn = async (text: string) => {
    const { page, complaints } = await show(browser, text, { colorScheme });
    const plots = await page.locator('.plot').all();
    expect(plots.length).toBeGreaterThanOrEqual(7);
    for (const plot of plots) expect(await coloursOf(plot)).toBeGreaterThan(10);
    for (const image of await page.locator('img.map').all()) expect(await coloursOf(image)).toBeGreaterThan(10);
    const background = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(background).toBe(colorScheme === 'light' ? 'rgb(251, 250, 247)' : 'rgb(21, 24, 28)');
    expect(complaints).toEqual([]);
    await page.context().close();
  };

  test.skipIf(colorScheme === 'dark')('axe finds nothing at all in the uncertainty of profiles', async () => {
    const { page } = await show(browser, uncertain, { bypassCSP: true });
    await openDetails(page);
    expect(await page.locator('#uncertainty table').count()).toBe(3);
    await page.evaluate(axe.source);
    const { violations, passes } = (await page.evaluate('axe.run("#uncertainty")')) as {
      violations: { id: string; nodes: { html: string }[] }[];
      passes: { id: string }[];
    };
    expect(violations.map(({ id, nodes }) => [id, ...nodes.map((node) => node.html)])).toEqual([]);
    expect(passes.map(({ id }) => id)).toContain('empty-table-header');
    await page.context().close();
  });

  test('axe finds nothing serious', async () => {
    // Of the receptor report what is its own.
    const parts = colorScheme === 'light' ? { html: 'document', receptor: '"#factors"' } : { html: 'document' };
    const rules = colorScheme === 'light' ? '{}' : '{ runOnly: ["color-contrast"] }';
    for (const [text, part] of Object.entries(parts)) {
      const { page } = await show(browser, text === 'html' ? html : receptor, { colorScheme, bypassCSP: true });
      await openDetails(page);
      await page.evaluate(axe.source);
      const { violations, passes } = (await page.evaluate(`axe.run(${part}, ${rules})`)) as {
        violations: { id: string; impact: string; nodes: { html: string }[] }[];
        passes: { id: string }[];
      };
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      expect(
        serious.map(
          ({ id, nodes }) =>
            `${id}: ${nodes
              .map((node) => node.html)
              .join(' ')
              .slice(0, 300)}`,
        ),
      ).toEqual([]);
      expect(passes.map(({ id }) => id)).toContain('color-contrast');
      await page.context().close();
    }
  });
});

describe.skipIf(!hasChromium)(needsChromium('a page'), () => {
  test.each([
    ['report', () => html],
    ['receptor report', () => receptor],
  ])('of a %s has no horizontal scroll on a phone', async (_, text) => {
    const { page } = await show(browser, text(), { viewport: { width: 360, height: 740 } });
    await openDetails(page);
    expect(await overflow(page)).toBe(0);
    await page.context().close();
  });

  test('shows labels as text and runs nothing of them', async () => {
    const { page } = await show(browser, html);
    expect(await page.title()).toBe('A, 60 × 14, rank 2');
    const text = (await page.locator('#factors').innerText()) + (await page.locator('#residuals').innerText());
    expect(text).toContain((hostile[0] as string).slice(0, 30));
    await page.context().close();
  });

  test('changes its theme', async () => {
    const { page } = await show(browser, html, { colorScheme: 'light' });
    const button = page.getByRole('button', { name: 'Dark theme' });
    await button.focus();
    await page.keyboard.press('Enter');
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(21, 24, 28)');
    expect(await page.locator('#theme').innerText()).toBe('Light theme');
    await page.context().close();
  });

  test('is reached by the keyboard, and its points are read by arrow keys', async () => {
    const { page } = await show(browser, html);
    const seen: string[] = [];
    for (let step = 0; step < 60; step++) {
      await page.keyboard.press('Tab');
      const name = (await page.evaluate(
        '(document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent).trim()',
      )) as string;
      seen.push(name);
      if (seen.length > 20 && name === 'Skip to the content') break;
    }
    for (const name of [
      'Skip to the content',
      'time',
      'f',
      'log axes',
      'Zoom in',
      'Every option of the fit',
      'Residuals',
    ])
      expect(seen).toContain(name);
    expect(new Set(seen.filter((name) => name.endsWith('arrow keys move from point to point'))).size).toBe(7);

    const map = page.locator('[data-chart="map-columns"]');
    await map.focus();
    await page.keyboard.press('ArrowRight');
    const readout = page.locator('#map figure').first().locator('output');
    expect(await readout.innerText()).toContain((hostile[0] as string).slice(0, 30));
    await page.keyboard.press('End');
    expect(await readout.innerText()).toContain('column 13');
    await page.keyboard.press('Escape');
    expect(await readout.innerText()).toBe('');
    await page.context().close();
  });

  test('names the point under the pointer', async () => {
    const { page } = await show(browser, html);
    const plot = page.locator('[data-chart="spectrum"]');
    await plot.scrollIntoViewIfNeeded();
    const box = (await plot.boundingBox()) as { x: number; y: number; width: number; height: number };
    await page.mouse.move(box.x + box.width * 0.9, box.y + 40);
    expect(await page.locator('#spectrum output').innerText()).toMatch(/^component 2 · singular value \S+$/);
    await page.context().close();
  });

  test('zooms its charts by buttons, by dragging and back', async () => {
    const { page } = await show(browser, html);
    const plot = page.locator('[data-course="objective"]');
    const ticks = () => plot.locator('.tick[text-anchor="middle"]').allTextContents();
    const whole = await ticks();
    await page.getByRole('button', { name: 'Zoom in' }).click();
    const zoomed = await ticks();
    expect(zoomed).not.toEqual(whole);
    await page.getByRole('button', { name: 'all', exact: true }).click();
    expect(await ticks()).toEqual(whole);
    await plot.scrollIntoViewIfNeeded();
    const box = (await plot.boundingBox()) as { x: number; y: number; width: number; height: number };
    await page.mouse.move(box.x + 200, box.y + 80);
    await page.mouse.down();
    await page.mouse.move(box.x + 300, box.y + 90);
    await page.mouse.up();
    expect(await ticks()).not.toEqual(whole);
    await plot.dblclick();
    expect(await ticks()).toEqual(whole);
    await page.getByRole('button', { name: 'time' }).click();
    expect(await plot.locator('.label').last().textContent()).toBe('seconds since the first sweep');
    await page.getByRole('button', { name: 'f', exact: true }).click();
    expect(await plot.locator('.label').first().textContent()).toBe('objective f');
    await page.context().close();
  });

  test('is black on white on paper, without what cannot be pressed there', async () => {
    const { page } = await show(browser, html, { colorScheme: 'dark' });
    await page.emulateMedia({ media: 'print' });
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
    for (const part of await page.locator('nav, .controls, #theme').all()) expect(await part.isVisible()).toBe(false);
    expect((await page.pdf({ format: 'A4' })).length).toBeGreaterThan(20_000);
    await page.context().close();
  });

  test('can be read without its script', async () => {
    const { page } = await show(browser, html, { javaScriptEnabled: false });
    expect(await page.locator('svg.chart').count()).toBe(7);
    expect(await page.locator('.controls').isVisible()).toBe(false);
    await page.context().close();
  });
});
