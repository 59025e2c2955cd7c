/** The view of PAP against PAP hoa, or against a measure in 3D: where they disagree. */
import { numbersTable } from './chart.js';
import { chooser, el, isolated } from './dom.js';
import { NONE, percent } from './format.js';
import space from './namespace.js';
import { pairOf, valueOf } from './rows.js';
import { drawScatter, HOA } from './scatter.js';

const hoa = { ...HOA, key: 'mPAP_hoa', of: (method, category) => valueOf(method, 'mPAP_hoa', category), pair: (method, category) => pairOf(method, 'mPAP_hoa', category) };

/** A measure of `truth.json`; within a category it has no interval. */
function measured({ key, label, factor, digits, higher }) {
  return {
    key, higher, text: label, name: `${label} (${higher ? 'higher' : 'lower'} is better)`,
    show: (value) => (factor * value).toFixed(digits),
    tick: (value) => String(Number((factor * value).toPrecision(4))).replace('-', '\u2212'),
    of: (method, category) => (category ? method.truth?.categories[category] : method.truth?.measures)?.[key] ?? null,
    pair: (method, category) => (category ? null : method.truth?.intervals[key] ?? null),
  };
}

/** What PAP can be drawn against on a board: that which two methods or more have. */
export function othersOf(board) {
  const both = (other) => board.methods.filter((method) => valueOf(method, 'mPAP', '') !== null && other.of(method, '') !== null);
  return [hoa, ...(space.board.measures ?? []).map(measured)].filter((other) => both(other).length > 1);
}

/** The place of each value, the best first; equal ones share a place. */
const places = (values, higher) => values.map((value) => 1 + values.filter((other) => (higher ? other > value : other < value)).length);

/** Says of how many pairs of methods PAP and the other disagree, and on which method most. */
function disagreement(points, { text, higher }) {
  const sign = higher ? 1 : -1;
  const pairs = points.flatMap((a, i) => points.slice(i + 1).map((b) => sign * Math.sign(a.x - b.x) * Math.sign(a.y - b.y))).filter(Boolean);
  const apart = pairs.filter((one) => one < 0).length;
  const out = [`PAP and ${text} put ${pairs.length - apart} of ${pairs.length} pairs of methods in the same order`];
  if (!apart) return [...out, '.'];
  const most = points.reduce((a, b) => (Math.abs(b.byX - b.byY) > Math.abs(a.byX - a.byY) ? b : a));
  return [...out, `, ${apart} in the other. They disagree most on `, el('strong', {}, isolated(most.name)), `: place ${most.byX} by PAP, ${most.byY} by ${text}.`];
}

/**
 * Draws the view into an element, whose content is replaced.
 * @param {HTMLElement} panel
 * @param {object} board
 * @param {object[]} shown its methods that are shown
 * @param {object} state
 * @param {function(object)} change called with what the reader chose
 */
export function drawAgainst(panel, board, shown, { category, against }, change) {
  const others = othersOf(board);
  const other = others.find(({ key }) => key === against) ?? others[0];
  const found = shown.map((method) => ({
    name: method.method, href: method.page, x: valueOf(method, 'mPAP', category), y: other.of(method, category),
    xs: pairOf(method, 'mPAP', category), ys: other.pair(method, category),
  })).filter(({ x, y }) => x !== null && y !== null);
  const [byX, byY] = [places(found.map(({ x }) => x), true), places(found.map(({ y }) => y), other.higher)];
  const points = found.map((point, i) => ({ ...point, byX: byX[i], byY: byY[i] }));
  const place = el('div', { class: 'chart-place' });
  panel.replaceChildren(...[
    others.length > 1 && el('div', { class: 'controls' }, chooser('Against', others.map(({ key, text }) => [key, text]), other.key, (key) => change({ against: key })).node),
    points.length > 1 && el('p', {}, disagreement(points, other)), place,
    points.length > 0 && numbersTable('The chart as numbers', ['Method', 'PAP', 'place', other.text, 'place'],
      points.map(({ name, x, y, byX: first, byY: second }) => [name, percent(x), String(first), other.show(y), String(second)])),
  ].filter(Boolean));
  drawScatter(place, { points, y: other, title: `PAP against ${other.text}, ${category || 'mean over the categories'}, ${points.length || NONE} methods` });
}
