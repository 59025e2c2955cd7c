/** The charts for other pages: `CHORUS_BENCH.drawCurves`, `drawIntervals`, `drawScatter`. */
import { drawCurves } from './curves.js';
import { drawIntervals } from './intervals.js';
import space from './namespace.js';
import { drawScatter } from './scatter.js';

Object.assign(space, { drawCurves, drawIntervals, drawScatter });
