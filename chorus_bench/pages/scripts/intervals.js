/** A dot-and-interval chart: one row a category. */
import { numbersTable, scale, ticks, tickText } from './chart.js';
import { el, responsive, svg } from './dom.js';
import { held, interval, percent, signed } from './format.js';

const ROW = 26;

function extent(rows, difference) {
  const values = rows.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]);
  const low = Math.min(0, ...values);
  const high = Math.max(difference ? 0.005 : 0.01, ...values);
  const margin = 0.04 * (high - low);
  return [difference ? Math.min(low, -0.005) - margin : 0, high + margin];
}

/** Whether a difference's interval leaves out zero. */
export const clear = ({ low, high }) => low > 0 || high < 0;

function rowOf(row, y, xs, columns, difference) {
  const { value, low, high } = row;
  const hollow = difference && !clear(row);
  const text = difference ? signed(value) : percent(value);
  const node = svg('g', { class: hollow ? 'dot hollow' : 'dot' },
    svg('title', {}, `${held(row.name)}: ${text}${interval([low, high]) && ` (95 % interval ${interval([low, high])})`}`),
    svg('text', { x: columns.name, y: y + 4, 'text-anchor': 'end' }, columns.cut(row.name)),
    interval([low, high]) && svg('line', { x1: xs(low), x2: xs(high), y1: y, y2: y }),
    svg('circle', { cx: xs(value), cy: y, r: 4.5 }),
    svg('text', { class: 'value', x: columns.value, y: y + 4, 'text-anchor': 'end' }, text));
  return row.href ? svg('a', { href: row.href }, node) : node;
}

function paint(element, { rows, title, axis, difference, sides, first }, width) {
  const longest = Math.max(...rows.map(({ name }) => name.length));
  const nameWidth = Math.min(7.2 * longest + 8, width * 0.32);
  const letters = Math.floor(nameWidth / 7);
  const columns = {
    name: nameWidth, value: width - 4,
    cut: (name) => (name.length > letters ? `${name.slice(0, letters - 1)}\u2026` : name),
  };
  const top = sides ? 30 : 10;
  const bottom = top + rows.length * ROW;
  const range = extent(rows, difference);
  const xs = scale(range, [nameWidth + 14, width - 66]);
  const root = svg('svg', { class: 'chart', width, height: bottom + 44, viewBox: `0 0 ${width} ${bottom + 44}`, role: rows.some(({ href }) => href) ? 'group' : 'img', 'aria-label': title });
  for (const value of ticks(...range, width < 460 ? 3 : 6)) {
    root.append(
      svg('line', { class: Math.abs(value) < 1e-9 && difference ? 'zero' : 'grid', x1: xs(value), x2: xs(value), y1: top - 4, y2: bottom }),
      svg('text', { x: xs(value), y: bottom + 16, 'text-anchor': 'middle' }, tickText(value)));
  }
  if (sides) {
    root.append(
      svg('text', { class: 'axis', x: xs(0) - 8, y: 14, 'text-anchor': 'end' }, `\u2190 ${sides[0]}`),
      svg('text', { class: 'axis', x: xs(0) + 8, y: 14 }, `${sides[1]} \u2192`));
  }
  root.append(svg('text', { class: 'axis', x: (nameWidth + width - 52) / 2, y: bottom + 37, 'text-anchor': 'middle' }, axis));
  rows.forEach((row, i) => root.append(rowOf(row, top + (i + 0.5) * ROW, xs, columns, difference)));
  element.replaceChildren(
    el('figure', {}, el('figcaption', {}, title), root),
    numbersTable('The chart as numbers', [first, axis, '95 % interval'], rows.map((row) => [
      row.name, difference ? signed(row.value) : percent(row.value),
      difference ? `${signed(row.low)} to ${signed(row.high)}` : interval([row.low, row.high])])),
  );
}

/**
 * Draws values with intervals into an element, whose content is replaced.
 * @param {HTMLElement} element
 * @param {{rows: {name: string, value: number, low: (number|null), high: (number|null)}[], title: string,
 *   axis: string, difference: boolean, sides: (string[]|undefined), first: (string|undefined)}} options fractions; for
 *   differences the zero line is drawn, dots are hollow where the interval holds zero, and
 *   `sides` says what left and right of zero mean; `first` says what a row is
 */
export function drawIntervals(element, { rows, title, axis, difference = false, sides, first = 'Category' }) {
  const full = { rows, title, axis, difference, sides, first };
  responsive(element, (width) => paint(element, full, width));
}
