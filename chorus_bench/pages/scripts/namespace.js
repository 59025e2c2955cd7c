/**
 * The one global: data files write into it, and other pages call the viewer and the charts
 * through it.
 */
const space = (window.CHORUS_BENCH = window.CHORUS_BENCH || {});
for (const name of ['methods', 'sampleIds', 'fields', 'masks', 'pictures']) space[name] = space[name] || {};

export default space;
