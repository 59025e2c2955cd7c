/** One board's section of the page. */
import { drawAgainst } from './against.js';
import { columnChooser, hideColumns } from './columns.js';
import { drawCurvesView } from './curvesview.js';
import { button, chooser, copyButton, el, keepingFocus } from './dom.js';
import { SCORES, whole } from './format.js';
import { drawHeadToHead } from './headtohead.js';
import { drawHeat } from './heat.js';
import { drawIntervals } from './intervals.js';
import { drawMatrix } from './matrix.js';
import { fillRanking, makeSortable, nextSort } from './ranking.js';
import { matching, pairOf, sorted, valueOf } from './rows.js';
import { drawSamples } from './samples.js';
import { FILTERS } from './state.js';
import { summaryOf } from './summary.js';
import { drawTrend } from './trend.js';
import { MEANINGFUL, VIEWS } from './views.js';

/** The numbers of pictures behind a category's scores. */
const countsOf = ({ counted, counted_hoa: hoa }) => (counted === hoa ? whole(counted) : `${whole(counted)}, hoa ${whole(hoa)}`);

const distinct = (methods, name) => [...new Set(methods.map((method) => method[name]))].filter(Boolean).sort();

/** One board: its controls, its tabs and a panel for each view that it has. */
export class BoardView {
  /**
   * @param {object} board
   * @param {object} state
   * @param {function(object)} change called with what the reader chose
   */
  constructor(board, state, change) {
    Object.assign(this, { board, state, change });
    this.section = document.getElementById(`board-${board.id}`);
    this.table = this.section.querySelector('table.ranking');
    this.views = Object.keys(VIEWS).filter((view) => VIEWS[view].has(board));
    this.panels = {};
    this.build();
  }

