/** Masks in COCO's run-length encoding. */

/**
 * Decodes the counts of a compressed mask.
 * @param {string} text
 * @returns {number[]} lengths of the runs, background first, in columns from the left
 */
export function runs(text) {
  const counts = [];
  for (let at = 0; at < text.length;) {
    let value = 0;
    let shift = 0;
    let letter;
    do {
      letter = text.charCodeAt(at) - 48;
      value |= (letter & 31) << shift;
      shift += 5;
      at += 1;
    } while (letter & 32);
    if (letter & 16) value |= -1 << shift;
    counts.push(counts.length > 2 ? value + counts.at(-2) : value);
  }
  return counts;
}

/**
 * Decodes a mask.
 * @param {string} text its counts
 * @param {number} height
 * @param {number} width
 * @returns {Uint8Array} height * width, row by row, 0 or 1
 */
export function decodeMask(text, height, width) {
  const mask = new Uint8Array(height * width);
  let at = 0;
  runs(text).forEach((count, number) => {
    const end = Math.min(at + Math.max(count, 0), mask.length);
    if (number % 2) for (let i = at; i < end; i += 1) mask[(i % height) * width + Math.floor(i / height)] = 1;
    at = end;
  });
  return mask;
}
