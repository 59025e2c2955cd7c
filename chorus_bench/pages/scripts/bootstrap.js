/** Paired bootstrap of the difference of two methods in each category. */

export const RESAMPLES = 1000;

/**
 * mulberry32: a small seeded generator of 32-bit numbers, the same in every browser.
 * @param {number} seed
 * @returns {function(): number}
 */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/** The percentile of ascending values, between neighbours by straight line. */
export function percentile(sorted, share) {
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (place - low) * (sorted[high] - sorted[low]);
}

/**
 * The mean of paired differences, and its 95 % percentile interval over resampled samples.
 * @param {ArrayLike<number>} differences one a sample
 * @param {ArrayLike<number>} counted 0 where a sample does not count
 * @param {number} seed
 */
export function pairedInterval(differences, counted, seed) {
  const size = differences.length;
  const used = Float64Array.from(differences, (value, i) => (counted[i] ? value : 0));
  const draw = generator(seed);
  const means = new Float64Array(RESAMPLES);
  for (let r = 0; r < RESAMPLES; r += 1) {
    let total = 0;
    let count = 0;
    for (let i = 0; i < size; i += 1) {
      const j = Math.floor((draw() / 4294967296) * size);
      total += used[j];
      count += counted[j];
    }
    means[r] = total / Math.max(count, 1);
  }
  means.sort();
  const count = counted.reduce((sum, value) => sum + value, 0);
  const value = used.reduce((sum, difference) => sum + difference, 0) / Math.max(count, 1);
  return { value, low: percentile(means, 0.025), high: percentile(means, 0.975), samples: count };
}

/**
 * Compares two methods category by category.
 * @param {object} samples the board's samples: categories, counted, counted_hoa
 * @param {Float64Array} first scores of the first method
 * @param {Float64Array} second scores of the second
 * @param {string[]} categories names
 * @param {boolean} hoa whether the score leaves out the human's pixels
 */
export function compareCategories(samples, first, second, categories, hoa) {
  const counted = hoa ? samples.counted_hoa : samples.counted;
  return categories.map((name, number) => {
    const rows = [];
    samples.categories.forEach((category, i) => { if (category === number) rows.push(i); });
    const differences = rows.map((i) => first[i] - second[i]);
    return { name, ...pairedInterval(differences, rows.map((i) => counted[i]), number) };
  }).filter((row) => row.samples > 0);
}
