/** The sample browser: one sample under every method, beginning with those that the methods disagree on. */
import { loadMethod, loadSamples } from './data.js';
import { button, chooser, el, isolated } from './dom.js';
import { held, percent, scoreOf } from './format.js';
import { legend, loadHeats, loadMasks, overlayCanvas } from './pictures.js';

/** Everything that the browser of a board needs; the samples that all pictured methods have, most disputed first. */
async function load(board, key) {
  const methods = board.methods.filter(({ pictured }) => pictured > 0);
  const [ids, masks, ...rest] = await Promise.all([loadSamples(board.id), loadMasks(board.id),
    ...methods.map(({ slug }) => loadHeats(slug)), ...methods.map(({ slug }) => loadMethod(slug))]);
  const heats = rest.slice(0, methods.length);
  const scores = rest.slice(methods.length).map((method) => method.scores[scoreOf(key).name]);
  const samples = ids.ids.map((id, i) => ({ id, i, category: board.categories[ids.categories[i]]?.name }))
    .filter(({ id }) => masks.has(id) && heats.every((heat) => heat.has(id)))
    .map((sample) => {
      const values = scores.map((list) => list[sample.i]);
      return { ...sample, values, spread: Math.max(...values) - Math.min(...values) };
    })
    .sort((a, b) => b.spread - a.spread || a.i - b.i);
  return { methods, masks, heats, samples };
}

function cards({ methods, masks, heats }, sample) {
  const order = methods.map((method, i) => ({ method, heat: heats[i].get(sample.id), value: sample.values[i] })).sort((a, b) => b.value - a.value);
  return el('ul', { class: 'pictures' }, order.map(({ method, heat, value }) => el('li', {}, el('figure', {},
    overlayCanvas(masks.get(sample.id), heat, `${held(method.method)} on sample ${held(sample.id)}, PAP ${percent(value)} %`),
    el('figcaption', {}, method.page ? el('a', { href: method.page }, isolated(method.method)) : isolated(method.method), ` \u00b7 ${percent(value)}`)))));
}

function fill(place, found, state, change) {
  const { score } = state;
  const some = found.samples.filter(({ category }) => !state.curve || category === state.curve);
  const at = Math.max(0, some.findIndex(({ id }) => id === state.sample));
  const sample = some[at];
  const step = (by) => change({ sample: some[(at + by + some.length) % some.length].id });
  const categories = [...new Set(found.samples.map(({ category }) => category))].sort();
  place.replaceChildren(el('div', { class: 'controls' },
    chooser('Samples of', [['', 'all categories'], ...categories.map((name) => [name, name])], state.curve, (curve) => change({ curve, sample: '' })).node,
    chooser('Sample, most disputed first', some.map(({ id, category, spread }) => [id, `${category}: ${id}, scores ${percent(spread)} apart`]), sample.id, (id) => change({ sample: id })).node,
    button('before', () => step(-1), {}, '\u2190 Before'), button('next', () => step(1), {}, 'Next \u2192')),
  el('p', { 'aria-live': 'polite' }, `Sample ${at + 1} of ${some.length}: ${sample.category}, `, isolated(sample.id), `. ${scoreOf(score).single} from ${percent(Math.min(...sample.values))} to ${percent(Math.max(...sample.values))}.`),
  legend(), cards(found, sample),
  el('p', { class: 'note' }, 'What PAP compares, at the resolution at which it compares. No photographs are shown: most test images may not be republished.'));
  place.dataset.sample = sample.id;
}

/**
 * Draws the view into an element, whose content is replaced.
 * @param {HTMLElement} panel
 * @param {object} board
 * @param {object} state
 * @param {function(object)} change called with what the reader chose
 */
export function drawSamples(panel, board, state, change) {
  const key = state.score;
  const show = (found) => {
    if (found.samples.length) fill(panel, found, state, change);
    else panel.replaceChildren(el('p', {}, 'No sample of this board has a picture under every method.'));
  };
  if (panel.found?.key === key) { show(panel.found); return; }
  panel.replaceChildren(el('p', { class: 'note' }, 'Reading the samples\u2026'));
  const asked = (panel.asked = {});
  load(board, key).then((found) => {
    panel.found = { ...found, key };
    if (panel.asked === asked) show(panel.found);
  }).catch((error) => panel.replaceChildren(el('p', { class: 'warning' }, error.message)));
}
