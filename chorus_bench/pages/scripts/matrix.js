/** Which method is significantly better than which: one row and one column a method. */
import { floats } from './data.js';
import { el, isolated } from './dom.js';
import { held, scoreOf, signed } from './format.js';
import { leaders, valueOf } from './rows.js';
import { scroller } from './tables.js';

/** The largest matrix that is drawn. */
const MOST = 40;

const WORDS = { better: 'significantly better', worse: 'significantly worse', open: 'not significant' };

/** The precomputed interval of first minus second of a score; null where none is known. */
export function overall(board, key, first, second) {
  const given = board.differences?.[key];
  if (!given) return null;
  board.decoded ??= {};
  board.decoded[key] ??= { low: floats(given.low), high: floats(given.high), at: new Map(board.methods.map(({ slug }, i) => [slug, i])) };
  const { low: lows, high: highs, at } = board.decoded[key];
  const place = at.get(first.slug) * at.size + at.get(second.slug);
  const [low, high] = [lows[place], highs[place]];
  return Number.isFinite(low) && Number.isFinite(high) ? { low, high } : null;
}

function cellOf(board, key, row, column) {
  if (row.slug === column.slug) return el('td', { class: 'same' }, '\u00b7');
  const difference = valueOf(row, key, '') - valueOf(column, key, '');
  const range = overall(board, key, row, column);
  const kind = !range || (range.low <= 0 && range.high >= 0) ? 'open' : range.low > 0 ? 'better' : 'worse';
  const mark = { better: '\u25b2', worse: '\u25bc', open: '=' }[kind];
  return el('td', { class: `pair ${kind}`, title: `${held(row.method)} against ${held(column.method)}: ${signed(difference)} points${range ? `, 95 % interval ${signed(range.low)} to ${signed(range.high)}` : ''}: ${WORDS[kind]}` },
    el('span', { 'aria-hidden': 'true' }, mark), el('span', { class: 'unseen' }, `${WORDS[kind]}, `), ` ${signed(difference)}`);
}

/**
 * Draws the matrix into an element; it is drawn again only for another score.
 * @param {HTMLElement} element
 * @param {object} board
 * @param {object} state
 */
export function drawMatrix(element, board, { score }) {
  if (element.score === score) return;
  element.score = score;
  const methods = leaders(board, score, MOST);
  const cut = board.methods.length > MOST ? ` The best ${MOST} methods of ${board.methods.length}.` : '';
  const table = el('table', { class: 'matrix' },
    el('caption', {}, el('span', {}, `${scoreOf(score).mean}: the method of the row minus the method of the column, in points. \u25b2 the row is significantly better, \u25bc significantly worse (the paired 95 % interval leaves out zero), = not distinguishable. No correction for looking at many pairs.${cut}`)),
    el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, 'Row minus column'),
      methods.map(({ method }) => el('th', { scope: 'col', class: 'upright' }, el('span', { class: 'name' }, isolated(method)))))),
    el('tbody', {}, methods.map((row) => el('tr', {}, el('th', { scope: 'row' }, isolated(row.method)),
      methods.map((column) => cellOf(board, score, row, column))))));
  element.replaceChildren(scroller('Significance of every pair', table));
}
