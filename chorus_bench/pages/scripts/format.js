/** How numbers are written: scores in percent with two decimals, "–" where there is none. */

export const NONE = '\u2013';

/** The four scores: `key` of the mean, `name` within a category, `index` in low/high lists. */
export const SCORES = [
  { key: 'mPAP', name: 'PAP', index: 0, mean: 'mPAP', single: 'PAP' },
  { key: 'mPAP_strict', name: 'PAP_strict', index: 1, mean: 'mPAP strict', single: 'PAP strict' },
  { key: 'mPAP_hoa', name: 'PAP_hoa', index: 2, mean: 'mPAP hoa', single: 'PAP hoa' },
  { key: 'mPAP_strict_hoa', name: 'PAP_strict_hoa', index: 3, mean: 'mPAP strict hoa', single: 'PAP strict hoa' },
];

export const scoreOf = (key) => SCORES.find((score) => score.key === key) ?? SCORES[0];

const given = (value) => typeof value === 'number' && Number.isFinite(value);

/** 0.1986 -> "19.86". */
export const percent = (value) => (given(value) ? (100 * value).toFixed(2) : NONE);

/** 0.0123 -> "+1.23", with a true minus sign. */
export function signed(value) {
  if (!given(value)) return NONE;
  const text = Math.abs(100 * value).toFixed(2);
  if (text === '0.00') return text;
  return (value > 0 ? '+' : '\u2212') + text;
}

/** [0.1, 0.2] -> "10.00 – 20.00"; empty where there is none. */
export function interval(pair) {
  return pair && given(pair[0]) && given(pair[1]) ? `${percent(pair[0])} ${NONE} ${percent(pair[1])}` : '';
}

/** [2, 4] -> "2\u20134", [2, 2] -> "2". */
export function rankText(range) {
  if (!range) return NONE;
  return range[0] === range[1] ? String(range[0]) : range.join(NONE);
}

/** ["a", "b", "c"] -> "a, b and c". */
export function listed(texts) {
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)}`;
}

/** A text of unknown direction within a longer one that cannot hold elements. */
export const held = (text) => `\u2068${text}\u2069`;

/** 1500 -> "1,500". */
export const whole = (value) => (given(value) ? value.toLocaleString('en-US') : NONE);
