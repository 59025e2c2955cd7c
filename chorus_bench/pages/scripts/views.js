/** The views of a board: their names, which boards have them, and which filters say something in them. */
import { othersOf } from './against.js';
import { isPictured } from './pictures.js';
import { SCORES } from './format.js';
import { valueOf } from './rows.js';
import { axesOf } from './trend.js';

const scored = (method, key = 'mPAP') => valueOf(method, key, '') !== null;
const several = (board, test) => board.methods.filter(test).length > 1;
const inCategories = (method) => Object.values(method.categories ?? {}).some((category) => SCORES.some(({ name }) => typeof category[name] === 'number'));

/** Every view: its name, and whether a board has what it shows. */
export const VIEWS = {
  ranking: { text: 'Ranking', has: () => true },
  categories: { text: 'By category', has: (board) => board.methods.some(inCategories) },
  intervals: { text: 'Intervals', has: (board) => several(board, (method) => method.intervals?.mPAP) },
  matrix: { text: 'Significance', has: (board) => Boolean(board.differences) && board.methods.length > 1 },
  curves: { text: 'Precision\u2013recall', has: (board) => board.methods.some((method) => method.has_scores && scored(method)) },
  scatter: { text: 'PAP against others', has: (board) => othersOf(board).length > 0 },
  trend: { text: 'Data and date', has: (board) => axesOf(board).length > 0 },
  samples: { text: 'Samples', has: isPictured },
  compare: { text: 'Head to head', has: (board) => several(board, (method) => method.has_scores && scored(method)) },
};

const LISTS = ['ranking', 'categories', 'intervals', 'scatter'];

/** The views in which each control says something. */
export const MEANINGFUL = {
  Score: ['ranking', 'categories', 'intervals', 'matrix', 'curves', 'trend', 'samples', 'compare'],
  Category: ['ranking', 'intervals', 'scatter', 'trend'],
  Search: LISTS, Status: LISTS, Track: LISTS, 'Saw COCO val': LISTS,
};
