/** The 3D view of fields over the body, with its controls: `CHORUS_BENCH.mountViewer`. */
import { bytes, inflate } from './data.js';
import { chooser, el } from './dom.js';
import space from './namespace.js';
import { FieldScene, VIEWS, webglWorks } from './scene.js';
import { describe, measure } from './words.js';

const KEYS = {
  ArrowLeft: (scene) => scene.turn(-10, 0), ArrowRight: (scene) => scene.turn(10, 0),
  ArrowUp: (scene) => scene.turn(0, 10), ArrowDown: (scene) => scene.turn(0, -10),
  '+': (scene) => scene.zoom(0.85), '=': (scene) => scene.zoom(0.85), '-': (scene) => scene.zoom(1 / 0.85),
};

let mounted = 0;

/** Body as in data/body.js, or {vertices: Float32Array metres, faces: Uint32Array}. */
function decodeBody(body) {
  if (typeof body.vertices !== 'string') return body;
  const vertices = Float32Array.from(new Int16Array(bytes(body.vertices).buffer), (value) => value / 1000);
  const Kind = body.index_bytes === 2 ? Uint16Array : Uint32Array;
  return { vertices, faces: Uint32Array.from(new Kind(bytes(body.faces).buffer)) };
}

/** Mouse, finger, wheel and keys turn and zoom the scene. */
function listen(canvas, scene) {
  const pointers = new Map();
  const spread = () => {
    const [p, q] = [...pointers.values()];
    return Math.hypot(p.x - q.x, p.y - q.y);
  };
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  canvas.addEventListener('pointermove', (event) => {
    const last = pointers.get(event.pointerId);
    if (!last) return;
    const before = pointers.size === 2 ? spread() : 0;
    const now = { x: event.clientX, y: event.clientY };
    pointers.set(event.pointerId, now);
    if (pointers.size === 2) scene.zoom(before / Math.max(spread(), 1));
    else scene.turn(-0.5 * (now.x - last.x), 0.5 * (now.y - last.y));
  });
  for (const name of ['pointerup', 'pointercancel']) {
    canvas.addEventListener(name, (event) => pointers.delete(event.pointerId));
  }
  canvas.addEventListener('wheel', (event) => {
    if (document.activeElement !== canvas) return; // scrolling past must not be caught
    event.preventDefault();
    scene.zoom(event.deltaY > 0 ? 1 / 0.92 : 0.92);
  }, { passive: false });
  canvas.addEventListener('keydown', (event) => {
    if (!Object.hasOwn(KEYS, event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    KEYS[event.key](scene);
  });
}

function levelSlider(level, oninput) {
  const output = el('output', {});
  const input = el('input', {
    type: 'range', min: 5, max: 95, step: 5, value: Math.round(100 * level),
    oninput: () => oninput(Number(input.value) / 100),
  });
  const node = el('label', { class: 'control' }, el('span', {}, 'Level, share of the maximum'), input, output);
  return { node, output, input };
}

/**
 * Shows fields over the body in an element, whose content is replaced.
 * @param {HTMLElement} element
 * @param {{body: object, fields: Object<string, (string|Uint8Array)>, grid: object, categories: string[],
 *   level: number, max: Object<string, number>}} options body as in data/body.js; fields by category,
 *   N^3 uint8 (value * 255, x slowest), plain or as base64 of zlib; grid {resolution, side_length, center}
 *   in metres; categories in the order of the chooser; level, share of the maximum to start with
 * @returns {{ready: Promise, setCategory: function(string): Promise, setLevel: function(number): Promise,
 *   setView: function(string), dispose: function()}}
 */
export function mountViewer(element, { body, fields, grid, categories, level = 0.5 }) {
  const names = (categories ?? Object.keys(fields)).filter((name) => Object.hasOwn(fields, name));
  const state = { category: names[0], level, serial: 0 };
  const works = webglWorks();
  const id = `viewer-${(mounted += 1)}`;
  const canvas = el('canvas', {
    tabindex: '0', role: 'img', 'aria-label': 'Body with the field of the chosen category', 'aria-describedby': `${id}-text ${id}-help`,
  });
  const text = el('p', { id: `${id}-text`, class: 'note', 'aria-live': 'polite' });
  const pick = chooser('Category', names.map((name) => [name, name]), state.category, (name) => handle.setCategory(name));
  const slider = levelSlider(level, (value) => handle.setLevel(value));
  const scene = works ? new FieldScene(canvas) : null;
  const cache = new Map();

  async function values(name) {
    if (!cache.has(name)) {
      const field = fields[name];
      cache.set(name, typeof field === 'string' ? await inflate(bytes(field)) : field);
    }
    return cache.get(name);
  }

  async function show() {
    const serial = (state.serial += 1);
    const field = await values(state.category);
    if (serial !== state.serial) return; // something newer is on its way
    const most = field.reduce((a, b) => Math.max(a, b), 0);
    const at = Math.max(1, state.level * most);
    slider.output.textContent = `${Math.round(100 * state.level)} % (probability ${(at / 255).toFixed(2)})`;
    text.textContent = describe(state.category, measure(field, grid, at));
    scene?.setField(field, grid, at);
    canvas.dataset.shown = `${state.category}|${state.level}`;
  }

  const handle = {
    setCategory(name) { state.category = pick.select.value = name; return show(); },
    setLevel(value) { state.level = value; slider.input.value = Math.round(100 * value); return show(); },
    setView(name) { scene?.look(...VIEWS[name]); },
    dispose() { observer?.disconnect(); scene?.dispose(); element.replaceChildren(); },
  };
  element.classList.add('viewer');
  element.replaceChildren(el('div', { class: 'controls' }, pick.node, slider.node, works && shellBox(scene)),
    works ? el('div', { class: 'stage' }, canvas) : missing(), works ? viewButtons(handle, scene) : '',
    el('p', { id: `${id}-help`, class: 'note', hidden: !works }, 'Drag, or arrow keys, to turn; + and \u2212 to zoom.'), text);
  const observer = works && new ResizeObserver(() => fit(canvas, scene));
  if (works) {
    const { vertices, faces } = decodeBody(body);
    scene.setBody(vertices, faces);
    listen(canvas, scene);
    fit(canvas, scene);
    observer.observe(canvas.parentElement);
  }
  handle.ready = names.length ? show() : Promise.resolve();
  return handle;
}

function fit(canvas, scene) {
  const { clientWidth: width, clientHeight: height } = canvas.parentElement;
  if (width && height) scene.resize(width, height);
}

function missing() {
  return el('p', { class: 'warning', role: 'status' },
    'This browser offers no WebGL, so the field cannot be drawn. The text below says where it lies.');
}

function shellBox(scene) {
  const box = el('input', { type: 'checkbox', onchange: () => scene.setShell(box.checked) });
  box.checked = true;
  return el('label', { class: 'control check' }, box, el('span', {}, 'Faint surface at 0.4 of the level'));
}

function viewButtons(handle, scene) {
  const views = Object.keys(VIEWS).map((name) => el('button', { type: 'button', onclick: () => handle.setView(name) }, name));
  return el('div', { class: 'buttons', role: 'group', 'aria-label': 'Point of view' }, views,
    el('button', { type: 'button', 'aria-label': 'Zoom in', onclick: () => scene.zoom(0.85) }, '+'),
    el('button', { type: 'button', 'aria-label': 'Zoom out', onclick: () => scene.zoom(1 / 0.85) }, '\u2212'));
}

space.mountViewer = mountViewer;
