/** What the reader has chosen, kept in the address so that a view can be sent to someone. */

const DEFAULTS = {
  board: '', view: 'ranking', score: 'mPAP', category: '', sort: 'rank', order: 'up',
  text: '', status: '', track: '', seen: '', curve: '', methods: '', a: '', b: '', hide: '', shade: '', sample: '', axis: '', against: '',
};

/** Reads the address; unknown keys are ignored. */
export function readState() {
  const given = new URLSearchParams(location.hash.slice(1));
  const state = { ...DEFAULTS };
  for (const key of Object.keys(DEFAULTS)) if (given.has(key)) state[key] = given.get(key);
  return state;
}

/** The part of an address after "#", which reproduces the state; what has its default is left out. */
export function fragmentOf(state) {
  const out = new URLSearchParams();
  for (const [key, value] of Object.entries(state)) if (value !== DEFAULTS[key]) out.set(key, value);
  return out.toString();
}

/**
 * Writes the address.
 * @param {object} state
 * @param {boolean} quiet keeps the browser's "Back" from stopping here, for typing and turning
 */
export function writeState(state, quiet) {
  const text = fragmentOf(state);
  if (text === location.hash.slice(1)) return;
  const address = text ? `#${text}` : location.href.split('#')[0];
  if (quiet) history.replaceState(null, '', address);
  else history.pushState(null, '', address);
}

/** The choices that leave methods out. */
export const FILTERS = { text: '', status: '', track: '', seen: '' };

/** The choices that belong to one board. */
export const OF_A_BOARD = { category: '', curve: '', methods: '', a: '', b: '', status: '', track: '', seen: '', hide: '', sample: '', against: '' };
