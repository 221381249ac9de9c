/** What the charts of docs/ are made of: panels side by side, in colours that are read on light and on dark ground. */

export const ink = '#7a7f87';
export const colors = ['#1f7ae0', '#d4581c', '#8f5cf0', '#12907f', '#b7791f', '#d6408a', '#5f8f1f', '#7a7f87'];
export const panel = { width: 340, height: 220, left: 52, right: 18, top: 34, bottom: 36 };

/** @param panels drawn in their own coordinates; two stand side by side. */
export function sheet(title, panels) {
  const across = 2;
  const [width, height] = [across * panel.width, Math.ceil(panels.length / across) * panel.height];
  const placed = panels.map(
    (drawn, i) =>
      `<g transform="translate(${(i % across) * panel.width},${Math.floor(i / across) * panel.height})">${drawn}</g>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="11" fill="${ink}">
<title>${title}</title>
${placed.join('\n')}
</svg>
`;
}

/** From a value's place between two others to one in the panel, in x and in y. */
export const across = (share) => panel.left + share * (panel.width - panel.left - panel.right);
export const upwards = (share) => panel.height - panel.bottom - share * (panel.height - panel.top - panel.bottom);

export const heading = (text) => `<text x="${panel.left}" y="16" font-weight="600">${text}</text>`;

export const floor = () =>
  `<line x1="${across(0)}" x2="${across(1)}" y1="${upwards(0)}" y2="${upwards(0)}" stroke="#8886"/>`;

export const below = (share, text) =>
  `<text x="${across(share)}" y="${panel.height - 20}" text-anchor="middle">${text}</text>`;

export const beside = (share, text) =>
  `<text x="${panel.left - 6}" y="${upwards(share) + 4}" text-anchor="end">${text}</text>`;

/** @param points [x, y] of the panel. @param look more attributes. */
export function curve(points, color, look = 'stroke-width="1.5"') {
  const path = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');
  return `<polyline fill="none" stroke="${color}" ${look} points="${path}"/>`;
}
