/** Mouse, finger, wheel and keys turn and zoom the 3D view. */

const KEYS = {
  ArrowLeft: (view) => view.turn(-10, 0), ArrowRight: (view) => view.turn(10, 0),
  ArrowUp: (view) => view.turn(0, 10), ArrowDown: (view) => view.turn(0, -10),
  '+': (view) => view.zoom(0.85), '=': (view) => view.zoom(0.85), '-': (view) => view.zoom(1 / 0.85),
};

/**
 * Listens on a canvas.
 * @param {HTMLCanvasElement} canvas
 * @param {{turn: function(number, number), zoom: function(number)}} view degrees; factors below 1 go nearer
 */
export function listen(canvas, view) {
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
    if (pointers.size === 2) view.zoom(before / Math.max(spread(), 1));
    else view.turn(-0.5 * (now.x - last.x), 0.5 * (now.y - last.y));
  });
  for (const name of ['pointerup', 'pointercancel']) {
    canvas.addEventListener(name, (event) => pointers.delete(event.pointerId));
  }
  canvas.addEventListener('wheel', (event) => {
    if (document.activeElement !== canvas) return; // scrolling past must not be caught
    event.preventDefault();
    view.zoom(event.deltaY > 0 ? 1 / 0.92 : 0.92);
  }, { passive: false });
  canvas.addEventListener('keydown', (event) => {
    if (!Object.hasOwn(KEYS, event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    KEYS[event.key](view);
  });
}
