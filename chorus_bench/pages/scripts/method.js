/** A method's page: its curves, its fields in 3D, and a button that copies the citation. */
import './charts.js';
import { curveOf, loadMethod, titleOf } from './data.js';
import { drawCurves } from './curves.js';
import { chooser, el } from './dom.js';
import { held } from './format.js';
import space from './namespace.js';

/** Adds the copy button where the browser lets pages write to the clipboard. */
function copyButton() {
  const block = document.getElementById('citation-text');
  if (!block || !navigator.clipboard) return;
  const said = el('span', { role: 'status', class: 'note' });
  block.after(el('p', {}, el('button', {
    type: 'button',
    onclick: () => navigator.clipboard.writeText(block.textContent).then(
      () => { said.textContent = ' Copied.'; },
      () => { said.textContent = ' Could not copy; select the text instead.'; }),
  }, 'Copy BibTeX'), said));
}

async function curves(place, { slug, method, leader, leaderName }) {
  const own = await loadMethod(slug);
  const best = leader && leader !== slug ? await loadMethod(leader) : null;
  const names = Object.keys(own.curves);
  if (!names.length) return;
  const chart = el('div', { class: 'chart-place' });
  const show = (category) => drawCurves(chart, {
    title: `${titleOf(category)}: precision against recall`,
    curves: [curveOf(own, category, method), best && curveOf(best, category, `${held(leaderName)} (leads the board)`)].filter(Boolean),
  });
  place.replaceChildren(el('div', { class: 'controls' }, chooser('Category', names.map((name) => [name, titleOf(name)]), names[0], show).node), chart);
  show(names[0]);
}

function fields(place, { slug }) {
  const given = space.fields[slug];
  if (!given || !space.body || !space.mountViewer) return;
  space.viewer = space.mountViewer(place, {
    body: space.body, fields: given.fields, grid: given.grid, categories: Object.keys(given.fields), level: 0.5,
  });
}

function start() {
  const { page, ...facts } = document.body.dataset;
  if (page !== 'method') return;
  document.documentElement.classList.add('scripted');
  copyButton();
  const failed = (place) => (error) => place.replaceChildren(el('p', { class: 'warning' }, error.message));
  const places = ['curves-place', 'fields-place'].map((id) => document.getElementById(id));
  if (places[0]) curves(places[0], facts).catch(failed(places[0]));
  if (places[1]) fields(places[1], facts);
}

document.addEventListener('DOMContentLoaded', start);
