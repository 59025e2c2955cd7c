/** What the charts share: scales, axes, series, and the numbers as a table. */
import { el, isolated, svg } from './dom.js';
import { scroller } from './tables.js';

export const SERIES = 8;

/** A straight scale from values to pixels. */
export function scale([low, high], [from, to]) {
  const factor = (to - from) / (high - low || 1);
  return (value) => from + (value - low) * factor;
}

/** Round steps that cover a range in about `count` parts. */
export function ticks(low, high, count = 5) {
  const rough = (high - low || 1) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
  const out = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i += 1) out.push(i * step);
  return out;
}

/** A percentage for an axis: as many decimals as its steps need. */
export const tickText = (value) => String(Number((100 * value).toFixed(2))).replace('-', '\u2212');

/**
 * An empty chart with gridlines and named axes.
 * @param {{width: number, height: number, x: number[], y: number[], xName: string, yName: string, label: string,
 *   marks: (Array[]|undefined), yTick: (function|undefined)}} options `marks`: places on the x axis and their names,
 *   instead of percentages; `yTick`: writes a value on the y axis, instead of a percentage
 */
export function frame({ width, height, x, y, xName, yName, label, marks, yTick = tickText }) {
  const box = { left: 48, right: width - 14, top: 12, bottom: height - 44 };
  const xs = scale(x, [box.left, box.right]);
  const ys = scale(y, [box.bottom, box.top]);
  const root = svg('svg', { class: 'chart', width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label });
  for (const [value, text] of marks ?? ticks(...x, width < 420 ? 4 : 6).map((tick) => [tick, tickText(tick)])) {
    root.append(
      svg('line', { class: 'grid', x1: xs(value), x2: xs(value), y1: box.top, y2: box.bottom }),
      svg('text', { x: xs(value), y: box.bottom + 17, 'text-anchor': 'middle' }, text),
    );
  }
  for (const value of ticks(...y, 5)) {
    root.append(
      svg('line', { class: 'grid', x1: box.left, x2: box.right, y1: ys(value), y2: ys(value) }),
      svg('text', { x: box.left - 7, y: ys(value) + 4, 'text-anchor': 'end' }, yTick(value)),
    );
  }
  const middle = (box.top + box.bottom) / 2;
  root.append(
    svg('text', { class: 'axis', x: (box.left + box.right) / 2, y: height - 8, 'text-anchor': 'middle' }, xName),
    svg('text', { class: 'axis', transform: `translate(12 ${middle}) rotate(-90)`, 'text-anchor': 'middle' }, yName),
  );
  return { root, xs, ys, box };
}

/** A key: a line sample and a name for each series, in the order of the series. */
export function key(names, extra = () => null) {
  return el('ul', { class: 'key' }, names.map((name, i) => el('li', {},
    svg('svg', { width: 30, height: 10, 'aria-hidden': 'true' },
      svg('line', { class: `series s${i % SERIES}`, x1: 0, x2: 30, y1: 5, y2: 5 })),
    isolated(name), extra(name, i))));
}

/** The numbers of a chart, folded away below it. */
export function numbersTable(summary, heads, rows) {
  return el('details', { class: 'numbers' }, el('summary', {}, summary),
    scroller(summary, el('table', {},
      el('thead', {}, el('tr', {}, heads.map((head, i) => el('th', { scope: 'col', class: i > 0 && 'number' }, head)))),
      el('tbody', {}, rows.map(([first, ...rest]) => el('tr', {},
        el('th', { scope: 'row' }, isolated(first)), rest.map((text) => el('td', { class: 'number' }, text))))))));
}
