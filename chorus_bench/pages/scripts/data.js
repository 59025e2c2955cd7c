/** Reads the data files: base64 arrays, and scripts fetched on demand by adding script tags. */
import space from './namespace.js';

/** Decodes base64 to bytes. */
export function bytes(text) {
  const raw = atob(text);
  const out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) out[i] = raw.charCodeAt(i);
  return out;
}

/** Decodes base64 of little-endian uint16 in units of 1/65535 to fractions. */
export function fractions(text) {
  const view = new DataView(bytes(text).buffer);
  return Float64Array.from({ length: view.byteLength / 2 }, (_, i) => view.getUint16(2 * i, true) / 65535);
}

/** Decodes base64 of little-endian float32. */
export function floats(text) {
  const view = new DataView(bytes(text).buffer);
  return Float64Array.from({ length: view.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

/** Undoes zlib. */
export async function inflate(packed) {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const pending = new Map();

/** Loads a data script once; `path` is relative to the site's root. */
export function loadScript(path) {
  if (!pending.has(path)) {
    pending.set(path, new Promise((resolve, reject) => {
      const script = document.createElement('script');
      script.src = (document.body.dataset.root ?? '') + path;
      script.addEventListener('load', resolve);
      script.addEventListener('error', () => reject(new Error(`${path} could not be read`)));
      document.head.append(script);
    }));
  }
  return pending.get(path);
}

const decoded = new Map();

/** A method's per-sample scores and curves. */
export async function loadMethod(slug) {
  if (!decoded.has(slug)) {
    if (!Object.hasOwn(space.methods, slug)) await loadScript(`data/${encodeURIComponent(slug)}.js`);
    const { scores = {}, curves = {}, curves_hoa: hoa = {} } = space.methods[slug];
    decoded.set(slug, {
      scores: Object.fromEntries(Object.entries(scores).map(([name, text]) => [name, fractions(text)])),
      curves,
      hoa,
    });
  }
  return decoded.get(slug);
}

/** The samples of a board, in the order of the scores. */
export async function loadSamples(board) {
  if (!Object.hasOwn(space.sampleIds, board)) await loadScript(`data/samples-${encodeURIComponent(board)}.js`);
  return space.sampleIds[board];
}

/** Whether a score leaves the person's pixels out; strict scores have the curves of the others. */
export const withoutHuman = (key) => key.includes('hoa');

/** What the curve of a category is called; '' is the mean over all. */
export const titleOf = (category) => category || 'Mean over the categories';

/** One curve of a method by a score, for `drawCurves`; null where the method has none. */
export function curveOf(method, category, name, key = 'mPAP') {
  const curves = withoutHuman(key) ? method.hoa : method.curves;
  const curve = Object.hasOwn(curves, category) ? curves[category] : null;
  return curve && { ...curve, name };
}
