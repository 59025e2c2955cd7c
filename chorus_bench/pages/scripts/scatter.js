/** PAP against another score or measure: one point a method. */
import { frame, tickText } from './chart.js';
import { el, responsive, still, svg } from './dom.js';
import { held, interval, percent } from './format.js';

const LABELLED = 12;

/** PAP hoa as the upright axis: in the same unit as PAP, so that a diagonal means equality. */
export const HOA = {
  text: 'PAP hoa', name: 'PAP hoa (%)', higher: true, show: percent, tick: tickText,
  alike: 'On the dashed line both scores agree; above it a method does better where the person does not hide the object.',
};

/** Places names beside their points; a name that would cover an earlier one is left out. */
function labels(points, box) {
  const taken = [];
  return points.slice(0, LABELLED).flatMap(({ name, cx, cy, reach }) => {
    const text = name.length > 26 ? `${name.slice(0, 25)}\u2026` : name;
    const width = 7 * text.length;
    const gap = reach + 7;
    const end = cx + gap + width > box.right;
    const place = { left: end ? cx - gap - width : cx + gap, right: end ? cx - gap : cx + gap + width, top: cy - 8, bottom: cy + 8 };
    const hit = taken.some((other) => place.left < other.right && other.left < place.right && place.top < other.bottom && other.top < place.bottom);
    if (hit || place.left < box.left) return [];
    taken.push(place);
    return [svg('text', { class: 'name', x: end ? cx - gap : cx + gap, y: cy + 4, 'text-anchor': end ? 'end' : 'start' }, text)];
  });
}

function pointNode({ x, y, cx, cy, name, href }, other) {
  const text = `${held(name)}: PAP ${percent(x)}, ${other.text} ${other.show(y)}`;
  const node = svg('g', { class: 'point' }, svg('title', {}, text), svg('circle', { cx, cy, r: 5 }));
  return href ? svg('a', { href, 'aria-label': text }, node) : node;
}

/** The range of an axis around some values and their intervals. */
function rangeOf(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = 0.08 * (high - low) || 0.05 * Math.abs(high) || 0.01;
  return [Math.max(0, low - margin), high + margin];
}

function paint(element, { points, title, y: other }, width) {
  const [xValues, yValues] = [points.flatMap(({ x, xs }) => [x, ...(xs ?? [])]), points.flatMap(({ y, ys }) => [y, ...(ys ?? [])])];
  const x = rangeOf(other.alike ? [...xValues, ...yValues] : xValues);
  const y = other.alike ? x : rangeOf(yValues);
  const side = Math.min(width, 620);
  const chart = frame({ width: side, height: Math.round(Math.max(300, side * 0.72)), x, y, xName: 'PAP (%)', yName: other.name, yTick: other.tick, label: title });
  chart.root.setAttribute('role', 'group');
  const placed = points.map((point) => ({
    ...point, cx: chart.xs(point.x), cy: chart.ys(point.y),
    reach: Math.max(5, ...(point.xs ?? []).map((end) => Math.abs(chart.xs(end) - chart.xs(point.x)))),
  }));
  if (other.alike) chart.root.append(svg('line', { class: 'diagonal', x1: chart.xs(x[0]), y1: chart.ys(x[0]), x2: chart.xs(x[1]), y2: chart.ys(x[1]) }));
  for (const { cx, cy, xs, ys } of placed.slice(0, 20)) {
    if (interval(xs)) chart.root.append(svg('line', { class: 'whisker', x1: chart.xs(xs[0]), x2: chart.xs(xs[1]), y1: cy, y2: cy }));
    if (ys) chart.root.append(svg('line', { class: 'whisker', x1: cx, x2: cx, y1: chart.ys(ys[0]), y2: chart.ys(ys[1]) }));
  }
  chart.root.append(...placed.slice().reverse().map((point) => pointNode(point, other)), ...labels(placed, chart.box));
  element.replaceChildren(el('figure', {}, el('figcaption', {}, title), chart.root,
    el('p', { class: 'note' }, `Crosses are 95 % intervals (of the first 20). ${other.alike ?? ''}`)));
}

/**
 * Draws points into an element, whose content is replaced.
 * @param {HTMLElement} element
 * @param {{points: {name: string, x: number, y: number, xs: number[], ys: number[], href: (string|null)}[], title: string,
 *   y: (object|undefined)}} options `y`: what stands upright, PAP hoa unless it is given: its `text`, the `name` of the axis,
 *   `show` and `tick`, which write a value, and `alike`, what equal values mean, where the unit is PAP's
 */
export function drawScatter(element, { points, title, y = HOA }) {
  if (points.length) {
    responsive(element, (width) => paint(element, { points, title, y }, width));
    return;
  }
  still(element);
  element.replaceChildren(el('p', {}, `No method shown has both PAP and ${y.text}.`));
}
