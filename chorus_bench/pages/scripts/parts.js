/** Connected parts of a field. */

/**
 * Keeps the largest part of the voxels at or above a level, by faces.
 * @param {Uint8Array} values N^3, x slowest
 * @param {number} n
 * @param {number} level
 * @returns {{values: Uint8Array, parts: number}} the values of that part, 0 elsewhere; and how many parts there are
 */
export function largestPart(values, n, level) {
  const part = new Int32Array(values.length);
  const stack = new Int32Array(values.length);
  let [parts, best, most] = [0, 0, 0];
  for (let seed = 0; seed < values.length; seed += 1) {
    if (values[seed] < level || part[seed]) continue;
    parts += 1;
    const size = flood(values, n, level, part, stack, seed, parts);
    if (size > most) [best, most] = [parts, size];
  }
  return { values: values.map((value, i) => (best && part[i] === best ? value : 0)), parts };
}

/** Marks everything joined to a voxel; returns how much that is. */
function flood(values, n, level, part, stack, seed, number) {
  let [top, size] = [1, 0];
  stack[0] = seed;
  part[seed] = number;
  const visit = (at) => {
    if (values[at] < level || part[at]) return;
    part[at] = number;
    stack[top] = at;
    top += 1;
  };
  while (top) {
    top -= 1;
    const at = stack[top];
    size += 1;
    const [x, y, z] = [Math.floor(at / (n * n)), Math.floor(at / n) % n, at % n];
    if (x > 0) visit(at - n * n);
    if (x < n - 1) visit(at + n * n);
    if (y > 0) visit(at - n);
    if (y < n - 1) visit(at + n);
    if (z > 0) visit(at - 1);
    if (z < n - 1) visit(at + 1);
  }
  return size;
}
