/** Elements made by DOM calls only: texts are never parsed as HTML. */

const SVG = 'http://www.w3.org/2000/svg';

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

/** A chooser with its label. */
export function chooser(label, options, value, onchange) {
  const select = el('select', { onchange: () => onchange(select.value) });
  for (const [key, text] of options) select.append(el('option', { value: key }, text));
  select.value = value;
  return { node: el('label', { class: 'control' }, el('span', {}, label), select), select };
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
