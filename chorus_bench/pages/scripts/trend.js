/** Scores against the amount of training data, or against the date of the entry. */
import { frame, numbersTable } from './chart.js';
import { chooser, el, responsive, svg } from './dom.js';
import { held, interval, percent, scoreOf } from './format.js';
import { pairOf, valueOf } from './rows.js';

const DAY = 86_400_000;
const shareText = (value) => `${Number((100 * value).toPrecision(3))} %`;
const dateText = (value) => new Date(value * DAY).toISOString().slice(0, 10);

const AXES = {
  share: { text: 'share of the training data', name: 'Share of the training data, logarithmic', of: ({ training_share: share }) => (typeof share === 'number' && share > 0 ? Math.log10(share) : null), tell: (x) => shareText(10 ** x) },
  date: { text: 'date of the entry', name: 'Date of the entry', of: ({ date }) => (date ? Date.parse(date) / DAY : null), tell: dateText },
};

/** The axes on which a board's methods lie at two places or more. */
export function axesOf(board) {
  return Object.keys(AXES).filter((axis) => new Set(board.methods.map(AXES[axis].of).filter(Number.isFinite)).size > 1);
}

/** At most five places of an axis that are named. */
function named(places) {
  const step = Math.ceil(places.length / 5);
  return places.filter((_, i) => i % step === 0);
}

function nodeOf({ name, href, x, y, pair, cx, cy, top, bottom }, tell, right) {
  const text = `${held(name)}: ${percent(y)} %${interval(pair) && ` (${interval(pair)})`}, ${tell(x)}`;
  const end = cx > right - 90;
  const node = svg('g', { class: 'point' }, svg('title', {}, text),
    interval(pair) && svg('line', { class: 'whisker', x1: cx, x2: cx, y1: top, y2: bottom }),
    svg('circle', { cx, cy, r: 5 }),
    svg('text', { class: 'name', x: end ? cx - 9 : cx + 9, y: cy + 4, 'text-anchor': end ? 'end' : 'start' }, name.length > 22 ? `${name.slice(0, 21)}\u2026` : name));
  return href ? svg('a', { href, 'aria-label': text }, node) : node;
}

function paint(element, points, axis, yName, width) {
  const places = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  const margin = 0.12 * (places.at(-1) - places[0]);
  const most = Math.max(0.01, ...points.flatMap(({ y, pair }) => [y, ...(pair ?? [])]));
  const title = `${yName} against the ${axis.text}`;
  const { root, xs, ys, box } = frame({
    width, height: Math.round(Math.min(440, Math.max(300, width * 0.6))), x: [places[0] - margin, places.at(-1) + margin], y: [0, 1.08 * most],
    xName: axis.name, yName: `${yName} (%)`, label: title, marks: named(places).map((place) => [place, axis.tell(place)]),
  });
  root.setAttribute('role', 'group');
  for (const point of points) {
    const [low, high] = point.pair ?? [point.y, point.y];
    root.append(nodeOf({ ...point, cx: xs(point.x), cy: ys(point.y), top: ys(high), bottom: ys(low) }, axis.tell, box.right));
  }
  element.replaceChildren(el('figure', {}, el('figcaption', {}, title), root),
    numbersTable('The chart as numbers', ['Method', axis.text, yName, '95 % interval'],
      points.map(({ name, x, y, pair }) => [name, axis.tell(x), percent(y), interval(pair)])));
}

/**
 * Draws the view into an element, whose content is replaced.
 * @param {HTMLElement} panel
 * @param {object} board methods with `training_share`, a share of what their series was trained on, or a date
 * @param {object} state
 * @param {function(object)} change called with what the reader chose
 */
export function drawTrend(panel, board, state, change) {
  const axes = axesOf(board);
  const chosen = axes.includes(state.axis) ? state.axis : axes[0];
  const { of } = AXES[chosen];
  const points = board.methods.map((method) => ({
    name: method.method, href: method.page, x: of(method), y: valueOf(method, state.score, state.category), pair: pairOf(method, state.score, state.category),
  })).filter(({ x, y }) => Number.isFinite(x) && y !== null);
  const place = el('div', { class: 'chart-place' });
  panel.replaceChildren(axes.length > 1 ? el('div', { class: 'controls' }, chooser('Against', axes.map((axis) => [axis, AXES[axis].text]), chosen, (axis) => change({ axis })).node) : '', place,
    chosen === 'share' ? el('p', { class: 'note' }, 'Only methods that state which share of their training data they used. Lines are 95 % intervals.') : '');
  const score = scoreOf(state.score);
  const name = state.category ? `${score.single} of ${state.category}` : score.mean;
  if (points.length) responsive(place, (width) => paint(place, points, AXES[chosen], name, width));
  else place.replaceChildren(el('p', {}, 'No method has this score.'));
}
