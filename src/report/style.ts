/** What the page looks like. Colours are named once for both themes: blue and orange, which the colour-blind tell apart. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#fbfaf7, #15181c);
  --panel: light-dark(#ffffff, #1c2026);
  --ink: light-dark(#20242a, #e7e4dd);
  --quiet: light-dark(#59616b, #a3abb5);
  --hair: light-dark(#e4e0d8, #31363d);
  --first: light-dark(#2b5f8f, #82b4e4);
  --second: light-dark(#b0501a, #f0a468);
  --good: light-dark(#20694c, #7cc9a6);
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, "Book Antiqua", Charter, Georgia, serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "Liberation Mono", monospace;
}
:root[data-theme="light"] { color-scheme: light; }
:root[data-theme="dark"] { color-scheme: dark; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 var(--sans); overflow-wrap: anywhere; }
header, main, footer { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2.2rem; }
a { color: var(--first); text-underline-offset: .18em; text-decoration-thickness: .06em; }
:focus-visible { outline: 2px solid var(--first); outline-offset: 2px; border-radius: 3px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--panel); padding: .4rem .8rem; }
.over { display: flex; justify-content: space-between; align-items: center; gap: 1rem; color: var(--quiet); font-size: .85rem; }
h1 { font: 400 clamp(1.75rem, 1.2rem + 2.4vw, 2.6rem)/1.15 var(--serif); margin: .5rem 0 .35rem; letter-spacing: -.01em; text-wrap: balance; }
h2 { font: 400 1.5rem/1.25 var(--serif); margin: 0 0 .5rem; }
h3 { font-size: .95rem; font-weight: 600; margin: 0 0 .5rem; }
p { margin: 0 0 .8rem; max-width: 44rem; }
.lead { color: var(--quiet); font-size: 1.05rem; margin: 0 0 .5rem; }
section { margin: 2.6rem 0; padding-top: 1.5rem; border-top: 1px solid var(--hair); }
nav ul { list-style: none; margin: 1.2rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .1rem 1.15rem; font-size: .9rem; }
nav a { display: inline-block; padding: .3rem 0; }
button { font: inherit; font-size: .85rem; color: var(--ink); background: var(--panel); border: 1px solid var(--hair); border-radius: 6px; padding: .32rem .7rem; cursor: pointer; min-height: 2rem; }
button:hover { border-color: var(--quiet); }
button[aria-pressed="true"] { border-color: var(--first); color: var(--first); box-shadow: inset 0 0 0 1px var(--first); }
.controls { display: flex; flex-wrap: wrap; gap: .4rem .5rem; margin: 0 0 .8rem; align-items: center; }
.controls [role="group"] { display: flex; gap: .35rem; margin-right: .6rem; }
.badge { display: inline-flex; align-items: center; gap: .45rem; font-weight: 600; }
.badge::before { content: ""; width: .72rem; height: .72rem; border-radius: 50%; background: currentColor; }
.status { margin: 0 0 1.1rem; }
.badge.good { color: var(--good); }
.badge.open { color: var(--second); }
.badge.open::before { background: none; border: .17rem solid currentColor; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(9.5rem, 100%), 1fr)); margin: 0; background: var(--panel); border: 1px solid var(--hair); border-radius: 10px; overflow: hidden; }
.figures > div { padding: .8rem .95rem; box-shadow: 1px 0 0 var(--hair), 0 1px 0 var(--hair); }
.figures dt { color: var(--quiet); font-size: .8rem; }
.figures dd { margin: 0; font-size: 1.22rem; font-variant-numeric: tabular-nums; line-height: 1.35; }
.figures dd small { display: block; color: var(--quiet); font-size: .8rem; }
.equation { font: 1.22rem/1.9 var(--serif); margin: 0 0 1rem; padding: .9rem 1.1rem; background: var(--panel); border: 1px solid var(--hair); border-radius: 10px; overflow-wrap: normal; }
.equation .term { display: inline-block; white-space: nowrap; margin-right: .35em; }
.equation sub, .where sub { font-size: .7em; line-height: 0; }
.where b, .where i { font-family: var(--serif); color: var(--ink); }
.equation b { font-weight: 600; }
.where { list-style: none; margin: 0 0 1rem; padding: 0; color: var(--quiet); font-size: .95rem; }
.where li { margin: .2rem 0; }
.facts { margin: 0 0 1rem; display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; font-size: .95rem; }
.facts dd { margin: 0; color: var(--quiet); }
figure { margin: 0 0 1.4rem; background: var(--panel); border: 1px solid var(--hair); border-radius: 10px; padding: .9rem 1rem; min-width: 0; }
figcaption { font-size: .87rem; color: var(--quiet); margin-top: .25rem; max-width: 44rem; }
.plot { position: relative; touch-action: pan-y; border-radius: 4px; min-width: 0; }
.plot + .plot { margin-top: .5rem; }
.readout { display: block; min-height: 1.5em; font-size: .85rem; color: var(--quiet); font-variant-numeric: tabular-nums; }
svg.chart { display: block; width: 100%; height: auto; }
svg text { font: 12px var(--sans); fill: var(--quiet); font-variant-numeric: tabular-nums; }
svg .label { fill: var(--ink); }
svg .note { font-size: 11.5px; paint-order: stroke; stroke: var(--panel); stroke-width: 3px; stroke-linejoin: round; }
svg .grid { stroke: var(--hair); fill: none; }
svg .axis { stroke: var(--quiet); fill: none; opacity: .7; }
svg .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke: var(--first); }
svg .dots { fill: none; stroke-linecap: round; stroke: var(--first); }
svg .fill { fill: var(--first); }
svg .line.second, svg .dots.second { stroke: var(--second); }
svg .line.quiet, svg .dots.quiet { stroke: var(--quiet); }
svg .fill.second { fill: var(--second); }
svg .fill.quiet { fill: var(--quiet); }
svg .rule, svg .cursor path { stroke: var(--quiet); fill: none; stroke-dasharray: 4 4; }
svg .cursor circle { fill: none; stroke: var(--ink); stroke-width: 1.6; }
svg .cursor rect { fill: var(--first); opacity: .13; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(19rem, 100%), 1fr)); gap: 0 1.4rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(21rem, 100%), 1fr)); gap: 1rem; margin-bottom: 1.2rem; }
.cards > div { background: var(--panel); border: 1px solid var(--hair); border-radius: 10px; padding: .85rem 1rem; min-width: 0; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--quiet); font-size: .85rem; padding-bottom: .35rem; }
th { font-weight: 400; text-align: left; padding: .22rem .6rem .22rem 0; vertical-align: top; }
thead th { color: var(--quiet); border-bottom: 1px solid var(--hair); }
td, thead th + th { padding: .22rem 0 .22rem .6rem; vertical-align: top; }
.number { text-align: right; white-space: nowrap; }
table.bars { table-layout: fixed; }
.bars th { width: 44%; hyphens: auto; }
.bars td.bar { width: auto; padding: .22rem 0; vertical-align: middle; }
.bars td.number { width: 4.4rem; }
.bar i { display: block; height: .62rem; min-width: 1px; width: calc(var(--v) * 100%); background: var(--first); border-radius: 0 2px 2px 0; }
.bar.signed i { width: calc(var(--v) * 50%); margin-left: 50%; }
.bar.signed i.negative { margin-left: calc(50% - var(--v) * 50%); background: var(--second); border-radius: 2px 0 0 2px; }
.map { display: block; width: 100%; height: auto; aspect-ratio: 3 / 2; max-height: 26rem; image-rendering: pixelated; border: 1px solid var(--hair); background: var(--paper); }
.scale { display: flex; align-items: center; gap: .6rem; font-size: .8rem; color: var(--quiet); margin-top: .45rem; font-variant-numeric: tabular-nums; }
.scale i { flex: 1; max-width: 16rem; height: .6rem; border: 1px solid var(--hair); }
.scale .signed { background: linear-gradient(90deg, rgb(var(--low)), transparent, rgb(var(--high))); }
.scale .share { background: linear-gradient(90deg, transparent, rgb(var(--low))); }
details { margin: 0 0 1rem; }
figure > details:last-child, .cards details { margin-bottom: 0; }
.bars + .bars { margin-top: .7rem; }
.narrow { max-width: 44rem; margin-bottom: .9rem; }
summary { cursor: pointer; color: var(--first); font-size: .9rem; padding: .3rem 0; }
.scroll { max-height: 22rem; overflow: auto; }
pre { font: .85rem/1.6 var(--mono); background: var(--panel); border: 1px solid var(--hair); border-radius: 10px; padding: .9rem 1rem; margin: 0 0 1rem; white-space: pre-wrap; }
code { font: .9em var(--mono); white-space: nowrap; }
.notes { padding-left: 1.1rem; max-width: 44rem; }
footer { color: var(--quiet); font-size: .85rem; padding-top: 1rem; padding-bottom: 2.5rem; }
progress { display: block; width: 100%; margin: 1rem 0; accent-color: var(--first); }
@media (max-width: 30rem) {
  header, main, footer { padding-left: .9rem; padding-right: .9rem; }
  figure, .cards > div { padding: .7rem .7rem; }
  .equation { font-size: 1.06rem; padding: .7rem .8rem; }
  .facts { grid-template-columns: 1fr; gap: 0; }
  .facts dd { margin-bottom: .4rem; }
}
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
@media print {
  :root, :root[data-theme] { color-scheme: light; --paper: #fff; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { font-size: 10.5pt; }
  header, main, footer { max-width: none; padding: 0; }
  nav, .controls, .skip, .readout, #theme, details:not([open]) { display: none; }
  figure, .cards > div, tr, .figures, .equation { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  section { margin: 1.4rem 0; padding-top: .8rem; }
}
`;
