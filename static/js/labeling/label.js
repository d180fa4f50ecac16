/** The label page: puts stage, strip, panel, queue and outbox together. */
import { Answering } from './answering.js';
import { Boxes } from './boxes.js';
import { Connection } from './connection.js';
import { Count } from './count.js';
import { closest, find } from './dom.js';
import { Finder } from './finder.js';
import { Notes } from './notes.js';
import { Outbox } from './outbox.js';
import { Page } from './page.js';
import { References } from './references.js';
import { Shortcuts } from './shortcuts.js';
import { words } from './words.js';

const state = JSON.parse(find('#desk-state').textContent ?? '{}');
const page = new Page(state);
new References(find('.compare'), page.panel, page.project);

/** Keys that only look. @type {Record<string, (step: any) => void>} */
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
  turn: () => location.assign(`${page.project}/grid${page.crop ? `?box=${page.crop.box_id}` : ''}`),
  leave: () => page.crop && page.strip.arm(false),
};
const nothing = () => undefined;

/** Wired at once: a key may come before the outbox is open; it waits its turn. */
function start() {
  if (!state.may_label) {
    page.start();
    keys({ accept: nothing, find: nothing, emptyPhoto: nothing, skip: nothing, undo: nothing, redo: nothing, arm: nothing, majority: nothing, count: nothing, flag: nothing, comment: nothing }, () => false);
    return;
  }
  const outbox = new Outbox(page.user);
  new Connection(page, outbox);
  const answering = new Answering(page, outbox, state.last);
  const count = new Count(page, answering);
  const notes = new Notes(page, answering);
  const boxes = new Boxes(page, answering);
  const finder = new Finder(find('.find'), page.panel, {
    take: (id, certain) => answering.species(id, certain),
    say: (said) => page.tell(said),
    url: `${page.project}/species`,
  });
  /** Whether the next answer is for the burst. */
  const arm = () => answering.inTurn(() => {
    if (!page.strip.arm(!page.strip.isArmed) && page.strip.others().length === 0) page.tell(words.nothingInBurst);
  });
  /** @type {Record<string, () => void>} */
  const burst = { arm, out: () => page.strip.takeOut(), majority: () => answering.majority() };
  find('.strip-acts').addEventListener('click', (event) => burst[closest(event, '[data-burst]')?.dataset.burst ?? '']?.());
  const shortcuts = keys(
    {
      arm,
      boxes: () => boxes.open(),
      majority: burst.majority,
      count: () => count.open(),
      flag: () => notes.flag(),
      comment: () => notes.open(),
      accept: () => answering.accept(),
      find: () => finder.open(),
      emptyPhoto: () => answering.emptyPhoto(),
      skip: () => answering.skip(),
      undo: () => answering.undo(),
      redo: () => answering.redo(),
    },
    (key, certain) => answering.key(key, certain),
  );
  shortcuts.mode = (event) => boxes.press(event);
  const [first] = window.takeEarlyKeys(); // a second one would answer a crop that nobody has seen
  if (first) shortcuts.press(first);
}

/** @param {Record<string, (step: any) => void>} acting @param {(key: string, certain: boolean) => boolean} species */
function keys(acting, species) {
  const shortcuts = new Shortcuts({ ...looking, ...acting }, species);
  const button = find('.help-button');
  button.hidden = false;
  button.addEventListener('click', () => shortcuts.open());
  return shortcuts;
}

start();
