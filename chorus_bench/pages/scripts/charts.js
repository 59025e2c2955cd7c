/** The charts for other pages, `CHORUS_BENCH.drawCurves`, `drawIntervals`, `drawScatter`; and `followPage`. */
import { drawCurves } from './curves.js';
import { drawIntervals } from './intervals.js';
import space from './namespace.js';
import { expandForPrint } from './print.js';
import { drawScatter } from './scatter.js';
import { followAll } from './tables.js';

/** Says which tables are wider than the page, and makes the page complete when it is printed. */
export function followPage() {
  followAll();
  expandForPrint();
}

Object.assign(space, { drawCurves, drawIntervals, drawScatter, followPage });
