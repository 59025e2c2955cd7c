/** PAP against PAP hoa: one point a method; below the diagonal, what the person hides helped. */
import { frame } from './chart.js';
import { el, responsive, still, svg } from './dom.js';
import { held, interval, percent } from './format.js';

const LABELLED = 6;

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

function pointNode(point) {
  const { x, y, cx, cy, name, href } = point;
  const text = `${held(name)}: PAP ${percent(x)}, PAP hoa ${percent(y)}`;
  const node = svg('g', { class: 'point' }, svg('title', {}, text), svg('circle', { cx, cy, r: 5 }));
  return href ? svg('a', { href, 'aria-label': text }, node) : node;
}

/** One range for both axes, so that the diagonal means equality. */
function rangeOf(points) {
  const ends = points.flatMap(({ x, y, xs, ys }) => [x, y, ...(xs ?? []), ...(ys ?? [])]);
  const [low, high] = [Math.min(...ends), Math.max(0.01, ...ends)];
  const margin = 0.08 * (high - low) + 0.002;
  return [Math.max(0, low - margin), high + margin];
}

function paint(element, { points, title }, width) {
  const range = rangeOf(points);
  const side = Math.min(width, 620);
  const chart = frame({ width: side, height: Math.round(Math.max(300, side * 0.72)), x: range, y: range, xName: 'PAP (%)', yName: 'PAP hoa (%)', label: title });
  chart.root.setAttribute('role', 'group');
  const placed = points.map((point) => ({
    ...point, cx: chart.xs(point.x), cy: chart.ys(point.y),
    reach: Math.max(5, ...(point.xs ?? []).map((end) => Math.abs(chart.xs(end) - chart.xs(point.x)))),
  }));
  chart.root.append(svg('line', { class: 'diagonal', x1: chart.xs(range[0]), y1: chart.ys(range[0]), x2: chart.xs(range[1]), y2: chart.ys(range[1]) }));
  for (const { cx, cy, xs, ys } of placed.slice(0, 20)) {
    if (interval(xs)) chart.root.append(svg('line', { class: 'whisker', x1: chart.xs(xs[0]), x2: chart.xs(xs[1]), y1: cy, y2: cy }));
    if (interval(ys)) chart.root.append(svg('line', { class: 'whisker', x1: cx, x2: cx, y1: chart.ys(ys[0]), y2: chart.ys(ys[1]) }));
  }
  chart.root.append(...placed.slice().reverse().map(pointNode), ...labels(placed, chart.box));
  element.replaceChildren(el('figure', {}, el('figcaption', {}, title), chart.root,
    el('p', { class: 'note' }, 'Crosses are 95 % intervals (of the first 20). On the dashed line both scores agree; above it a method does better where the person does not hide the object. The same numbers stand in the ranking.')));
}

/**
 * Draws points into an element, whose content is replaced.
 * @param {HTMLElement} element
 * @param {{points: {name: string, x: number, y: number, xs: number[], ys: number[], href: (string|null)}[], title: string}} options
 */
export function drawScatter(element, options) {
  if (options.points.length) {
    responsive(element, (width) => paint(element, options, width));
    return;
  }
  still(element);
  element.replaceChildren(el('p', {}, 'No method shown has both scores.'));
}
