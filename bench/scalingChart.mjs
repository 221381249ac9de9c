/** How the cost of a sweep grows: docs/scaling.svg, from bench/results/scaling.json. */
import { across, below, beside, colors, curve, floor, heading, panel, sheet, upwards } from './chart.mjs';

/** A case keeps its colour from panel to panel. */
const colorOf = { als: colors[0], background: colors[1], 'block-als': colors[2], sgd: colors[3] };
const nameOf = (method) => (method === 'background' ? 'als, background' : method);

/** @param results of bench/results/scaling.json. */
export function draw({ nnz, rank, schedule }) {
  const bySize = (row) => row.observed;
  const k64 = nnz.filter((row) => row.rank === 64);
  return sheet('Processor seconds of a sweep by entries and rank, and efficiency by threads', [
    costPanel(
      'Processor seconds a sweep by entries, k = 64',
      k64,
      bySize,
      (n) => `10${superscript(Math.log10(n))}`,
      10,
    ),
    costPanel('Processor seconds a sweep by k, 1 M entries', rank, (row) => row.rank, String, 2),
    ...['1e6', '1e7'].map((set) =>
      efficiencyPanel(
        `Efficiency by threads, ${set === '1e6' ? 1 : 10} M entries`,
        schedule.filter((row) => row.set === set && !(row.method === 'als' && row.rank === 16)),
      ),
    ),
  ]);
}

const superscript = (n) => [...String(n)].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[digit]).join('');

/** Measured with dots, what the kernels alone take dashed; both axes are logarithms. */
function costPanel(title, rows, positionOf, label, base) {
  const positions = rows.map(positionOf);
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
  const lines = [...new Set(rows.map(({ method }) => method))].map((method, i) => {
    const mine = rows.filter((row) => row.method === method).sort((a, b) => positionOf(a) - positionOf(b));
    const place = (secondsOf) =>
      mine.map((row) => [across(share(positionOf(row), width)), upwards(share(secondsOf(row), height))]);
    const measured = place(measuredOf);
    return [
      curve(measured, colorOf[method]),
      ...measured.map(
        ([x, y]) => `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="2.5" fill="${colorOf[method]}"/>`,
      ),
      curve(place(paperOf), colorOf[method], 'stroke-width="1" stroke-dasharray="3 3"'),
      legend(i, method),
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
  const lines = rows.map(({ method, rank, predicted }, i) => {
    const counts = Object.keys(predicted).map(Number);
    const place = (threads) => Math.log2(threads) / Math.log2(counts.at(-1));
    const points = counts.map((threads) => [across(place(threads)), upwards(predicted[threads].efficiency)]);
    return `${curve(points, colorOf[method])}\n${legend(i, `${nameOf(method)}, k = ${rank}`, colorOf[method], upwards(0) - 12 * rows.length)}`;
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

const legend = (i, method, color = colorOf[method], top = panel.top) =>
  `<text x="${panel.left + 6}" y="${top + 12 * i + 4}" fill="${color}">${nameOf(method)}</text>`;
