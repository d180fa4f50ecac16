/** The label page: puts stage, strip, panel, queue and outbox together. */
import { Answering } from './answering.js';
import { Connection } from './connection.js';
import { find } from './dom.js';
import { Finder } from './finder.js';
import { Outbox } from './outbox.js';
import { Page } from './page.js';
import { Shortcuts } from './shortcuts.js';

const state = JSON.parse(find('#desk-state').textContent ?? '{}');
const page = new Page(state);

/** Keys that only look. */
const looking = {
  move: (step) => page.move(step),
  frame: (step) => page.strip.move(step),
  home: () => page.strip.home(),
  play: () => page.strip.play(),
  view: () => page.stage.turn('next'),
  zoom: (step) => page.stage.zoom(1.25 ** step),
  pan: ([x, y]) => page.stage.pan(60 * x, 60 * y),
  bright: (step) => page.stage.adjust('bright', step),
  contrast: (step) => page.stage.adjust('contrast', step),
  asShot: () => page.stage.asShot(),
  hide: () => page.panel.turnGuess(),
};
const nothing = () => undefined;

/** Wired at once: a key may come before the outbox is open; it waits its turn. */
function start() {
  if (!state.may_label) {
    page.start();
    keys({ accept: nothing, find: nothing, emptyPhoto: nothing, skip: nothing, undo: nothing, redo: nothing }, () => false);
    return;
  }
  const outbox = new Outbox(page.user);
  new Connection(page, outbox);
  const answering = new Answering(page, outbox, state.last);
  const finder = new Finder(find('.find'), page.panel, {
    take: (id, certain) => answering.species(id, certain),
    say: (words) => page.tell(words),
    url: `${page.project}/species`,
  });
  keys(
    {
      accept: () => answering.accept(),
      find: () => finder.open(),
      emptyPhoto: () => answering.emptyPhoto(),
      skip: () => answering.skip(),
      undo: () => answering.undo(),
      redo: () => answering.redo(),
    },
    (key, certain) => answering.key(key, certain),
  );
}

/** @param {Record<string, (step: any) => void>} acting @param {(key: string, certain: boolean) => boolean} species */
function keys(acting, species) {
  const shortcuts = new Shortcuts({ ...looking, ...acting }, species);
  const button = find('.help-button');
  button.hidden = false;
  button.addEventListener('click', () => shortcuts.open());
}

start();
