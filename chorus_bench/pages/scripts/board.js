/** The board page: Python wrote the tables; this adds choosers, filters and the other views. */
import { curveOf, loadMethod, titleOf, withoutHuman } from './data.js';
import './charts.js';
import { drawCurves } from './curves.js';
import { chooser, el, isolated } from './dom.js';
import { SCORES, whole } from './format.js';
import { drawHeadToHead } from './headtohead.js';
import { drawHeat } from './heat.js';
import space from './namespace.js';
import { fillRanking, makeSortable, nextSort } from './ranking.js';
import { leaders, matching, pairOf, sorted, valueOf } from './rows.js';
import { drawScatter } from './scatter.js';
import { readState, writeState } from './state.js';
import { summaryOf } from './summary.js';

const VIEWS = { ranking: 'Ranking', categories: 'By category', curves: 'Precision\u2013recall', scatter: 'PAP against hoa', compare: 'Head to head' };
/** The views in which each filter says something. */
const MEANINGFUL = {
  Score: ['ranking', 'categories', 'curves', 'compare'], Category: ['ranking', 'scatter'],
  Search: ['ranking', 'categories', 'scatter'], Status: ['ranking', 'categories', 'scatter'],
  Track: ['ranking', 'categories', 'scatter'], 'Saw COCO val': ['ranking', 'categories', 'scatter'],
};
const CURVES = { preselected: 3, most: 8 };

/** The numbers of pictures behind a category's scores. */
const countsOf = ({ counted, counted_hoa: hoa }) => (counted === hoa ? whole(counted) : `${whole(counted)}, hoa ${whole(hoa)}`);

const distinct = (methods, name) => [...new Set(methods.map((method) => method[name]))].filter(Boolean).sort();

/** One board's section of the page. */
class BoardView {
  constructor(board, state, change) {
    Object.assign(this, { board, state, change });
    this.section = document.getElementById(`board-${board.id}`);
    this.table = this.section.querySelector('table.ranking');
    this.live = el('p', { class: 'count', role: 'status', 'aria-live': 'polite' });
    this.filters = el('div', { class: 'controls' });
    this.panels = {};
    this.build();
  }

