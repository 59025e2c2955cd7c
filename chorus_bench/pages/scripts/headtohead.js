/** Two methods side by side: overall, by category, and the samples they disagree on most. */
import { compareCategories, RESAMPLES } from './bootstrap.js';
import { loadMethod, loadSamples } from './data.js';
import { button, chooser, el, isolated } from './dom.js';
import { held, percent, scoreOf, signed, whole } from './format.js';
import { clear, drawIntervals } from './intervals.js';
import { overall } from './matrix.js';
import { legend, loadHeats, loadMasks, overlayCanvas } from './pictures.js';
import { whenSeen } from './print.js';
import { leaders, valueOf } from './rows.js';
import { scroller } from './tables.js';

const MOST = 8;

function verdict(board, key, first, second) {
  const value = valueOf(first, key, '') - valueOf(second, key, '');
  const range = overall(board, key, first, second);
  const strong = (text) => el('strong', {}, text);
  if (!range) return ['Difference ', strong(`${signed(value)} points`), '; no interval is known.'];
  const words = clear(range) ? ['significant: ', el('strong', {}, isolated((range.low > 0 ? first : second).method)), ' is better.']
    : [strong('not significant'), ': the interval includes zero.'];
  return [el('strong', {}, isolated(first.method)), ` ${percent(valueOf(first, key, ''))} against `, el('strong', {}, isolated(second.method)),
    ` ${percent(valueOf(second, key, ''))} ${scoreOf(key).mean}: difference `, strong(`${signed(value)} points`),
    ` (95 % interval ${signed(range.low)} to ${signed(range.high)}), `, ...words];
}

/** All counted samples, those with the largest differences first. */
function disagreements(samples, first, second, hoa) {
  const counted = hoa ? samples.counted_hoa : samples.counted;
  return samples.ids
    .map((id, i) => ({ id, i, category: samples.categories[i], difference: first[i] - second[i], scores: [first[i], second[i]] }))
    .filter(({ i }) => counted[i])
    .sort((p, q) => Math.abs(q.difference) - Math.abs(p.difference) || p.i - q.i);
}

/** A cell with a sample under a method, drawn when it is seen. */
function pictureCell(sample, heat, text) {
  const place = el('div', { class: 'overlay-place', style: null });
  place.style.aspectRatio = `${sample.size[1]} / ${sample.size[0]}`;
  whenSeen(place, () => place.replaceChildren(overlayCanvas(sample, heat, text)));
  return el('td', {}, place);
}

function sampleTable(rows, board, methods, caption, pictures) {
  const heads = ['Sample', 'Category', ...methods.map(({ method }) => method), 'Difference', ...(pictures ? methods.map(({ method }) => `Picture: ${held(method)}`) : [])];
  const cells = ({ id }) => pictures && methods.map(({ method }, i) => pictureCell(pictures.masks.get(id), pictures.heats[i].get(id), `${held(method)} on sample ${held(id)}`));
  return scroller(caption, el('table', { class: 'samples' },
    el('caption', {}, el('span', {}, caption)),
    el('thead', {}, el('tr', {}, heads.map((head, i) => el('th', { scope: 'col', class: i > 1 && i < 5 && 'number' }, isolated(head))))),
    el('tbody', {}, rows.map((row) => el('tr', {},
      el('th', { scope: 'row' }, isolated(row.id)), el('td', {}, board.categories[row.category]?.name),
      row.scores.map((score) => el('td', { class: 'number' }, percent(score))),
      el('td', { class: 'number' }, signed(row.difference)), cells(row))))));
}

/** Shows the samples that both methods have pictures of, if there are any. */
async function pictured(place, rows, board, methods) {
  if (!methods.every((method) => method.pictured > 0)) return;
  const [masks, ...heats] = await Promise.all([loadMasks(board.id), ...methods.map(({ slug }) => loadHeats(slug))]);
  const both = rows.filter(({ id }) => masks.has(id) && heats.every((heat) => heat.has(id)));
  if (!both.length) return;
  place.replaceChildren(legend(), sampleTable(both.slice(0, MOST), board, methods,
    `Of the ${both.length} samples that are kept with pictures for both methods, those on which the two disagree most; scores in percent.`, { masks, heats }));
}

async function fill(place, board, state, methods) {
  const { key, name } = scoreOf(state.score);
  const hoa = name.includes('hoa');
  const [samples, ...data] = await Promise.all([loadSamples(board.id), ...methods.map(({ slug }) => loadMethod(slug))]);
  const [first, second] = data.map(({ scores }) => scores[name]);
  const rows = compareCategories(samples, first, second, board.categories.map((category) => category.name), hoa);
  rows.sort((p, q) => q.value - p.value);
  const chart = el('div', { class: 'chart-place' });
  const shown = el('div', {});
  const disputed = disagreements(samples, first, second, hoa);
  place.replaceChildren(el('p', { class: 'summary' }, verdict(board, key, ...methods)), chart,
    el('p', { class: 'note' }, `Dots are differences in points, lines 95 % intervals of a paired bootstrap (${RESAMPLES.toLocaleString('en-US')} resamples, seeded, computed in this browser); hollow where the interval includes zero. No correction for looking at several categories.`),
    shown, el('details', { class: 'all-samples' }, el('summary', {}, `The largest differences of all ${whole(disputed.length)} samples`),
      sampleTable(disputed.slice(0, MOST), board, methods, `Of all ${whole(disputed.length)} samples, those on which the two disagree most; scores in percent.`)));
  drawIntervals(chart, {
    rows, difference: true, title: `${scoreOf(key).single} by category: ${held(methods[0].method)} minus ${held(methods[1].method)}`,
    axis: 'Difference (points)', sides: methods.map(({ method }) => (method.length > 16 ? `${method.slice(0, 15)}\u2026` : method)).reverse().map((text) => `${held(text)} better`),
  });
  await pictured(shown, disputed, board, methods);
  place.dataset.pair = methods.map(({ slug }) => slug).join('|');
}

/**
 * Draws the comparison into an element, whose content is replaced.
 * @param {HTMLElement} element
 * @param {object} board
 * @param {object} state `a` and `b` are the methods' slugs
 * @param {function(object)} change called with what the reader chose
 */
export function drawHeadToHead(element, board, state, change) {
  const able = board.methods.filter((method) => method.has_scores && valueOf(method, state.score, '') !== null);
  if (able.length < 2) {
    element.replaceChildren(el('p', {}, 'A comparison needs two methods with per-sample scores; this board has fewer.'));
    return;
  }
  const best = leaders({ methods: able }, state.score, able.length).sort((a, b) => a.sees_truth - b.sees_truth);
  const find = (slug, fallback) => able.find((method) => method.slug === slug) ?? fallback;
  const first = find(state.a, best.find(({ slug }) => slug !== state.b));
  const second = find(state.b, best.find(({ slug }) => slug !== first.slug));
  const options = best.map(({ slug, method }) => [slug, method]);
  const place = el('div', { class: 'comparison', 'aria-live': 'polite' }, el('p', { class: 'note' }, 'Reading the scores\u2026'));
  element.replaceChildren(el('div', { class: 'controls' },
    chooser('First method', options, first.slug, (a) => change({ a })).node,
    chooser('Second method', options, second.slug, (b) => change({ b })).node,
    button('swap', () => change({ a: second.slug, b: first.slug }), {}, 'Swap')), place);
  fill(place, board, state, [first, second]).catch((error) => place.replaceChildren(el('p', { class: 'warning' }, error.message)));
}
