/** Which columns of the ranking are shown. */
import { el } from './dom.js';

/** The columns that a table of this board can do without, with their names. */
function optional(table) {
  const heads = [...table.querySelectorAll('thead th[data-col]')];
  return heads.map((head) => [head.dataset.col, head.querySelector('.name')?.textContent ?? head.textContent]);
}

/** The columns hidden at first: those in which all methods are alike, named above the table. */
const alike = (table) => table.dataset.alike ?? '';

/** Hides what the state asks for. */
export function hideColumns(table, hide) {
  table.dataset.hide = hide === '' ? alike(table) : hide;
  const hidden = new Set(table.dataset.hide.split(' '));
  for (const box of table.columnBoxes ?? []) box.checked = !hidden.has(box.value);
}

/**
 * The chooser.
 * @param {HTMLTableElement} table
 * @param {function(string)} onchange called with the names of the hidden columns
 */
export function columnChooser(table, onchange) {
  const set = () => {
    const hidden = table.columnBoxes.filter((box) => !box.checked).map((box) => box.value).join(' ') || 'none';
    onchange(hidden === alike(table) ? '' : hidden);
  };
  const boxes = optional(table).map(([name, text]) => [el('input', { type: 'checkbox', value: name, onchange: set }), text]);
  table.columnBoxes = boxes.map(([box]) => box);
  return el('details', { class: 'columns' }, el('summary', {}, 'Columns'),
    el('fieldset', {}, el('legend', {}, 'Columns shown'), boxes.map(([box, text]) => el('label', { class: 'control check' }, box, el('span', {}, text)))));
}
