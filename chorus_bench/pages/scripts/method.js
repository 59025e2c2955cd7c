/** A method's page: its curves, its fields in 3D, its samples, and buttons that copy the citation and the view. */
import { followPage } from './charts.js';
import { curveOf, loadMethod, titleOf } from './data.js';
import { drawCurves } from './curves.js';
import { chooser, copyButton, el } from './dom.js';
import { held } from './format.js';
import space from './namespace.js';
import { loadHeats, loadMasks, overlayCanvas } from './pictures.js';
import { whenSeen } from './print.js';

/** What the address says: the board's state to go back to, and the 3D view's. */
const given = () => new URLSearchParams(location.hash.slice(1));

/** Lets the link to the board go back to where the reader came from. */
function wayBack() {
  const link = document.querySelector('a.back');
  const from = given().get('from');
  if (link && from) link.href = `${link.getAttribute('href').split('#')[0]}#${from}`;
}

/** The address of this page as it looks, without the way back. */
function addressOfView() {
  const parts = given();
  parts.delete('from');
  const text = parts.toString();
  return location.href.split('#')[0] + (text ? `#${text}` : '');
}

function remember(part) {
  const parts = given();
  for (const [key, value] of Object.entries(part)) parts.set(key, value);
  history.replaceState(null, '', `#${parts}`);
}

async function curves(place, { slug, method, leader, leaderName }) {
  const own = await loadMethod(slug);
  const best = leader && leader !== slug ? await loadMethod(leader) : null;
  const names = Object.keys(own.curves);
  if (!names.length) return;
  const chart = el('div', { class: 'chart-place' });
  const first = names.includes(given().get('curve')) ? given().get('curve') : names[0];
  const show = (category) => drawCurves(chart, {
    title: `${titleOf(category)}: precision against recall`,
    curves: [curveOf(own, category, method), best && curveOf(best, category, `${held(leaderName)} (leads the board)`)].filter(Boolean),
  });
  const choose = (curve) => { remember({ curve }); show(curve); };
  place.replaceChildren(el('div', { class: 'controls' }, chooser('Category', names.map((name) => [name, titleOf(name)]), first, choose).node), chart);
  show(first);
}

/** The other methods with fields, as the page lists them. */
const others = () => [...document.querySelectorAll('#others [data-slug]')].map((item) => [item.dataset.slug, item.textContent]);

function fields(place, { slug, method }) {
  const own = space.fields[slug];
  if (!own || !space.body || !space.mountViewer) return;
  space.viewer = space.mountViewer(place, {
    body: space.body, fields: own.fields, grid: own.grid, categories: Object.keys(own.fields), level: 0.5,
    name: method, others: others(), state: Object.fromEntries(given()), onchange: remember,
  });
  place.append(el('p', {}, copyButton('Copy link to this view', addressOfView)));
}

/** Draws the samples when they come near the reader's view. */
async function pictures({ slug, board }) {
  const places = [...document.querySelectorAll('.overlay-place[data-sample]')];
  if (!places.length) return;
  const [masks, heats] = await Promise.all([loadMasks(board), loadHeats(slug)]);
  for (const place of places) {
    const sample = masks.get(place.dataset.sample);
    const heat = heats.get(place.dataset.sample);
    if (!sample || !heat) continue;
    place.style.aspectRatio = `${sample.size[1]} / ${sample.size[0]}`;
    whenSeen(place, () => place.replaceChildren(overlayCanvas(sample, heat, place.dataset.text)));
  }
}

function start() {
  const { page, ...facts } = document.body.dataset;
  if (page !== 'method') return;
  document.documentElement.classList.add('scripted');
  wayBack();
  followPage();
  const citation = document.getElementById('citation-text');
  if (citation) citation.after(el('p', {}, copyButton('Copy BibTeX', () => citation.textContent)));
  const failed = (place) => (error) => place.replaceChildren(el('p', { class: 'warning' }, error.message));
  const places = ['curves-place', 'fields-place', 'pictures-said'].map((id) => document.getElementById(id));
  if (places[0]) curves(places[0], facts).catch(failed(places[0]));
  if (places[1]) fields(places[1], facts);
  if (places[2]) pictures(facts).catch(failed(places[2]));
}

document.addEventListener('DOMContentLoaded', start);
