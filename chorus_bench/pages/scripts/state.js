/** What the reader has chosen, kept in the address so that a view can be sent to someone. */

const DEFAULTS = {
  board: '', view: 'ranking', score: 'mPAP', category: '', sort: 'rank', order: 'up',
  text: '', status: '', track: '', seen: '', curve: '', methods: '', a: '', b: '',
};

/** Reads the address; unknown keys are ignored. */
export function readState() {
  const given = new URLSearchParams(location.hash.slice(1));
  const state = { ...DEFAULTS };
  for (const key of Object.keys(DEFAULTS)) if (given.has(key)) state[key] = given.get(key);
  return state;
}

/** Writes the address; what has its default is left out. */
export function writeState(state) {
  const out = new URLSearchParams();
  for (const [key, value] of Object.entries(state)) if (value !== DEFAULTS[key]) out.set(key, value);
  const text = out.toString();
  history.replaceState(null, '', text ? `#${text}` : location.href.split('#')[0]);
}
