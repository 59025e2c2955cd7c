/** The ranking table: Python wrote it whole; this sorts, filters and renumbers its rows. */
import { el, svg } from './dom.js';
import { interval, NONE, percent, SCORES } from './format.js';
import { closedOf, fallsFirst, lacks, pairOf, rankOf, valueOf } from './rows.js';

/** A score is marked if the recall left at the last threshold would add at least this. */
const LOST = 0.01;

/** A thin bar with its interval, on a scale shared by the column. */
function bar(value, pair, most) {
  const at = (x) => `${((100 * x) / most).toFixed(2)}%`;
  return svg('svg', { class: 'bar', 'aria-hidden': 'true', width: '100%', height: 7 },
    svg('rect', { width: at(value), height: 7 }),
    pair && svg('line', { x1: at(pair[0]), x2: at(pair[1]), y1: 3.5, y2: 3.5 }));
}

function rankText(method, { score, category }) {
  const [first, last] = rankOf(method, score, category) ?? [];
  if (!first) return NONE;
  return first === last ? String(first) : `${first}${NONE}${last}`;
}

/** Puts a button into each sortable heading. */
export function makeSortable(table, onsort) {
  for (const head of table.querySelectorAll('thead th[data-sort]')) {
    const button = el('button', { type: 'button', class: 'sort', onclick: () => onsort(head.dataset.sort) });
    button.append(...head.childNodes);
    head.append(button);
  }
}

/** Marks the column that the rows are sorted by. */
export function markSorted(table, { sort, order }) {
  for (const head of table.querySelectorAll('thead th[data-sort]')) {
    if (head.dataset.sort === sort) head.setAttribute('aria-sort', order === 'down' ? 'descending' : 'ascending');
    else head.removeAttribute('aria-sort');
  }
}

/** The order after a click on a column's heading. */
export function nextSort(state, column) {
  if (state.sort !== column) return { sort: column, order: fallsFirst(column) ? 'down' : 'up' };
  return { sort: column, order: state.order === 'down' ? 'up' : 'down' };
}

function fillScore(cell, method, key, state, most) {
  const value = valueOf(method, key, state.category);
  const pair = pairOf(method, key, state.category);
  cell.replaceChildren(el('span', { class: 'value' }, percent(value)));
  if (value !== null && interval(pair)) cell.append(el('span', { class: 'interval' }, interval(pair)));
  const closed = closedOf(method, key, state.category);
  if (value !== null && closed !== null && closed - value >= LOST) cell.append(el('span', { class: 'interval closed' }, `\u2020 closed ${percent(closed)}`));
  if (lacks(method, state.category)) cell.append(el('span', { class: 'interval' }, 'not handed in'));
  if (key === state.score && value !== null) cell.append(bar(value, pair, most));
}

/**
 * Shows the given methods in the given order.
 * @param {HTMLTableElement} table
 * @param {object[]} methods shown, in order
 * @param {object} state
 */
export function fillRanking(table, methods, state) {
  const body = table.tBodies[0];
  body.rowOf ??= new Map([...body.rows].map((row) => [row.dataset.slug, row]));
  const most = Math.max(0.001, ...methods.map((method) => pairOf(method, state.score, state.category)?.[1] ?? valueOf(method, state.score, state.category) ?? 0));
  body.replaceChildren(...methods.map((method) => {
    const row = body.rowOf.get(method.slug);
    const rank = row.querySelector('.rank'); // boards as published have no ranks
    if (rank) rank.textContent = rankText(method, state);
    for (const { key } of SCORES) {
      const cell = row.querySelector(`[data-score="${key}"]`);
      cell.classList.toggle('chosen', key === state.score);
      fillScore(cell, method, key, state, most);
    }
    return row;
  }));
  for (const { key, mean, single } of SCORES) {
    const head = table.querySelector(`th[data-sort="${key}"]`);
    head.classList.toggle('chosen', key === state.score);
    (head.querySelector('.name') ?? head).textContent = state.category ? single : mean;
  }
  markSorted(table, state);
}
