/** The page around its sections: one file that asks nothing of anyone, by its own content security policy. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Html, html, json } from './html.js';
import { style } from './style.js';

export interface Section {
  /** Its anchor. */
  readonly id: string;
  readonly title: string;
  readonly body: Html;
}

export interface Page {
  readonly title: string;
  readonly header: Html;
  readonly sections: readonly Section[];
  readonly footer: Html;
  /** What the script draws from. */
  readonly data: unknown;
  /** The page listens to the server that it came from. */
  readonly isLive?: boolean;
}

/** In this order they make one script. */
const scriptFiles = ['chart.js', 'convergence.js', 'page.js'];

/** The browser's part: the compiled files of page/, one after the other, without the imports that tie them together. */
function readScript(): string {
  return scriptFiles
    .map((file) => readFileSync(new URL(`./page/${file}`, import.meta.url), 'utf8'))
    .join('\n')
    .replace(/^import .*$/gm, '')
    .replace(/^export (\{\};)?/gm, '');
}

export function pageHtml({ title, header, sections, footer, data, isLive }: Page): string {
  const script = readScript();
  const policy = [
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    `script-src 'sha256-${createHash('sha256').update(script).digest('base64')}'`,
    'img-src data:',
    ...(isLive ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Html(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<div class="over"><span>hadamard</span><button type="button" id="theme" hidden>Dark</button></div>
${header}
${
  sections.length > 1 &&
  html`<nav aria-label="Sections"><ul>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>`
}
</header>
<main id="main" tabindex="-1">
${sections.map(
  ({ id, title, body }) => html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>
${body}</section>
`,
)}</main>
<footer>${footer}</footer>
<script type="application/json" id="data">${json(data)}</script>
<script type="module">${new Html(script)}</script>
</body>
</html>
`;
  return page.text;
}
