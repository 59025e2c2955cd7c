/** The per-category view: one row a method, one column a category, shaded by the score. */
import { chooser, el, isolated, keepingFocus } from './dom.js';
import { interval, percent, rankText, scoreOf, whole } from './format.js';
import { makeSortable, markSorted } from './ranking.js';
import { lacks, pairOf, rankOf, valueOf } from './rows.js';
import { arrange, MANY, scroller } from './tables.js';

const SHADES = [['', 'each category by itself'], ['table', 'all categories alike']];

function fillCell(cell, method, key, category, most) {
  const rank = rankOf(method, key, category);
  const value = valueOf(method, key, category);
  const pair = interval(pairOf(method, key, category));
  const absent = lacks(method, category);
  if (!cell.firstChild) cell.append('', el('span', { class: 'place' }));
  cell.firstChild.data = `${percent(value)}${absent ? '*' : ''}`;
  cell.lastChild.textContent = rank ? rankText(rank) : '';
  const said = absent ? 'not handed in: counts as 0' : pair && `95 % interval ${pair}`;
  if (said) cell.title = said;
  else cell.removeAttribute('title');
  cell.style.setProperty('--heat', value === null ? 0 : (value / most).toFixed(3));
}

function headOf(sort, text, extra = '') {
  return el('th', { scope: 'col', 'data-sort': sort, class: extra }, el('span', { class: 'name' }, text));
}

/** The table without its numbers. */
function frameOf(board, onsort) {
  const caption = el('span', {});
  const heads = board.categories.map(({ name }) => headOf(`category:${name}`, name, 'upright'));
  const table = el('table', { class: `categories${board.methods.length > MANY ? ' many' : ''}` },
    el('caption', {}, caption),
    el('thead', {}, el('tr', {}, headOf('method', 'Method'), headOf('mean', 'mPAP', 'number'), heads)),
    el('tbody', {}, board.methods.map((method) => el('tr', { 'data-slug': method.slug },
      el('th', { scope: 'row' }, method.page ? el('a', { href: method.page }, isolated(method.method)) : isolated(method.method)),
      el('td', { class: 'number' }), board.categories.map(() => el('td', { class: 'heat' }))))), el('tfoot', {}));
  makeSortable(table, onsort);
  return { table, caption };
}

/** The last row: the number of pictures behind each category's scores, marked where it is small. */
function counts(board, key) {
  const numbers = board.categories.map(({ counted, counted_hoa: hoa }) => (key.includes('hoa') ? hoa : counted));
  if (!numbers.every((number) => typeof number === 'number')) return [];
  return [el('tr', {},
    el('th', { scope: 'row' }, `Pictures${board.few ? ` (few: below ${board.few.limit})` : ''}`), el('td', {}),
    numbers.map((number) => el('td', { class: 'number' }, whole(number), number < (board.few?.limit ?? 0) && ' (few)')))];
}

function fillNumbers({ table, caption }, board, { score, shade }) {
  const names = board.categories.map(({ name }) => name);
  const largest = (some) => Math.max(0.001, ...board.methods.flatMap((method) => some.map((name) => valueOf(method, score, name) ?? 0)));
  const all = largest(names);
  const most = names.map((name) => (shade === 'table' ? all : largest([name])));
  for (const method of board.methods) {
    const { cells } = table.tBodies[0].rowOf.get(method.slug);
    cells[1].textContent = percent(valueOf(method, score, ''));
    names.forEach((name, i) => fillCell(cells[2 + i], method, score, name, most[i]));
  }
  const reach = shade === 'table' ? 'the scale is shared by the whole table' : 'every category has a scale of its own, up to its best method';
  caption.textContent = `${scoreOf(score).single} of each category in percent; below it the rank within the category, a range where others cannot be told apart. The deeper the shade, the higher; ${reach}. * nothing handed in, counts as 0.`;
  table.tFoot.replaceChildren(...counts(board, score));
  table.querySelector('th[data-sort="mean"] .name').textContent = scoreOf(score).mean;
}

/**
 * Shows the table in an element. It is made once; later only what differs is touched.
 * @param {HTMLElement} element
 * @param {object} board
 * @param {object[]} methods all, in order
 * @param {Set<string>} shown slugs of those that are shown
 * @param {object} state
 * @param {{sort: function(string), change: function(object)}} on called with what the reader chose
 */
export function drawHeat(element, board, methods, shown, state, on) {
  if (!element.heat) {
    element.heat = frameOf(board, on.sort);
    element.shade = chooser('Shade', SHADES, state.shade, (shade) => on.change({ shade }));
    element.replaceChildren(el('div', { class: 'controls' }, element.shade.node), scroller('Scores by category', element.heat.table));
  }
  const { table } = element.heat;
  keepingFocus(element, () => {
    arrange(table.tBodies[0], methods, shown);
    const numbers = `${state.score}|${state.shade}`;
    if (numbers !== table.numbers) fillNumbers(element.heat, board, state);
    table.numbers = numbers;
    element.shade.set(state.shade);
    markSorted(table, state);
  });
}
