/** The sentence at the top: who leads, by how much, is it significant, and where it gains. */
import { el, isolated } from './dom.js';
import { interval, listed, percent, scoreOf, signed } from './format.js';

const points = (value) => (100 * value).toFixed(2);

function comparison(board, next, { difference, low, high }) {
  const ahead = ['It is ', el('strong', {}, `${points(difference)} points`), ' ahead of ', el('strong', {}, isolated(next.method))];
  if (typeof low !== 'number' || typeof high !== 'number') {
    return [...ahead, board.kind === 'published' ? '; as published, so without an interval.' : '.'];
  }
  const range = ` (95 % interval of the paired difference ${signed(low)} to ${signed(high)}): `;
  const verdict = low > 0 ? 'significant.' : 'not significant, the two share a rank.';
  return [...ahead, range, el('strong', {}, verdict)];
}

/**
 * Makes the sentence.
 * @param {object} board
 * @param {string} key of the score
 * @returns {Array} nodes and texts for a paragraph
 */
export function summaryOf(board, key) {
  const summary = board.summary?.[key];
  const named = Object.fromEntries(board.methods.map((method) => [method.slug, method]));
  const leader = summary && named[summary.leader];
  if (!leader) return [`No method has ${scoreOf(key).mean} on this board.`];
  const range = interval(leader.intervals?.[key]);
  const out = [el('strong', {}, isolated(leader.method)), ' leads with ', el('strong', {}, `${percent(leader.scores[key])} % ${scoreOf(key).mean}`),
    range ? ` (${range}). ` : '. '];
  const next = named[summary.next];
  if (!next) return [...out, 'It is the only method so far.'];
  out.push(...comparison(board, next, summary));
  if (summary.gains.length) {
    out.push(` It gains most on ${listed(summary.gains.map(({ category, difference }) => `${category} (${signed(difference)})`))}.`);
  }
  return out;
}
