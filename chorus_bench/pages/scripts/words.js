/** Says in words where a field's surface lies: the text alternative of the 3D view. */

const centimetres = (value) => Math.abs(100 * value).toFixed(0);

function place(value, [below, above], near) {
  return Math.abs(value) < 0.05 ? near : `${centimetres(value)} cm ${value > 0 ? above : below}`;
}

/** Sums up the voxels at or above a level: how many, their centre and extent, metres. */
export function measure(values, { resolution: n, side_length: side, center }, level) {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  const sum = [0, 0, 0];
  let count = 0;
  for (let at = 0; at < values.length; at += 1) {
    if (values[at] < level) continue;
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
  return { count, litres: 1000 * count * (side / n) ** 3, middle: sum.map((value) => value / count), size };
}

const litresText = (value) => (value < 0.95 ? `${value.toFixed(1)} litres` : value < 1.5 ? '1 litre' : `${value.toFixed(0)} litres`);

/**
 * The sentence.
 * @param {string} category
 * @param {object} all what `measure` says of all voxels
 * @param {object} main what it says of the largest connected part
 * @param {number} parts how many there are
 */
export function describe(category, all, main, parts) {
  if (!all.count) return `The field of ${category} is empty at this level.`;
  const [x, y, z] = main.middle;
  const where = [
    place(x, ['to the right', 'to the left'], 'neither left nor right'),
    place(y, ['below', 'above'], 'level'),
    place(z, ['behind', 'in front'], 'neither in front nor behind'),
  ];
  const start = parts > 1
    ? `At this level ${category} fills ${litresText(all.litres)} in ${parts} parts. The largest fills ${litresText(main.litres)}`
    : `At this level ${category} fills ${litresText(all.litres)}`;
  return `${start}, ${main.size.map(centimetres).join(' \u00d7 ')} cm (left\u2013right, down\u2013up, back\u2013front). `
    + `Its centre, seen from the person\u2019s pelvis: ${where.join(', ')}.`;
}
