/** How the cost of a sweep grows: docs/scaling.svg, from bench/results/scaling.json. */
import { across, below, beside, colors, curve, floor, heading, panel, sheet, upwards } from './chart.mjs';

/** A method keeps its colour from panel to panel. */
const shades = { als: colors[0], background: colors[1], 'block-als': colors[2], sgd: colors[3] };
const colorOf = ({ method, rank }, isRankTold) => (isRankTold && rank === 16 ? colors[4] : shades[method]);
const nameOf = ({ method, rank }, isRankTold) =>
  `${method === 'background' ? 'als, background' : method}${isRankTold ? `, k = ${rank}` : ''}`;

/** @param results of bench/results/scaling.json. */
export function draw({ nnz, rank, threads }) {
  return sheet('Processor seconds of a sweep by entries and rank, and efficiency by threads', [
    costPanel(
      'Processor seconds a sweep by entries',
      nnz,
      'observed',
      true,
      10,
      (n) => `10${superscript(Math.log10(n))}`,
    ),
    costPanel('Processor seconds a sweep by k, 1 M entries', rank, 'rank', false, 2, String),
    ...['1e6', '1e7'].map((set) =>
      efficiencyPanel(
        `Efficiency by threads, ${set === '1e6' ? 1 : 10} M entries`,
        threads.filter((row) => row.set === set),
      ),
    ),
  ]);
}

const superscript = (n) => [...String(n)].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[digit]).join('');

/** Measured with dots, what the kernels alone take dashed; both axes are logarithms. */
function costPanel(title, rows, abscissa, isRankTold, base, label) {
  const positions = rows.map((row) => row[abscissa]);
  const measuredOf = (row) => row.seconds.processor;
  const paperOf = (row) => row.paper.kernelSeconds;
  const seconds = rows.flatMap((row) => [measuredOf(row), paperOf(row)]);
  const share = (value, [low, high]) => Math.log(value / low) / Math.log(high / low);
  const ends = (values, step) => [
    step ** Math.floor(Math.log(Math.min(...values)) / Math.log(step) + 1e-9),
    step ** Math.ceil(Math.log(Math.max(...values)) / Math.log(step) - 1e-9),
  ];
  const width = [Math.min(...positions), Math.max(...positions)];
  const height = ends(seconds, 10);
  const names = [...new Set(rows.map((row) => nameOf(row, isRankTold)))];
  const lines = names.map((name, i) => {
    const mine = rows.filter((row) => nameOf(row, isRankTold) === name).sort((a, b) => a[abscissa] - b[abscissa]);
    const color = colorOf(mine[0], isRankTold);
    const place = (secondsOf) =>
      mine.map((row) => [across(share(row[abscissa], width)), upwards(share(secondsOf(row), height))]);
    const measured = place(measuredOf);
    return [
      curve(measured, color),
      ...measured.map(([x, y]) => `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="2.5" fill="${color}"/>`),
      curve(place(paperOf), color, 'stroke-width="1" stroke-dasharray="3 3"'),
      legend(panel.top + 12 * i, name, color),
    ].join('\n');
  });
  return [
    heading(title),
    floor(),
    ...powers(width, base, below, label, share),
    ...powers(height, 10, beside, String, share),
    ...lines,
  ].join('\n');
}

function powers(ends, base, place, label, share) {
  const drawn = [];
  for (let n = Math.ceil(Math.log(ends[0]) / Math.log(base) - 1e-9); base ** n <= ends[1] * (1 + 1e-9); n++) {
    const value = Number((base ** n).toPrecision(12));
    drawn.push(place(share(value, ends), label(value)));
  }
  return drawn;
}

function efficiencyPanel(title, rows) {
  const lines = rows.map((row, i) => {
    const points = Object.entries(row.predicted).map(([threads, { efficiency }]) => [
      across(Math.log2(threads) / Math.log2(128)),
      upwards(efficiency),
    ]);
    const color = colorOf(row, true);
    return `${curve(points, color)}\n${legend(upwards(0) - 12 * (rows.length - i), nameOf(row, true), color)}`;
  });
  const counts = Object.keys(rows[0]?.predicted ?? {}).map(Number);
  return [
    heading(title),
    floor(),
    ...counts.map((threads, i) => below(i / (counts.length - 1), threads)),
    ...[0, 0.5, 1].map((share) => beside(share, `${100 * share} %`)),
    ...lines,
  ].join('\n');
}

const legend = (y, name, color) => `<text x="${panel.left + 6}" y="${y + 4}" fill="${color}">${name}</text>`;
