/** Which methods are shown, in which order, with which numbers: no page is touched here. */
import { scoreOf } from './format.js';

const STATUS_ORDER = ['reproduced', 'verified', 'self-reported', 'published'];

/** The four numbers' interval of a category. */
function categoryPair(entry, index) {
  const low = entry?.low?.[index];
  const high = entry?.high?.[index];
  return typeof low === 'number' && typeof high === 'number' ? [low, high] : null;
}

const categoryOf = (method, name) => (Object.hasOwn(method.categories ?? {}, name) ? method.categories[name] : null);

/** A method's number: of one category, or of the mean over all. */
export function valueOf(method, key, category) {
  const { name } = scoreOf(key);
  const value = category ? categoryOf(method, category)?.[name] : method.scores?.[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** The 95 % interval of `valueOf`, or null. */
export function pairOf(method, key, category) {
  return category ? categoryPair(categoryOf(method, category), scoreOf(key).index) : method.intervals?.[key] ?? null;
}

/** The ranks that a method may have, first and last, overall or within a category; or null. */
export function rankOf(method, key, category) {
  const place = category ? categoryOf(method, category) : method;
  const at = category ? scoreOf(key).index : key;
  const [first, last] = [place?.rank?.[at], place?.last_rank?.[at]];
  return first ? [first, last ?? first] : null;
}

/** The score if the recall left at the last threshold counted, or null. */
export function closedOf(method, key, category) {
  const closed = category ? categoryOf(method, category)?.closed?.[scoreOf(key).index] : method.closed?.[key];
  return typeof closed === 'number' ? closed : null;
}

/** Whether the method handed in nothing for the category. */
export const lacks = (method, category) => Boolean(category && categoryOf(method, category)?.missing);

/** What a column sorts by; null sorts last. */
export function sortValue(method, column, { score, category }) {
  if (column.startsWith('mPAP')) return valueOf(method, column, category);
  if (column.startsWith('category:')) return valueOf(method, score, column.slice(9));
  switch (column) {
    case 'rank': return rankOf(method, score, category)?.[0] ?? null;
    case 'mean': return valueOf(method, score, '');
    case 'method': return method.method.toLowerCase();
    case 'categories': return method.categories_count;
    case 'samples': return method.samples;
    case 'status': return STATUS_ORDER.indexOf(method.status);
    case 'seen': return method.saw_coco_val;
    default: return method.date || null;
  }
}

/** Columns whose first click puts the largest first. */
export const fallsFirst = (column) => /^(mPAP|mean|category:|categories|samples|date)/.test(column);

/** Sorts methods; equal ones by score, then by name. */
export function sorted(methods, state) {
  const sign = state.order === 'down' ? -1 : 1;
  const compare = (a, b, direction) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return a < b ? -direction : Number(a > b) * direction;
  };
  return methods
    .map((method) => ({
      method, first: sortValue(method, state.sort, state), second: valueOf(method, state.score, state.category), third: method.method,
    }))
    .sort((a, b) => compare(a.first, b.first, sign) || compare(a.second, b.second, -1) || compare(a.third, b.third, 1))
    .map(({ method }) => method);
}

/** Keeps the methods that match the text and the choosers. */
export function matching(methods, { text, status, track, seen }) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return methods.filter((method) => {
    if (status && method.status !== status) return false;
    if (track && method.track !== track) return false;
    if (seen && method.saw_coco_val !== seen) return false;
    const all = [method.method, method.submitted_by, method.training_data, method.description].join(' ').toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

/** The summary of a board, or of a category on it, by a score. */
export function summaryFor(board, key, category) {
  const found = category ? board.categories.find(({ name }) => name === category)?.summary?.[scoreOf(key).name] : board.summary?.[key];
  return found ?? null;
}

/** The best methods by a score, those without one left out. */
export function leaders(board, key, count) {
  return board.methods
    .filter((method) => valueOf(method, key, '') !== null)
    .sort((a, b) => valueOf(b, key, '') - valueOf(a, key, ''))
    .slice(0, count);
}
