/** The sentence at the top: who leads, by how much, is it significant, and where it gains. */
import { el, isolated } from './dom.js';
import { interval, listed, percent, scoreOf, signed, whole } from './format.js';
import { pairOf, summaryFor, valueOf } from './rows.js';

const points = (value) => (100 * value).toFixed(2);

function comparison(board, next, { difference, low, high }) {
  const ahead = ['It is ', el('strong', {}, `${points(difference)} points`), ' ahead of ', el('strong', {}, isolated(next.method))];
  if (typeof low !== 'number' || typeof high !== 'number') {
    return [...ahead, board.kind === 'published' ? '; as published, so without an interval.' : '.'];
  }
  const range = ` (95 % interval of the paired difference ${signed(low)} to ${signed(high)}): `;
  const verdict = low > 0 ? 'significant.' : 'not significant, their ranks overlap.';
  return [...ahead, range, el('strong', {}, verdict)];
}

/** How many pictures stand behind a category's score. */
function behind(board, key, category) {
  const found = category && board.categories.find(({ name }) => name === category);
  const count = found && (key.includes('hoa') ? found.counted_hoa : found.counted);
  if (typeof count !== 'number') return '';
  return `, on ${whole(count)}${count < (board.few?.limit ?? 0) ? ' (few)' : ''} ${count === 1 ? 'picture' : 'pictures'}`;
}

/**
 * Makes the sentence.
 * @param {object} board
 * @param {string} key of the score
 * @param {string} category '' for the mean over all
 * @returns {Array} nodes and texts for a paragraph
 */
export function summaryOf(board, key, category) {
  const summary = summaryFor(board, key, category);
  const what = category ? `${scoreOf(key).single} on ${category}` : scoreOf(key).mean;
  const named = Object.fromEntries(board.methods.map((method) => [method.slug, method]));
  const leader = summary && named[summary.leader];
  if (!leader) return [`No method can be ranked by ${what} on this board.`];
  const range = interval(pairOf(leader, key, category));
  const out = [el('strong', {}, isolated(leader.method)), ' leads with ', el('strong', {}, `${percent(valueOf(leader, key, category))} % ${what}`), behind(board, key, category),
    range ? ` (${range}). ` : '. '];
  const next = named[summary.next];
  if (!next) return [...out, 'It is the only method so far.'];
  out.push(...comparison(board, next, summary));
  if (summary.gains?.length) {
    out.push(` It gains most on ${listed(summary.gains.map(({ category, difference }) => `${category} (${signed(difference)})`))}.`);
  }
  return out;
}
