/** Iso-surfaces of a cube of voxels, by naive surface nets. */

/** Copies the cube into one with a border of zeros, so that every surface is closed. */
function padded(values, n) {
  const m = n + 2;
  const out = new Uint8Array(m ** 3);
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j < n; j += 1) {
      out.set(values.subarray((i * n + j) * n, (i * n + j + 1) * n), ((i + 1) * m + j + 1) * m + 1);
    }
  }
  return out;
}

const CORNERS = [0, 1, 2, 3, 4, 5, 6, 7].map((c) => [c >> 2, (c >> 1) & 1, c & 1]);
const EDGES = CORNERS.flatMap((_, a) => [1, 2, 4].filter((bit) => !(a & bit)).map((bit) => [a, a | bit]));

/** The mean of the points where a cell's edges cross the level, within the cell; null for none. */
function crossing(corner, level) {
  const sum = [0, 0, 0];
  let count = 0;
  for (const [a, b] of EDGES) {
    if (corner[a] >= level === corner[b] >= level) continue;
    const share = (level - corner[a]) / (corner[b] - corner[a]);
    for (let axis = 0; axis < 3; axis += 1) {
      sum[axis] += CORNERS[a][axis] + share * (CORNERS[b][axis] - CORNERS[a][axis]);
    }
    count += 1;
  }
  return count ? sum.map((value) => value / count) : null;
}

/**
 * Extracts a surface.
 * @param {Uint8Array} values N^3, x slowest
 * @param {number} n
 * @param {number} level at or above it is inside
 * @returns {{positions: Float32Array, indices: Uint32Array}} positions in voxels: voxel (i, j, k)
 *   has its centre at (i, j, k); triangles are counter-clockwise seen from outside
 */
export function isoSurface(values, n, level) {
  const m = n + 2;
  const cube = padded(values, n);
  const step = [m * m, m, 1];
  const offsets = CORNERS.map(([x, y, z]) => x * step[0] + y * step[1] + z);
  const vertexOf = new Int32Array(m ** 3);
  const positions = [];
  const indices = [];
  const corner = new Array(8);
  for (let i = 0; i < m - 1; i += 1) {
    for (let j = 0; j < m - 1; j += 1) {
      for (let k = 0; k < m - 1; k += 1) {
        const at = (i * m + j) * m + k;
        let inside = 0;
        for (let c = 0; c < 8; c += 1) {
          corner[c] = cube[at + offsets[c]];
          if (corner[c] >= level) inside += 1;
        }
        if (inside === 0 || inside === 8) continue;
        const [x, y, z] = crossing(corner, level);
        vertexOf[at] = positions.length / 3;
        positions.push(i + x - 1, j + y - 1, k + z - 1);
        addQuads(indices, vertexOf, at, step, corner, level);
      }
    }
  }
  return { positions: Float32Array.from(positions), indices: Uint32Array.from(indices) };
}

/** Joins the four cells around each crossed edge that starts at this cell's first corner. */
function addQuads(indices, vertexOf, at, step, corner, level) {
  for (let axis = 0; axis < 3; axis += 1) {
    const here = corner[0] >= level;
    if (here === corner[4 >> axis] >= level) continue;
    const u = step[(axis + 1) % 3];
    const v = step[(axis + 2) % 3];
    const quad = [at, at - u, at - u - v, at - v].map((cell) => vertexOf[cell]);
    if (!here) quad.reverse();
    indices.push(quad[0], quad[1], quad[2], quad[0], quad[2], quad[3]);
  }
}
