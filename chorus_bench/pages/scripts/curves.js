/** Precision-recall curves: one line a method, from the thresholds 0.01 to 0.99. */
import { frame, key, numbersTable, SERIES } from './chart.js';
import { fractions } from './data.js';
import { el, responsive, svg } from './dom.js';
import { percent } from './format.js';

const asNumbers = (values) => (typeof values === 'string' ? fractions(values) : values);

/** The points of a curve with rising recall; where nothing is predicted there is no precision. */
function points(curve) {
  const recall = asNumbers(curve.recall);
  const precision = asNumbers(curve.precision);
  const end = curve.undefined_from ?? recall.length;
  return Array.from({ length: end }, (_, i) => [recall[i], precision[i]]).reverse();
}

/** Precision at the smallest recall that is at least `level`; NaN where the curve ends before. */
function precisionAt(line, level) {
  const found = line.find(([recall]) => recall >= level);
  return found ? found[1] : NaN;
}

function paint(element, lines, title, width) {
  const { root, xs, ys } = frame({
    width, height: Math.round(Math.min(420, Math.max(280, width * 0.6))), x: [0, 1], y: [0, 1],
    xName: 'Recall (%)', yName: 'Precision (%)', label: `${title}: precision against recall, ${lines.length} curves`,
  });
  lines.forEach(({ name, line }, i) => {
    const text = line.map(([recall, precision]) => `${xs(recall).toFixed(1)},${ys(precision).toFixed(1)}`).join(' ');
    root.append(svg('polyline', { class: `series s${i % SERIES}`, points: text }, svg('title', {}, name)));
  });
  const levels = [0.1, 0.25, 0.5, 0.75, 0.9];
  const names = lines.map(({ name }) => name);
  element.replaceChildren(
    el('figure', {}, el('figcaption', {}, title), root, key(names, (_, i) => !lines[i].line.length && ': predicts nothing, no curve')),
    el('p', { class: 'note' }, 'A curve is the mean over pictures at each threshold. The area under it is not PAP: PAP is computed for each picture, takes the best precision so far, and does not count the recall left where a curve ends at the upper thresholds. Where nothing is predicted there is no curve, so strict scores have the same one.'),
    numbersTable('The curves as numbers', ['Method', ...levels.map((level) => `precision at recall ${100 * level} %`)],
      lines.map(({ name, line }) => [name, ...levels.map((level) => percent(precisionAt(line, level)))])),
  );
}

/**
 * Draws curves into an element, whose content is replaced; follows the element's width.
 * @param {HTMLElement} element
 * @param {{title: string, curves: {name: string, recall: (string|number[]), precision: (string|number[]),
 *   undefined_from: (number|null)}[]}} options recall and precision at ascending thresholds, as
 *   fractions or as the data files' base64; `undefined_from` is the first threshold at which
 *   nothing is predicted
 */
export function drawCurves(element, { title, curves }) {
  const lines = curves.map((curve) => ({ name: curve.name, line: points(curve) }));
  responsive(element, (width) => paint(element, lines, title, width));
}