  build() {
    makeSortable(this.table, (column) => this.sort(column));
    const place = this.section.querySelector('.ranking-place');
    const tabs = el('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Views of this board' });
    const marker = el('div', {});
    place.replaceWith(marker);
    for (const [view, text] of Object.entries(VIEWS)) {
      const id = `${this.board.id}-${view}`;
      tabs.append(el('button', {
        type: 'button', role: 'tab', id: `${id}-tab`, 'aria-controls': id, 'data-view': view, onclick: () => this.change({ view }),
      }, text));
      this.panels[view] = el('div', { role: 'tabpanel', id, 'aria-labelledby': `${id}-tab`, class: 'panel' });
    }
    tabs.addEventListener('keydown', (event) => this.moveTab(event));
    this.panels.ranking.append(place);
    marker.replaceWith(this.filters, tabs, this.live, ...Object.values(this.panels));
    this.tabs = [...tabs.children];
    this.fillFilters();
  }

  moveTab(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
    if (!step) return;
    event.preventDefault();
    const now = this.tabs.indexOf(document.activeElement);
    const to = Number.isFinite(step) ? (now + step + this.tabs.length) % this.tabs.length : step < 0 ? 0 : this.tabs.length - 1;
    this.tabs[to].focus();
    this.change({ view: this.tabs[to].dataset.view });
  }

  fillFilters() {
    const { board, state, change } = this;
    const search = el('input', { type: 'search', placeholder: 'name, group, data', oninput: () => change({ text: search.value }) });
    search.value = state.text;
    const select = (label, name, options) => options.length > 1
      && chooser(label, [['', 'any'], ...options.map((option) => [option, option])], state[name], (value) => change({ [name]: value })).node;
    const published = board.kind === 'published';
    this.filters.replaceChildren(...[
      chooser('Score', SCORES.map(({ key, mean }) => [key, mean]), state.score, (score) => change({ score })).node,
      board.categories.length > 0 && chooser('Category', [['', published ? 'mean, as published' : `all ${board.categories.length}, mean`], ...board.categories.map((category) => [category.name, published ? category.name : `${category.name} (${countsOf(category)})`])],
        state.category, (category) => change({ category })).node,
      el('label', { class: 'control' }, el('span', {}, 'Search'), search),
      select('Status', 'status', distinct(board.methods, 'status')),
      select('Track', 'track', distinct(board.methods, 'track')),
      select('Saw COCO val', 'seen', distinct(board.methods, 'saw_coco_val')),
    ].filter(Boolean));
  }

  sort(column) {
    this.change(nextSort(this.state, column));
  }

  /** Draws what the state asks for. */
  show(state) {
    this.state = state;
    const { board } = this;
    const shown = sorted(matching(board.methods, state), state);
    this.section.querySelector('.summary').replaceChildren(...summaryOf(board, state.score, MEANINGFUL.Category.includes(state.view) ? state.category : ''));
    for (const control of this.filters.children) control.hidden = !MEANINGFUL[control.firstChild.textContent].includes(state.view);
    this.live.hidden = !MEANINGFUL.Search.includes(state.view);
    const order = state.category && state.view !== 'categories' ? ` \u00b7 scores, intervals and ranks within ${state.category}` : '';
    this.live.textContent = `${shown.length} of ${board.methods.length} ${board.methods.length === 1 ? 'method' : 'methods'}${order}`;
    for (const tab of this.tabs) {
      const chosen = tab.dataset.view === state.view;
      tab.setAttribute('aria-selected', String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      this.panels[tab.dataset.view].hidden = !chosen;
    }
    this[state.view](this.panels[state.view], shown);
  }

  ranking(panel, shown) {
    fillRanking(this.table, shown, this.state);
  }

  categories(panel, shown) {
    drawHeat(panel, this.board, shown, this.state, (column) => this.sort(column));
  }

  scatter(panel, shown) {
    const { category } = this.state;
    const points = shown.map((method) => ({
      name: method.method, href: method.page, x: valueOf(method, 'mPAP', category), y: valueOf(method, 'mPAP_hoa', category),
      xs: pairOf(method, 'mPAP', category), ys: pairOf(method, 'mPAP_hoa', category),
    })).filter(({ x, y }) => x !== null && y !== null);
    drawScatter(panel, { points, title: `PAP against PAP hoa, ${category || 'mean over the categories'}, ${points.length} methods` });
  }

  compare(panel) {
    drawHeadToHead(panel, this.board, this.state, this.change);
  }

  curves(panel) {
    const { board, state, change } = this;
    const able = leaders({ methods: board.methods.filter((method) => method.has_scores) }, state.score, board.methods.length);
    if (!able.length) {
      panel.replaceChildren(el('p', {}, 'This board has no per-sample numbers, so there are no curves.'));
      return;
    }
    const asked = state.methods ? state.methods.split(' ') : able.slice(0, CURVES.preselected).map(({ slug }) => slug);
    const chosen = able.filter(({ slug }) => asked.includes(slug)).slice(0, CURVES.most);
    const category = state.curve || state.category;
    const set = (slugs) => change({ methods: slugs.join(' ') });
    const slugs = chosen.map(({ slug }) => slug);
    const others = able.filter(({ slug }) => !slugs.includes(slug)).map(({ slug, method }) => [slug, method]);
    const place = el('div', { class: 'chart-place' });
    panel.replaceChildren(el('div', { class: 'controls' },
      chooser('Curves of', [['', `all ${board.categories.length} categories`], ...board.categories.map(({ name }) => [name, name])], category, (curve) => change(curve ? { curve } : { curve, category: '' })).node,
      others.length > 0 && chosen.length < CURVES.most ? chooser('Add a method', [['', 'choose\u2026'], ...others], '', (slug) => slug && set([...slugs, slug])).node : ''),
    el('ul', { class: 'chips', 'aria-label': 'Methods drawn' }, chosen.map(({ slug, method }) => el('li', {}, isolated(method),
      chosen.length > 1 && el('button', { type: 'button', 'aria-label': `Remove ${method}`, onclick: () => set(slugs.filter((other) => other !== slug)) }, '\u00d7')))), place);
    Promise.all(chosen.map(({ slug }) => loadMethod(slug))).then((data) => {
      const curves = data.map((one, i) => curveOf(one, category, chosen[i].method, state.score)).filter(Boolean);
      drawCurves(place, { title: `${titleOf(category)}${withoutHuman(state.score) ? ', without the person\u2019s pixels' : ''}: precision against recall`, curves });
    }).catch((error) => place.replaceChildren(el('p', { class: 'warning' }, error.message)));
  }
}

/** Shows one board at a time, and the chooser when there are several. */
function start() {
  const boards = space.board?.boards ?? [];
  if (document.body.dataset.page !== 'board' || !boards.length) return;
  document.documentElement.classList.add('scripted');
  let state = readState();
  const views = new Map();
  const known = (id) => boards.find((board) => board.id === id) ?? boards[0];
  if (!Object.hasOwn(VIEWS, state.view)) state.view = 'ranking';

  function change(part) {
    state = { ...state, ...part };
    if (part.board) Object.assign(state, { category: '', curve: '', methods: '', a: '', b: '', status: '', track: '', seen: '' });
    writeState(state);
    show();
  }

  function show() {
    const board = known(state.board);
    if (!board.categories.some(({ name }) => name === state.category)) state.category = '';
    if (!board.categories.some(({ name }) => name === state.curve)) state.curve = '';
    for (const section of document.querySelectorAll('section.board')) section.hidden = section.id !== `board-${board.id}`;
    if (!views.has(board.id)) views.set(board.id, new BoardView(board, state, change));
    views.get(board.id).show(state);
  }

  const place = document.getElementById('board-chooser');
  if (boards.length > 1) {
    place.append(chooser('Board', boards.map((board) => [board.id, board.title]), known(state.board).id, (board) => {
      views.get(board)?.fillFilters();
      change({ board });
    }).node);
    place.hidden = false;
  }
  window.addEventListener('hashchange', () => {
    state = { ...readState() };
    if (!Object.hasOwn(VIEWS, state.view)) state.view = 'ranking';
    for (const view of views.values()) { view.state = state; view.fillFilters(); }
    show();
  });
  show();
}

document.addEventListener('DOMContentLoaded', start);
