/** Pictures of single samples, drawn from masks and small occupancy images. */
import { bytes, inflate, loadScript } from './data.js';
import { el } from './dom.js';
import { percent } from './format.js';
import space from './namespace.js';
import { decodeMask } from './rle.js';

/** The longer side of a picture, pixels. */
const SIDE = 360;
const PAPER = 247;
const PERSON = 184;
const TARGET = [26, 115, 232];
/** The heat: colours at shares of the largest probability; unseen below FAINT, densest above FULL. As the report draws it. */
const RAMP = [[0, [255, 237, 128]], [0.4, [255, 191, 51]], [0.7, [237, 89, 26]], [1, [153, 0, 38]]];
const FAINT = 0.2;
const FULL = 0.75;
const OPACITY = 0.85;

/** Whether a board has samples with pictures under several methods. */
export const isPictured = (board) => board.methods.filter(({ pictured }) => pictured > 0).length > 1;

const unpacked = async (packed) => JSON.parse(new TextDecoder().decode(await inflate(bytes(packed))));
const loaded = new Map();

function once(key, load) {
  if (!loaded.has(key)) loaded.set(key, load());
  return loaded.get(key);
}

/** The masks of a board's pictured samples: id -> {category, size, person, target}. */
export const loadMasks = (board) => once(`board|${board}`, async () => {
  await loadScript(`data/masks-${encodeURIComponent(board)}.js`);
  return new Map(Object.entries(await unpacked(space.masks[board])));
});

/** A method's occupancy images: id -> {size, top, values}. */
export const loadHeats = (slug) => once(`method|${slug}`, async () => {
  await loadScript(`data/${encodeURIComponent(slug)}-pictures.js`);
  const { index, heat } = space.pictures[slug];
  const values = await inflate(bytes(heat));
  let at = 0;
  return new Map(Object.entries(await unpacked(index)).map(([id, { size, top }]) => {
    const start = at;
    at += size[0] * size[1];
    return [id, { size, top, values: values.subarray(start, at) }];
  }));
});

/** The colour of a share of the largest probability. */
function heatColour(share) {
  const upper = Math.max(1, RAMP.findIndex(([end]) => share <= end));
  const [[low, from], [high, to]] = [RAMP[upper - 1], RAMP[upper]];
  return from.map((value, i) => value + ((share - low) / (high - low)) * (to[i] - value));
}

function opacityOf(share) {
  const x = Math.min(1, Math.max(0, (share - FAINT) / (FULL - FAINT)));
  return OPACITY * x * x * (3 - 2 * x);
}

/** The colours of the 256 values over a grey ground. */
function palette(ground) {
  return Array.from({ length: 256 }, (_, value) => {
    const alpha = opacityOf(value / 255);
    return heatColour(value / 255).map((channel) => Math.round(channel * alpha + ground * (1 - alpha)));
  });
}

const PALETTES = [palette(PAPER), palette(PERSON)];

/** Whether a pixel is on the mask and near its edge. */
function onEdge(mask, width, height, x, y, reach) {
  if (!mask[y * width + x]) return false;
  return x < reach || y < reach || x >= width - reach || y >= height - reach
    || !(mask[y * width + x - reach] && mask[y * width + x + reach] && mask[(y - reach) * width + x] && mask[(y + reach) * width + x]);
}

/**
 * Draws a sample: the person in grey, the projected field from yellow to dark red, the object's outline in blue.
 * @param {HTMLCanvasElement} canvas
 * @param {{size: number[], person: string, target: string}} sample
 * @param {{size: number[], values: Uint8Array}} heat 255 is the largest probability of the picture
 */
export function drawOverlay(canvas, { size: [height, width], person, target }, heat) {
  const factor = Math.min(1, SIDE / Math.max(height, width));
  const [w, h] = [width, height].map((side) => Math.max(1, Math.round(side * factor)));
  const masks = [person, target].map((counts) => decodeMask(counts, height, width));
  const reach = Math.max(1, Math.ceil(1.5 / factor));
  [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext('2d');
  const image = context.createImageData(w, h);
  for (let y = 0; y < h; y += 1) {
    const row = Math.min(height - 1, Math.floor((y + 0.5) / factor));
    const line = Math.floor(((y + 0.5) * heat.size[0]) / h) * heat.size[1];
    for (let x = 0; x < w; x += 1) {
      const column = Math.min(width - 1, Math.floor((x + 0.5) / factor));
      const value = heat.values[line + Math.floor(((x + 0.5) * heat.size[1]) / w)];
      const colour = onEdge(masks[1], width, height, column, row, reach) ? TARGET : PALETTES[masks[0][row * width + column]][value];
      const at = 4 * (y * w + x);
      [image.data[at], image.data[at + 1], image.data[at + 2]] = colour;
      image.data[at + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
}

/** What the colours mean. */
export function legend() {
  return el('p', { class: 'overlay-legend' },
    el('span', { class: 'swatch ramp', 'aria-hidden': 'true' }), 'projected field, from little to the picture\u2019s largest probability',
    el('span', { class: 'swatch outline', 'aria-hidden': 'true' }), 'the object\u2019s true outline',
    el('span', { class: 'swatch person', 'aria-hidden': 'true' }), 'the person');
}

/** A canvas with a sample under a method, and its text alternative. */
export function overlayCanvas(sample, heat, text) {
  const canvas = el('canvas', { class: 'overlay', role: 'img', 'aria-label': `${text}; largest probability ${percent(heat.top)} %` });
  drawOverlay(canvas, sample, heat);
  return canvas;
}
