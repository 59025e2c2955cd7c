/** The per-category view: one row a method, one column a category, shaded by the score. */
import { el, isolated } from './dom.js';
import { interval, percent, scoreOf, whole } from './format.js';
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

/** The last row: the number of pictures behind each category's scores, marked where it is small. */
function counts(board, key) {
  const numbers = board.categories.map(({ counted, counted_hoa: hoa }) => (key.includes('hoa') ? hoa : counted));
  if (!numbers.every((number) => typeof number === 'number')) return null;
  return el('tfoot', {}, el('tr', {},
    el('th', { scope: 'row' }, `Pictures${board.few ? ` (few: below ${board.few.limit})` : ''}`), el('td', {}),
    numbers.map((number) => el('td', { class: 'number' }, whole(number), number < (board.few?.limit ?? 0) && ' (few)'))));
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
      names.map((name) => head(`category:${name}`, name, 'upright')))),
    el('tbody', {}, methods.map((method) => el('tr', {},
      el('th', { scope: 'row' }, isolated(method.method)),
      el('td', { class: 'number' }, percent(valueOf(method, key, ''))),
      names.map((name) => cellOf(method, key, name, most))))),
    counts(board, key));
  makeSortable(table, onsort);
  markSorted(table, state);
  element.replaceChildren(el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Scores by category' }, table));
}
