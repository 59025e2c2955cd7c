/** Tables: which are wider than the page, and their rows in another order or left out. */
import { el } from './dom.js';

/** Rows from which a table that scrolls sideways scrolls within itself, so that its head stays in view. */
const TALL = 12;

/** A table with more rows is `many`: see the style sheet. Python's tables likewise. */
export const MANY = 50;

const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) fit(target.closest('.scroll'));
});

/** Marks a table as wider than its place, or not. */
function fit(place) {
  const table = place?.querySelector('table');
  if (!table || !place.clientWidth) return;
  const fits = table.offsetWidth <= place.clientWidth + 1;
  place.classList.toggle('fits', fits);
  place.classList.toggle('tall', !fits && table.rows.length > TALL);
  if (place.wideNote) place.wideNote.hidden = fits;
}

/** Marks every table anew, also those that were folded away. */
export function fitAll() {
  for (const place of document.querySelectorAll('.scroll')) fit(place);
}

/** Says beside a table in a `.scroll` when it is wider than its place, from now on. */
export function follow(place) {
  if (place.wideNote) return place;
  place.wideNote = el('p', { class: 'sideways', hidden: true }, 'This table is wider than the page: scroll it sideways \u2192');
  place.prepend(place.wideNote);
  sizes.observe(place);
  const table = place.querySelector('table');
  if (table) sizes.observe(table);
  return place;
}

/** Follows every table that a page begins with. */
export function followAll(root = document) {
  for (const place of root.querySelectorAll('.scroll')) follow(place);
}

/** A place for a wide table, reached by the keyboard. */
export function scroller(label, table) {
  return follow(el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': label }, table));
}

/**
 * Puts rows into another order and hides those that are not shown; what is already right stays untouched.
 * @param {HTMLTableSectionElement} body rows with `data-slug`
 * @param {object[]} methods all, in order
 * @param {Set<string>} shown the slugs of those that are shown
 */
export function arrange(body, methods, shown) {
  body.rowOf ??= new Map([...body.rows].map((row) => [row.dataset.slug, row]));
  const rows = methods.map(({ slug }) => body.rowOf.get(slug));
  for (const row of rows) {
    const out = !shown.has(row.dataset.slug);
    if (row.hidden !== out) row.hidden = out;
  }
  if (rows.some((row, i) => body.rows[i] !== row)) body.append(...rows);
}
