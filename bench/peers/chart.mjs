/** Held-out error against seconds of fitting, a panel for each set and rank: docs/peers.svg. */

import { across, below, beside, colors, curve, floor, heading, panel, sheet, upwards } from '../chart.mjs';

const [ourColor, ...theirColors] = colors;

const titleOf = ({ set, k, kind, objective }) => `${set}, k = ${k}${kind === 'implicit' ? `, f of ${objective}` : ''}`;

/** @param results rows of bench/results/peers.json. */
export function draw(results) {
  const inOrder = [...results].sort((a, b) => a.set.localeCompare(b.set) || a.k - b.k);
  const titles = [...new Set(inOrder.map(titleOf))];
  return sheet(
    'Held-out error against seconds of fitting, log scale',
    titles.map((title) =>
      drawPanel(
        title,
        results.filter((row) => titleOf(row) === title),
      ),
    ),
  );
}

function drawPanel(title, rows) {
  const [first] = rows;
  const curves = [
    ...rows.map(({ peer, curve }, i) => ({ name: peer, curve, color: theirColors[i % theirColors.length] })),
    { name: 'hadamard', curve: rows.at(-1).ours, color: ourColor },
  ];
  const points = curves.flatMap(({ curve }) => curve).filter(({ value }) => value !== null);
  const seconds = points.map((point) => point.seconds).filter((s) => s > 0);
  const values = points.map(({ value }) => value).sort((a, b) => a - b);
  const [fastest, slowest] = [Math.log(Math.min(...seconds)), Math.log(Math.max(...seconds))];
  const isError = first.kind === 'explicit';
  // The first steps of a fit are far off: what is worth seeing is the better three quarters.
  const [low, high] = isError
    ? [values[0], values[Math.floor(0.75 * (values.length - 1))]]
    : [values[Math.floor(0.25 * (values.length - 1))], values.at(-1)];
  const shareOf = (s) => (Math.log(s) - fastest) / (slowest - fastest || 1);
  const y = (v) => upwards(Math.min(1, Math.max(0, (v - low) / (high - low || 1))));
  // Curves begin badly: an error at the top on the left, a gain at the bottom.
  const legend = isError ? panel.height - panel.bottom - 12 * curves.length : panel.top - 4;
  const lines = curves.map(({ name, curve: way, color }, i) => {
    const drawn = curve(
      way.filter(({ value }) => value !== null).map((point) => [across(shareOf(point.seconds)), y(point.value)]),
      color,
      `stroke-width="${name === 'hadamard' ? 2.5 : 1.5}"`,
    );
    return `${drawn}
<text x="${panel.left + 6}" y="${legend + 12 * (i + 1)}" fill="${color}">${name}</text>`;
  });
  const tick = (share) => below(share, `${Number(Math.exp(fastest + share * (slowest - fastest)).toPrecision(2))} s`);
  return `${heading(`${title}: ${isError ? 'RMSE' : 'NDCG@10'}`)}
${floor()}
${beside(0, low.toFixed(3))}${beside(1, high.toFixed(3))}
${tick(0)}${tick(0.5)}${tick(1)}
${lines.join('\n')}`;
}
