/** The per-category view: one row a method, one column a category, shaded by the score. */
import { el, isolated } from './dom.js';
import { interval, percent, scoreOf } from './format.js';
import { makeSortable, markSorted } from './ranking.js';
import { lacks, pairOf, valueOf } from './rows.js';

function cellOf(method, key, category, most) {
  const value = valueOf(method, key, category);
  const pair = interval(pairOf(method, key, category));
  const absent = lacks(method, category);
  const cell = el('td', { class: 'heat', title: absent ? 'not handed in: counts as 0' : pair && `95 % interval ${pair}` }, percent(value), absent && '*');
  if (value !== null) cell.style.setProperty('--heat', (value / most).toFixed(3));
  return cell;
}

/**
 * Draws the table into an element, whose content is replaced.
 * @param {HTMLElement} element
 * @param {object} board
 * @param {object[]} methods shown, in order
 * @param {object} state
 * @param {function(string)} onsort called with the column's name
 */
export function drawHeat(element, board, methods, state, onsort) {
  const names = board.categories.map(({ name }) => name);
  const key = state.score;
  const most = Math.max(0.001, ...methods.flatMap((method) => names.map((name) => valueOf(method, key, name) ?? 0)));
  const head = (sort, text, extra = '') => el('th', { scope: 'col', 'data-sort': sort, class: extra }, el('span', { class: 'name' }, text));
  const table = el('table', { class: 'categories' },
    el('caption', {}, el('span', {}, `${scoreOf(key).single} of each category in percent. The deeper the shade, the higher; the scale is shared by the whole table. * nothing handed in, counts as 0.`)),
    el('thead', {}, el('tr', {}, head('method', 'Method'), head(key, scoreOf(key).mean, 'number'),
      board.categories.map(({ name, samples }) => {
        const made = head(`category:${name}`, name, 'upright');
        made.title = `${samples} samples`;
        return made;
      }))),
    el('tbody', {}, methods.map((method) => el('tr', {},
      el('th', { scope: 'row' }, isolated(method.method)),
      el('td', { class: 'number' }, percent(valueOf(method, key, ''))),
      names.map((name) => cellOf(method, key, name, most))))));
  makeSortable(table, onsort);
  markSorted(table, state);
  element.replaceChildren(el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Scores by category' }, table));
}
