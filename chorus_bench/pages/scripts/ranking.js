/** The ranking table: Python wrote it whole; this sorts, filters and renumbers its rows. */
import { button, el, svg } from './dom.js';
import { interval, percent, rankText, SCORES } from './format.js';
import { closedOf, fallsFirst, lacks, pairOf, rankOf, valueOf } from './rows.js';
import { arrange } from './tables.js';

/** A score is marked if the recall left at the last threshold would add at least this. */
const LOST = 0.01;

/** A thin bar with its interval, on a scale shared by the column. */
function bar(value, pair, most) {
  const at = (x) => `${((100 * x) / most).toFixed(2)}%`;
  return svg('svg', { class: 'bar', 'aria-hidden': 'true', width: '100%', height: 7 },
    svg('rect', { width: at(value), height: 7 }),
    pair && svg('line', { x1: at(pair[0]), x2: at(pair[1]), y1: 3.5, y2: 3.5 }));
}

/** Puts a button into each sortable heading. */
export function makeSortable(table, onsort) {
  for (const head of table.querySelectorAll('thead th[data-sort]')) {
    const made = button(`sort:${head.dataset.sort}`, () => onsort(head.dataset.sort), { class: 'sort' });
    made.append(...head.childNodes);
    head.append(made);
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

/** Writes one number with what stands below it, if the cell does not show it already. */
function fillScore(cell, method, key, state, most) {
  const value = valueOf(method, key, state.category);
  const pair = value === null ? null : pairOf(method, key, state.category);
  const closed = closedOf(method, key, state.category);
  const below = [interval(pair), value !== null && closed !== null && closed - value >= LOST && `\u2020 closed ${percent(closed)}`,
    lacks(method, state.category) && 'not handed in'].filter(Boolean);
  const drawn = key === state.score && value !== null;
  const shown = [percent(value), ...below, drawn && value / most].join('|');
  if (cell.shown === shown) return;
  cell.shown = shown;
  cell.replaceChildren(el('span', { class: 'value' }, percent(value)), ...below.map((text) => el('span', { class: 'interval' }, text)),
    ...(drawn ? [bar(value, pair, most)] : []));
}

/** Writes the numbers of the chosen score and category into the rows. */
function fillNumbers(table, methods, state) {
  const { rowOf } = table.tBodies[0];
  const most = Math.max(0.001, ...methods.map((method) => pairOf(method, state.score, state.category)?.[1] ?? valueOf(method, state.score, state.category) ?? 0));
  for (const method of methods) {
    const row = rowOf.get(method.slug);
    const rank = row.querySelector('.rank'); // boards as published have no ranks
    if (rank) rank.textContent = rankText(rankOf(method, state.score, state.category));
    for (const { key } of SCORES) {
      const cell = row.querySelector(`[data-score="${key}"]`);
      cell.classList.toggle('chosen', key === state.score);
      fillScore(cell, method, key, state, most);
    }
  }
  for (const { key, mean, single } of SCORES) {
    const head = table.querySelector(`th[data-sort="${key}"]`);
    head.classList.toggle('chosen', key === state.score);
    (head.querySelector('.name') ?? head).textContent = state.category ? single : mean;
  }
}

/**
 * Shows the methods in the given order. Only what differs from the table as it stands is touched.
 * @param {HTMLTableElement} table
 * @param {object[]} methods all, in order
 * @param {Set<string>} shown slugs of those that are shown
 * @param {object} state
 */
export function fillRanking(table, methods, shown, state) {
  arrange(table.tBodies[0], methods, shown);
  const numbers = `${state.score}|${state.category}`;
  if (numbers !== (table.numbers ?? 'mPAP|')) fillNumbers(table, methods, state); // Python wrote those of mPAP
  table.numbers = numbers;
  markSorted(table, state);
}
