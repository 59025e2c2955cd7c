/** The board page: Python wrote the tables; this adds choosers, filters and the other views. */
import { followPage } from './charts.js';
import { BoardView } from './boardview.js';
import { chooser } from './dom.js';
import space from './namespace.js';
import { OF_A_BOARD, readState, writeState } from './state.js';

/** Before a link to a method's page is followed, the way back is written into it. */
function rememberWayBack(event) {
  const link = event.target.closest?.('a');
  const href = link?.getAttribute('href');
  if (!href?.startsWith('methods/')) return;
  const state = location.hash.slice(1);
  link.setAttribute('href', href.split('#')[0] + (state ? `#from=${encodeURIComponent(state)}` : ''));
}

/** Shows one board at a time, and the chooser when there are several. */
function start() {
  const boards = space.board?.boards ?? [];
  if (document.body.dataset.page !== 'board' || !boards.length) return;
  document.documentElement.classList.add('scripted');
  let state = readState();
  const views = new Map();
  const known = (id) => boards.find((board) => board.id === id) ?? boards[0];

  function change(part, quiet = false) {
    if (part.board) Object.assign(state, OF_A_BOARD);
    state = { ...state, ...part };
    writeState(state, quiet);
    show();
  }

  function show() {
    const board = known(state.board);
    for (const name of ['category', 'curve']) if (!board.categories.some((category) => category.name === state[name])) state[name] = '';
    for (const section of document.querySelectorAll('section.board')) section.hidden = section.id !== `board-${board.id}`;
    if (!views.has(board.id)) views.set(board.id, new BoardView(board, state, change));
    views.get(board.id).show(state);
  }

  const place = document.getElementById('board-chooser');
  const pick = chooser('Board', boards.map((board) => [board.id, board.title]), known(state.board).id, (board) => {
    change({ board });
    views.get(board).fillFilters();
  });
  if (boards.length > 1) {
    place.append(pick.node);
    place.hidden = false;
  }
  window.addEventListener('popstate', () => {
    state = readState();
    show();
    pick.set(known(state.board).id);
    views.get(known(state.board).id).fillFilters();
    show();
  });
  for (const kind of ['pointerdown', 'click', 'auxclick']) document.addEventListener(kind, rememberWayBack);
  followPage();
  show();
}

document.addEventListener('DOMContentLoaded', start);
