/** Says in words where a field's surface lies: the text alternative of the 3D view. */
import { largestPart } from './parts.js';

const centimetres = (value) => Math.abs(100 * value).toFixed(0);

function place(value, [below, above], near) {
  return Math.abs(value) < 0.05 ? near : `${centimetres(value)} cm ${value > 0 ? above : below}`;
}

/**
 * Sums up the largest connected part of the voxels at or above a level: how many, their centre and
 * extent (metres), how many parts there are, and the part's share of all these voxels.
 */
export function measure(values, { resolution: n, side_length: side, center }, level) {
  const { values: largest, parts } = largestPart(values, n, level);
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  const sum = [0, 0, 0];
  let [count, all] = [0, 0];
  for (let at = 0; at < values.length; at += 1) {
    all += Number(values[at] >= level);
    if (largest[at] < level) continue;
    count += 1;
    const index = [Math.floor(at / (n * n)), Math.floor(at / n) % n, at % n];
    for (let axis = 0; axis < 3; axis += 1) {
      const value = center[axis] - side / 2 + ((index[axis] + 0.5) * side) / n;
      sum[axis] += value;
      low[axis] = Math.min(low[axis], value);
      high[axis] = Math.max(high[axis], value);
    }
  }
  const size = high.map((value, axis) => value - low[axis] + side / n);
  return { count, largest, parts, share: count / Math.max(all, 1), litres: 1000 * count * (side / n) ** 3, middle: sum.map((value) => value / count), size };
}

/** The sentence. */
export function describe(category, { count, parts, share, litres, middle, size }) {
  if (!count) return `The field of ${category} is empty at this level.`;
  const [x, y, z] = middle;
  const where = [
    place(x, ['to the right', 'to the left'], 'neither left nor right'),
    place(y, ['below', 'above'], 'level'),
    place(z, ['behind', 'in front'], 'neither in front nor behind'),
  ];
  const which = parts > 1 ? `The largest of ${parts} parts of ${category} at this level (${(100 * share).toFixed(0)} % of it)` : `At this level ${category}`;
  const volume = litres < 9.95 ? litres.toFixed(1) : litres.toFixed(0);
  return `${which} fills ${volume} ${volume === '1.0' ? 'litre' : 'litres'}, ${size.map(centimetres).join(' \u00d7 ')} cm `
    + `(left\u2013right, down\u2013up, back\u2013front). Its centre, seen from the person\u2019s pelvis: ${where.join(', ')}.`;
}
