/** The view of precision-recall curves: which methods and which category are drawn. */
import { curveOf, loadMethod, titleOf, withoutHuman } from './data.js';
import { drawCurves } from './curves.js';
import { button, chooser, el, isolated } from './dom.js';
import { leaders } from './rows.js';

const PRESELECTED = 3;
const MOST = 8;

/**
 * Draws the view into an element, whose content is replaced.
 * @param {HTMLElement} panel
 * @param {object} board
 * @param {object} state
 * @param {function(object)} change called with what the reader chose
 */
export function drawCurvesView(panel, board, state, change) {
  const able = leaders({ methods: board.methods.filter((method) => method.has_scores) }, state.score, board.methods.length);
  const asked = state.methods ? state.methods.split(' ') : able.slice(0, PRESELECTED).map(({ slug }) => slug);
  const chosen = able.filter(({ slug }) => asked.includes(slug)).slice(0, MOST);
  const category = state.curve || state.category;
  const set = (slugs) => change({ methods: slugs.join(' ') });
  const slugs = chosen.map(({ slug }) => slug);
  const others = able.filter(({ slug }) => !slugs.includes(slug)).map(({ slug, method }) => [slug, method]);
  const place = el('div', { class: 'chart-place' });
  panel.replaceChildren(el('div', { class: 'controls' },
    chooser('Curves of', [['', `all ${board.categories.length} categories`], ...board.categories.map(({ name }) => [name, name])], category, (curve) => change(curve ? { curve } : { curve, category: '' })).node,
    others.length > 0 && chosen.length < MOST ? chooser('Add a method', [['', 'choose\u2026'], ...others], '', (slug) => slug && set([...slugs, slug])).node : ''),
  el('ul', { class: 'chips', 'aria-label': 'Methods drawn' }, chosen.map(({ slug, method }) => el('li', {}, isolated(method),
    chosen.length > 1 && button(`remove:${slug}`, () => set(slugs.filter((other) => other !== slug)), { 'aria-label': `Remove ${method}` }, '\u00d7')))), place);
  Promise.all(chosen.map(({ slug }) => loadMethod(slug))).then((data) => {
    const curves = data.map((one, i) => curveOf(one, category, chosen[i].method, state.score)).filter(Boolean);
    drawCurves(place, { title: `${titleOf(category)}${withoutHuman(state.score) ? ', without the person\u2019s pixels' : ''}: precision against recall`, curves });
  }).catch((error) => place.replaceChildren(el('p', { class: 'warning' }, error.message)));
}
