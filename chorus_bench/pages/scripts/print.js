/** Printed pages are complete: what is folded away is opened, and what is drawn late is drawn. */
import { fitAll } from './tables.js';

const waiting = new Set();

/** Draws something when it comes near the reader's view, or when the page is printed. */
export function whenSeen(element, draw) {
  const job = { element, draw };
  waiting.add(job);
  const seen = new IntersectionObserver((entries) => {
    if (entries.some(({ isIntersecting }) => isIntersecting)) run(job);
  }, { rootMargin: '400px' });
  job.stop = () => seen.disconnect();
  seen.observe(element);
}

function run(job) {
  if (!waiting.delete(job)) return;
  job.stop();
  job.draw();
}

/** Makes this page complete whenever it is printed. */
export function expandForPrint() {
  let opened = [];
  window.addEventListener('beforeprint', () => {
    for (const job of [...waiting]) {
      if (job.element.isConnected) run(job);
    }
    opened = [...document.querySelectorAll('details:not([open]):not(.columns)')];
    for (const details of opened) details.open = true;
    fitAll();
  });
  window.addEventListener('afterprint', () => {
    for (const details of opened) details.open = false;
    opened = [];
  });
}