  build() {
    const { board, change } = this;
    makeSortable(this.table, (column) => this.sort(column));
    const place = this.section.querySelector('.ranking-place');
    const marker = el('div', {});
    place.replaceWith(marker);
    const tabs = el('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Views of this board' });
    for (const view of this.views) {
      const id = `${board.id}-${view}`;
      tabs.append(button(`tab:${view}`, () => change({ view }), { role: 'tab', id: `${id}-tab`, 'aria-controls': id, 'data-view': view }, VIEWS[view].text));
      this.panels[view] = el('div', { role: 'tabpanel', id, 'aria-labelledby': `${id}-tab`, class: 'panel' });
    }
    tabs.addEventListener('keydown', (event) => this.moveTab(event));
    this.tabs = [...tabs.children];
    this.panels.ranking.append(place);
    this.filters = el('div', { class: 'controls' });
    this.live = el('p', { class: 'count', role: 'status', 'aria-live': 'polite' });
    this.columns = columnChooser(this.table, (hide) => change({ hide }));
    this.nothing = el('p', { class: 'nothing', hidden: true }, 'No method matches these choices. ',
      button('reset', () => { change({ ...FILTERS }); this.fillFilters(); this.filters.querySelector('input')?.focus(); }, {}, 'Show all methods'));
    marker.replaceWith(this.filters, tabs,
      el('div', { class: 'above' }, this.live, this.columns, copyButton('Copy link to this view', () => location.href)),
      this.nothing, ...Object.values(this.panels));
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
    const search = el('input', { type: 'search', placeholder: 'name, group, data', 'data-focus': 'Search', oninput: () => change({ text: search.value }, true) });
    search.value = state.text;
    const select = (label, name, options) => options.length > 1
      && chooser(label, [['', 'any'], ...options.map((option) => [option, option])], state[name], (value) => change({ [name]: value })).node;
    const published = board.kind === 'published';
    const categories = [['', published ? 'mean, as published' : `all ${board.categories.length}, mean`],
      ...board.categories.map((category) => [category.name, published ? category.name : `${category.name} (${countsOf(category)})`])];
    keepingFocus(this.filters, () => this.filters.replaceChildren(...[
      chooser('Score', SCORES.map(({ key, mean }) => [key, mean]), state.score, (score) => change({ score })).node,
      board.categories.length > 0 && chooser('Category', categories, state.category, (category) => change({ category })).node,
      el('label', { class: 'control', 'data-label': 'Search' }, el('span', {}, 'Search'), search),
      select('Status', 'status', distinct(board.methods, 'status')),
      select('Track', 'track', distinct(board.methods, 'track')),
      select('Saw COCO val', 'seen', distinct(board.methods, 'saw_coco_val')),
    ].filter(Boolean)));
  }

  sort(column) {
    this.change(nextSort(this.state, column));
  }

  /** Draws what the state asks for. */
  show(state) {
    this.state = state;
    const { board } = this;
    const view = this.views.includes(state.view) ? state.view : 'ranking';
    const shown = matching(board.methods, state);
    this.say(shown, view);
    for (const tab of this.tabs) {
      const chosen = tab.dataset.view === view;
      tab.setAttribute('aria-selected', String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      this.panels[tab.dataset.view].hidden = !chosen;
    }
    this[view](this.panels[view], shown, sorted(board.methods, state));
  }

  /** The parts above the view: the sentence, the controls, how many methods are shown. */
  say(shown, view) {
    const { board, state } = this;
    const category = MEANINGFUL.Category.includes(view) ? state.category : '';
    const said = `${state.score}|${category}`;
    if (this.said !== said) this.section.querySelector('.summary').replaceChildren(...summaryOf(board, state.score, category));
    this.said = said;
    for (const control of this.filters.children) control.hidden = !MEANINGFUL[control.dataset.label].includes(view);
    const lists = MEANINGFUL.Search.includes(view);
    this.live.hidden = !lists;
    this.columns.hidden = view !== 'ranking';
    this.nothing.hidden = !lists || shown.length > 0;
    const order = state.category && view !== 'categories' ? ` \u00b7 scores, intervals and ranks within ${state.category}` : '';
    this.live.textContent = `${shown.length} of ${board.methods.length} ${board.methods.length === 1 ? 'method' : 'methods'}${order}`;
  }

  ranking(panel, shown, all) {
    hideColumns(this.table, this.state.hide);
    fillRanking(this.table, all, new Set(shown.map(({ slug }) => slug)), this.state);
  }

  categories(panel, shown, all) {
    drawHeat(panel, this.board, all, new Set(shown.map(({ slug }) => slug)), this.state, { sort: (column) => this.sort(column), change: this.change });
  }

  intervals(panel, shown) {
    const { score, category } = this.state;
    const rows = shown.filter((method) => valueOf(method, score, category) !== null)
      .map((method) => ({ name: method.method, href: method.page, value: valueOf(method, score, category), low: pairOf(method, score, category)?.[0] ?? null, high: pairOf(method, score, category)?.[1] ?? null }))
      .sort((a, b) => b.value - a.value);
    const name = SCORES.find(({ key }) => key === score)[category ? 'single' : 'mean'];
    if (rows.length) drawIntervals(panel, { rows, first: 'Method', title: `${name}${category ? ` of ${category}` : ''} of ${rows.length} methods, with 95 % intervals`, axis: `${name} (%)` });
    else panel.replaceChildren();
  }

  scatter(panel, shown) { keepingFocus(panel, () => drawAgainst(panel, this.board, shown, this.state, this.change)); }

  matrix(panel) { drawMatrix(panel, this.board, this.state); }

  trend(panel) { keepingFocus(panel, () => drawTrend(panel, this.board, this.state, this.change)); }

  samples(panel) { keepingFocus(panel, () => drawSamples(panel, this.board, this.state, this.change)); }

  compare(panel) { keepingFocus(panel, () => drawHeadToHead(panel, this.board, this.state, this.change)); }

  curves(panel) { keepingFocus(panel, () => drawCurvesView(panel, this.board, this.state, this.change)); }
}
