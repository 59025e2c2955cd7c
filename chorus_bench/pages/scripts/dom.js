/** Elements made by DOM calls only: texts are never parsed as HTML. */

const SVG = 'http://www.w3.org/2000/svg';

/** From this many options on, a chooser is a field to type in. */
const SEARCHED = 20;

function fill(node, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/**
 * Makes an HTML element.
 * @param {string} tag
 * @param {object} [properties] attributes; `onclick` and the like are listeners
 * @param {...(Node|string|null|Array)} children strings become text
 * @returns {HTMLElement}
 */
export function el(tag, properties, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** Makes an SVG element; see `el`. */
export function svg(tag, properties, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

/** A text of unknown direction, kept from turning its surroundings around. */
export const isolated = (text) => el('bdi', {}, text);

/** A button that keeps the focus when its surroundings are drawn again; see `keepingFocus`. */
export const button = (name, onclick, properties, ...children) => el('button', { type: 'button', 'data-focus': name, onclick, ...properties }, ...children);

let lists = 0;

/** A field to type in, with the options that match below it. */
function searched(label, options, onchange) {
  const names = new Map();
  for (const [key, text] of options) names.set(names.has(text) ? `${text} (${key})` : text, key);
  const textOf = new Map([...names].map(([text, key]) => [key, text]));
  const id = `options-${(lists += 1)}`;
  let chosen = '';
  const input = el('input', {
    type: 'text', list: id, autocomplete: 'off', spellcheck: 'false', 'data-focus': label,
    onfocus: () => input.select(),
    onchange: () => {
      const near = [...names.keys()].filter((text) => text.toLowerCase().includes(input.value.trim().toLowerCase()));
      const found = names.has(input.value) ? input.value : near.length === 1 && input.value.trim() ? near[0] : null;
      if (found === null) input.value = textOf.get(chosen) ?? '';
      else onchange((chosen = names.get(found)));
    },
  });
  const set = (value) => { chosen = value; input.value = textOf.get(value) ?? ''; };
  return { control: [input, el('datalist', { id }, [...names.keys()].map((text) => el('option', { value: text })))], set };
}

function selected(label, options, onchange) {
  const select = el('select', { 'data-focus': label, onchange: () => onchange(select.value) });
  for (const [key, text] of options) select.append(el('option', { value: key }, text));
  return { control: select, set: (value) => { select.value = value; } };
}

/**
 * A chooser with its label; with more than 20 options it is searched by typing.
 * @param {string} label
 * @param {string[][]} options keys and texts
 * @param {string} value the key chosen first
 * @param {function(string)} onchange called with the key
 * @returns {{node: HTMLElement, set: function(string)}}
 */
export function chooser(label, options, value, onchange) {
  const { control, set } = (options.length > SEARCHED ? searched : selected)(label, options, onchange);
  set(value);
  return { node: el('label', { class: 'control', 'data-label': label }, el('span', {}, label), control), set };
}

const visible = (node) => node.getClientRects().length > 0;

/** Draws something anew and gives the focus back to the control of the same name in it. */
export function keepingFocus(root, draw) {
  const held = root.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  draw();
  if (held === undefined || root.contains(document.activeElement)) return;
  const controls = [...root.querySelectorAll('[data-focus]')].filter(visible);
  (controls.find((node) => node.dataset.focus === held) ?? controls[0])?.focus({ preventScroll: true });
}

/** A button that copies a text, and says so; where pages may not copy, the text is shown to be copied by hand. */
export function copyButton(label, textOf) {
  const said = el('span', { role: 'status', class: 'note' });
  const byHand = () => {
    const field = el('input', { type: 'text', readonly: true, 'aria-label': `${label}: the text` });
    field.value = textOf();
    said.replaceChildren(' Copy this: ', field);
    field.select();
  };
  const copy = () => (navigator.clipboard
    ? navigator.clipboard.writeText(textOf()).then(() => { said.textContent = ' Copied.'; }, byHand) : byHand());
  return el('span', { class: 'copy' }, button(label, copy, {}, label), said);
}

/** Stops following an element's width. */
export function still(element) {
  element.responsiveObserver?.disconnect();
}

/** Calls `draw(width)` now and whenever the element gets another width. */
export function responsive(element, draw) {
  still(element);
  let last = 0;
  const paint = () => {
    const width = Math.round(element.clientWidth);
    if (width && width !== last) draw((last = width));
  };
  paint();
  element.responsiveObserver = new ResizeObserver(paint);
  element.responsiveObserver.observe(element);
}
