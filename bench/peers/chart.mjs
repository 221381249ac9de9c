/** Held-out error against seconds of fitting, a panel for each set and rank: docs/peers.svg. */

const panel = { width: 340, height: 220, left: 52, right: 12, top: 34, bottom: 36 };
const colors = ['#c2410c', '#7c3aed', '#0f766e', '#b45309', '#be185d', '#4d7c0f', '#6b7280'];
const ourColor = '#0b6bcb';

const titleOf = ({ set, k }) => `${set}, k = ${k}`;

/** @param results rows of bench/results/peers.json. */
export function draw(results) {
  const titles = [...new Set(results.map(titleOf))];
  const panels = titles.map((title) => [title, results.filter((row) => titleOf(row) === title)]);
  const across = 2;
  const [width, height] = [across * panel.width, Math.ceil(panels.length / across) * panel.height];
  const drawn = panels.map(
    ([title, rows], i) =>
      `<g transform="translate(${(i % across) * panel.width},${Math.floor(i / across) * panel.height})">${drawPanel(title, rows)}</g>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="11" fill="#555">
<title>Held-out error against seconds of fitting, log scale</title>
${drawn.join('\n')}
</svg>
`;
}

function drawPanel(title, rows) {
  const [first] = rows;
  const curves = [
    ...rows.map(({ peer, curve }, i) => ({ name: peer, curve, color: colors[i % colors.length] })),
    { name: 'hadamard', curve: first.ours, color: ourColor },
  ];
  const points = curves.flatMap(({ curve }) => curve);
  const seconds = points.map((point) => point.seconds).filter((s) => s > 0);
  const values = points.map(({ value }) => value).sort((a, b) => a - b);
  const [fastest, slowest] = [Math.log(Math.min(...seconds)), Math.log(Math.max(...seconds))];
  const isError = first.kind === 'explicit';
  // The first steps of a fit are far off: what is worth seeing is the better three quarters.
  const [low, high] = isError
    ? [values[0], values[Math.floor(0.75 * (values.length - 1))]]
    : [values[Math.floor(0.25 * (values.length - 1))], values.at(-1)];
  const x = (s) =>
    panel.left + ((Math.log(s) - fastest) / (slowest - fastest || 1)) * (panel.width - panel.left - panel.right);
  const y = (v) => {
    const share = Math.min(1, Math.max(0, (v - low) / (high - low || 1)));
    return panel.height - panel.bottom - share * (panel.height - panel.top - panel.bottom);
  };
  const lines = curves.map(({ name, curve, color }, i) => {
    const path = curve.map((point) => `${x(point.seconds).toFixed(1)},${y(point.value).toFixed(1)}`).join(' ');
    const at = panel.top + 12 * i + 4;
    return `<polyline fill="none" stroke="${color}" stroke-width="${name === 'hadamard' ? 2.5 : 1.5}" points="${path}"/>
<text x="${panel.width - panel.right}" y="${at}" text-anchor="end" fill="${color}">${name}</text>`;
  });
  const tick = (s) =>
    `<text x="${x(s)}" y="${panel.height - 20}" text-anchor="middle">${Number(s.toPrecision(2))} s</text>`;
  return `<text x="${panel.left}" y="16" font-weight="600">${title}: ${isError ? 'RMSE' : 'NDCG@10'}</text>
<line x1="${panel.left}" x2="${panel.width - panel.right}" y1="${panel.height - panel.bottom}" y2="${panel.height - panel.bottom}" stroke="#8886"/>
<text x="${panel.left - 6}" y="${y(low)}" text-anchor="end">${low.toFixed(3)}</text><text x="${panel.left - 6}" y="${y(high) + 8}" text-anchor="end">${high.toFixed(3)}</text>
${tick(Math.exp(fastest))}${tick(Math.exp((fastest + slowest) / 2))}${tick(Math.exp(slowest))}
${lines.join('\n')}`;
}
