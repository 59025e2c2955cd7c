/** The 3D view of fields over the body, with its controls: `CHORUS_BENCH.mountViewer`. */
import { bytes, inflate, loadScript } from './data.js';
import { chooser, el } from './dom.js';
import space from './namespace.js';
import { listen } from './orbit.js';
import { largestPart } from './parts.js';
import { FieldScene, SURFACES, VIEWS, viewOf, webglWorks } from './scene.js';
import { describe, measure } from './words.js';

let mounted = 0;

/** Body as in data/body.js, or {vertices: Float32Array metres, faces: Uint32Array}. */
function decodeBody(body) {
  if (typeof body.vertices !== 'string') return body;
  const vertices = Float32Array.from(new Int16Array(bytes(body.vertices).buffer), (value) => value / 1000);
  const Kind = body.index_bytes === 2 ? Uint16Array : Uint32Array;
  return { vertices, faces: Uint32Array.from(new Kind(bytes(body.faces).buffer)) };
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

/** One body with one method's fields: a canvas, and the words below it. */
class Pane {
  constructor({ body, fields, grid, id, name, works }) {
    Object.assign(this, { fields, grid, cache: new Map(), serial: 0 });
    this.canvas = el('canvas', {
      tabindex: '0', role: 'img', 'aria-label': `Body with the field of the chosen category${name ? `, ${name}` : ''}`, 'aria-describedby': `${id}-text`,
    });
    this.text = el('p', { id: `${id}-text`, class: 'note', 'aria-live': 'polite' });
    this.node = el('div', { class: 'pane' }, name ? el('p', { class: 'pane-name' }, el('bdi', {}, name)) : '',
      works ? el('div', { class: 'stage' }, this.canvas) : '', this.text);
    this.scene = works ? new FieldScene(this.canvas) : null;
    if (!works) return;
    const { vertices, faces } = decodeBody(body);
    this.scene.setBody(vertices, faces);
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(this.canvas.parentElement);
  }

  fit() {
    const { clientWidth: width, clientHeight: height } = this.canvas.parentElement;
    if (width && height) this.scene.resize(width, height);
  }

  async values(name) {
    const field = this.fields[name];
    if (field.same) return this.values(field.same);
    if (!this.cache.has(name)) {
      this.cache.set(name, typeof field === 'string' ? await inflate(bytes(field)) : field);
    }
    return this.cache.get(name);
  }

  /** Shows a category; resolves to the probability of the level and the centre of the largest part, or null if overtaken. */
  async show({ category, level, surfaces, alone }) {
    const serial = (this.serial += 1);
    const given = Object.hasOwn(this.fields, category) ? await this.values(category) : null;
    if (serial !== this.serial) return null;
    if (!given) {
      this.text.textContent = `This method handed in nothing for ${category}.`;
      this.scene?.setField([], this.grid, []);
      return null;
    }
    const at = Math.max(1, level * given.reduce((a, b) => Math.max(a, b), 0));
    const levels = SURFACES[surfaces].map((share) => at * share);
    const found = measure(given, this.grid, at);
    this.text.textContent = describe(category, found);
    const drawn = levels.map((one, i) => (alone ? (i ? largestPart(given, this.grid.resolution, one).values : found.largest) : given));
    this.scene?.setField(drawn, this.grid, levels);
    this.canvas.dataset.shown = `${category}|${level}`;
    return { at, middle: found.count ? found.middle : [0, 0, 0] };
  }

  dispose() {
    this.observer?.disconnect();
    this.scene?.dispose();
    this.node.remove();
  }
}

/** What an address says of the view, where it can be used. */
function stateOf(given, names, level) {
  const numbers = (given.camera ?? '').split(',').map(Number);
  const share = Number(given.level);
  return {
    category: names.includes(given.category) ? given.category : names[0],
    level: share >= 0.05 && share <= 0.95 ? share : level,
    surfaces: Object.hasOwn(SURFACES, given.surfaces ?? '') ? given.surfaces : 'two',
    alone: given.part === 'largest', beside: '',
    camera: numbers.length === 3 && numbers.every(Number.isFinite) && numbers[2] > 0 ? numbers : null,
  };
}

/**
 * Shows fields over the body in an element, whose content is replaced.
 * @param {HTMLElement} element
 * @param {{body: object, fields: Object<string, (string|Uint8Array|{same: string})>, grid: object, categories: string[],
 *   level: number, others: Array[], name: string, state: Object<string, string>, onchange: function(object)}} options
 *   body as in data/body.js; fields by category, N^3 uint8 (value * 255, x slowest), plain or as base64 of zlib, or
 *   {same: category} where they are those of another;
 *   grid {resolution, side_length, center} in metres; categories in the order of the chooser; level, share of the
 *   maximum to start with; others, [slug, name] of methods that can be shown beside this one; state, what an
 *   earlier `onchange` was called with
 * @returns {{ready: Promise, setCategory: function(string): Promise, setLevel: function(number): Promise,
 *   setView: function(string), dispose: function()}}
 */
export function mountViewer(element, { body, fields, grid, categories, level = 0.5, others = [], name = '', state: given = {}, onchange = () => {} }) {
  const names = (categories ?? Object.keys(fields)).filter((one) => Object.hasOwn(fields, one));
  const state = stateOf(given, names, level);
  const works = webglWorks();
  const id = `viewer-${(mounted += 1)}`;
  const panes = [new Pane({ body, fields, grid, id, name: '', works })];
  const scenes = () => panes.map(({ scene }) => scene).filter(Boolean);
  const each = (act) => { for (const scene of scenes()) act(scene); };
  const stages = el('div', { class: 'stages' }, panes[0].node);
  let timer = 0;

  function tell() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const [scene] = scenes();
      const camera = scene ? [scene.azimuth, scene.elevation, scene.factor].map((value) => Number(value.toFixed(2))).join(',') : '';
      onchange({ category: state.category, level: state.level, surfaces: state.surfaces, part: state.alone ? 'largest' : 'all', camera, beside: state.beside });
    }, 250);
  }

  async function show(anew) {
    const found = await Promise.all(panes.map((pane) => pane.show(state)));
    if (!found[0]) return;
    slider.output.textContent = `${Math.round(100 * state.level)} % (probability ${(found[0].at / 255).toFixed(2)})`;
    if (anew) {
      const view = state.camera ?? viewOf(found[0].middle);
      state.camera = null;
      each((scene) => scene.look(...view));
    }
  }

  const change = (part, anew = false) => { Object.assign(state, part); tell(); return show(anew); };
  const turned = (act) => (...values) => { each((scene) => act(scene, ...values)); tell(); };
  const handle = {
    setCategory(category) { pick.set(category); return change({ category }, true); },
    setLevel(value) { slider.input.value = Math.round(100 * value); return change({ level: value }); },
    setView: turned((scene, view) => scene.look(...VIEWS[view])),
    zoom: turned((scene, factor) => scene.zoom(factor)),
    turn: turned((scene, azimuth, elevation) => scene.turn(azimuth, elevation)),
    dispose() { clearTimeout(timer); for (const pane of panes) pane.dispose(); element.replaceChildren(); },
  };

  async function setBeside(slug) {
    panes.splice(1).forEach((pane) => pane.dispose());
    panes[0].node.querySelector('.pane-name')?.remove();
    state.beside = slug;
    if (slug) {
      if (!Object.hasOwn(space.fields, slug)) await loadScript(`data/${encodeURIComponent(slug)}-fields.js`);
      if (state.beside !== slug) return;
      const other = space.fields[slug];
      const pane = new Pane({ body, fields: other.fields, grid: other.grid, id: `${id}-beside`, name: others.find(([key]) => key === slug)[1], works });
      panes.push(pane);
      panes[0].node.prepend(el('p', { class: 'pane-name' }, el('bdi', {}, name)));
      stages.append(pane.node);
      if (works) listen(pane.canvas, handle);
    }
    const [scene] = scenes();
    if (scene && slug) state.camera = [scene.azimuth, scene.elevation, scene.factor];
    await show(Boolean(slug));
    tell();
  }

  const pick = chooser('Category', names.map((one) => [one, one]), state.category, (category) => handle.setCategory(category));
  const slider = levelSlider(state.level, (value) => handle.setLevel(value));
  const beside = others.length && works && chooser('Beside it', [['', 'no other method'], ...others], '', setBeside);
  element.classList.add('viewer');
  element.replaceChildren(el('div', { class: 'controls' }, pick.node, slider.node, works && surfaceControls(state, change), beside && beside.node),
    works ? '' : missing(), stages, works ? viewButtons(handle) : '',
    el('p', { id: `${id}-help`, class: 'note', hidden: !works }, 'Drag, or arrow keys, to turn; + and \u2212 to zoom. The person is seen faintly through the field; the line on the floor is a metre.'));
  if (works) {
    listen(panes[0].canvas, handle);
    panes[0].fit();
  }
  handle.ready = names.length ? show(true) : Promise.resolve();
  if (beside && others.some(([slug]) => slug === given.beside)) {
    beside.set(given.beside);
    handle.ready = handle.ready.then(() => setBeside(given.beside));
  }
  return handle;
}

function missing() {
  return el('p', { class: 'warning', role: 'status' },
    'This browser offers no WebGL, so the field cannot be drawn. The text below says where it lies.');
}

function surfaceControls(state, change) {
  const box = el('input', { type: 'checkbox', onchange: () => change({ alone: box.checked }) });
  box.checked = state.alone;
  const texts = { one: 'one, at the level', two: 'two, at 1 and 0.4 of it', three: 'three, at 1, 0.6 and 0.3 of it' };
  return [chooser('Surfaces', Object.entries(texts), state.surfaces, (surfaces) => change({ surfaces })).node,
    el('label', { class: 'control check' }, box, el('span', {}, 'Largest part alone'))];
}

function viewButtons(handle) {
  const views = Object.keys(VIEWS).map((name) => el('button', { type: 'button', onclick: () => handle.setView(name) }, name));
  return el('div', { class: 'buttons', role: 'group', 'aria-label': 'Point of view' }, views,
    el('button', { type: 'button', 'aria-label': 'Zoom in', onclick: () => handle.zoom(0.85) }, '+'),
    el('button', { type: 'button', 'aria-label': 'Zoom out', onclick: () => handle.zoom(1 / 0.85) }, '\u2212'));
}

space.mountViewer = mountViewer;
