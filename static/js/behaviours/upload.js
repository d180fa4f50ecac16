/** The drop zone of the page Batches: a folder is dropped or chosen, looked at, and sent file by file. */

import { fromChooser, fromDrop } from '../upload/folder.js';
import { Refused, Sender } from '../upload/sender.js';
import { bytes, clock, left } from '../upload/words.js';
import { figure, say, sayMany } from '../words.js';

const MOST_ROWS = 50;
const MOST_CAMERAS = 5;
const REDRAW_MS = 200;

/** @typedef {import('../upload/folder.js').Batch} Batch */
/** @typedef {import('../upload/sender.js').Trouble} Trouble */

const drop = /** @type {HTMLElement} */ (document.getElementById('drop'));
const chooser = /** @type {HTMLInputElement} */ (document.getElementById('folder'));
const panel = /** @type {HTMLElement} */ (document.getElementById('upload'));
const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (panel.querySelector(`[data-${name}]`));
const parts = Object.fromEntries(
  ['name', 'line', 'figures', 'note', 'go', 'pause', 'stop', 'troubles', 'trouble-count', 'trouble-rows'].map(
    (name) => [name, part(name)],
  ),
);
const bar = /** @type {HTMLProgressElement} */ (part('bar'));
const passedOver = new RegExp(/** @type {string} */ (drop.dataset.passedOver), 'i');
/** @type {Batch | null} */
let batch = null;
/** @type {Sender | null} */
let sender = null;
let waits = 0;

chooser.addEventListener('change', () => {
  const chosen = fromChooser(/** @type {FileList} */ (chooser.files), passedOver);
  chooser.value = ''; // so that the same folder can be chosen again
  offer(chosen);
});
for (const kind of ['dragenter', 'dragover']) drop.addEventListener(kind, (event) => over(event, true));
for (const kind of ['dragleave', 'drop']) drop.addEventListener(kind, (event) => over(event, false));
drop.addEventListener('drop', async (event) => {
  panel.hidden = false;
  tell(say('Looking through the folder'), '');
  offer(await fromDrop(/** @type {DataTransfer} */ (event.dataTransfer), passedOver));
});
parts.go.addEventListener('click', send);
parts.pause.addEventListener('click', () => (sender?.paused ? sender.resume() : sender?.pause()));
parts.stop.addEventListener('click', () => (sender ? sender.stop() : chooser.click()));
addEventListener('beforeunload', (event) => {
  if (sender) event.preventDefault();
});

/** @param {Event} event @param {boolean} is */
function over(event, is) {
  event.preventDefault();
  drop.classList.toggle('over', is && !sender);
}

/** What was chosen, before anything is saved. @param {Batch} chosen */
function offer(chosen) {
  if (sender) return;
  batch = chosen;
  for (const other of document.querySelectorAll('label.main')) other.classList.remove('main'); // one filled button in view
  panel.hidden = false;
  parts.name.textContent = batch.name;
  bar.hidden = true;
  parts.troubles.hidden = true;
  buttons('chosen');
  if (!batch.files.length) {
    parts.go.hidden = true;
    tell(say('There are no files in this folder.'), '');
    return;
  }
  const all = batch.files.reduce((sum, { file }) => sum + file.size, 0);
  const files = sayMany('%(num)s file.', '%(num)s files.', batch.files.length);
  tell(`${files} ${cameraWords(batch.cameras)}`, bytes(all), resumeWords(batch.name));
  parts.go.textContent = sayMany('Upload %(num)s file', 'Upload %(num)s files', batch.files.length);
  parts.go.focus();
}

/** @param {Map<string, number>} cameras */
function cameraWords(cameras) {
  const shown = [...cameras].slice(0, MOST_CAMERAS).map(([name, count]) => `${name} (${figure(count)})`);
  if (!shown.length) return '';
  const names = shown.join(', ');
  const more = cameras.size - MOST_CAMERAS;
  return more > 0
    ? say('%(count)s cameras: %(names)s and %(more)s more.', { count: figure(cameras.size), names, more: figure(more) })
    : sayMany('%(num)s camera: %(names)s.', '%(num)s cameras: %(names)s.', cameras.size, { names });
}

/** @param {string} name */
function resumeWords(name) {
  const waiting = waitingBatch(name);
  if (!waiting) return '';
  return sayMany(
    'The upload goes on: %(num)s file of this batch is here.',
    'The upload goes on: %(num)s files of this batch are here.',
    Number(waiting.dataset.here),
  );
}

/** The part of the page about an unfinished batch of this name. @param {string} name */
function waitingBatch(name) {
  const unfinished = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-unfinished]'));
  return [...unfinished].find((each) => each.dataset.unfinished === name);
}

async function send() {
  if (!batch) return;
  const sending = new Sender(/** @type {string} */ (drop.dataset.batches), batch, Number(drop.dataset.maxBytes), redraw);
  sender = sending;
  if (/** @type {HTMLInputElement} */ (part('hold')).checked) sending.end = 'hold';
  const waiting = waitingBatch(batch.name);
  if (waiting) waiting.hidden = true; // this panel now says how far it is
  bar.hidden = false;
  parts['trouble-rows'].replaceChildren();
  buttons('running');
  draw(sending);
  try {
    const address = await sending.run();
    sender = null;
    location.assign(address);
  } catch (error) {
    ended(sending, error);
  }
}

/** @param {Sender} sending @param {unknown} error */
function ended(sending, error) {
  const away = sending.awaySince;
  draw(sending);
  sending.stop(); // the other lanes
  sender = null;
  buttons('stopped');
  parts.go.textContent = say('Go on with the upload');
  const again = say('Choose the same folder again and the upload goes on.');
  if (error instanceof Refused) parts.note.textContent = `${error.message} ${again}`;
  else if (away) parts.note.textContent = `${say('The connection broke at %(time)s.', { time: clock(away) })} ${again}`;
  else parts.note.textContent = `${say('Stopped.')} ${again}`;
}

/** @param {'chosen' | 'running' | 'stopped'} state */
function buttons(state) {
  parts.go.hidden = state === 'running';
  parts.pause.hidden = state !== 'running';
  parts.stop.textContent = state === 'running' ? say('Stop the upload') : say('Choose another folder');
}

function redraw() {
  waits ||= setTimeout(() => {
    waits = 0;
    if (sender) draw(sender);
  }, REDRAW_MS);
}

/** @param {Sender} sending */
function draw(sending) {
  const seconds = sending.secondsLeft();
  const figures = [say('%(done)s of %(size)s', { done: bytes(sending.bytesDone), size: bytes(sending.bytes) })];
  if (sending.paused) figures.push(say('paused'));
  else if (seconds !== null) figures.push(left(seconds));
  const here = sayMany('%(done)s of %(num)s file are here.', '%(done)s of %(num)s files are here.', sending.files, { done: figure(sending.done) });
  tell(here, figures.join(', '), noteWords(sending));
  bar.max = sending.bytes || 1;
  bar.value = sending.bytesDone;
  parts.pause.textContent = sending.paused ? say('Go on with the upload') : say('Pause the upload');
  listTroubles(sending.troubles);
}

/** @param {Sender} sending */
function noteWords(sending) {
  if (sending.awaySince) return say('No connection since %(time)s. It is tried again; keep this page open.', { time: clock(sending.awaySince) });
  const words = [say('Keep this page open until all files are here.')];
  if (sending.known) words.push(sayMany('%(num)s file of this batch was here and is not sent twice.', '%(num)s files of this batch were here and are not sent twice.', sending.known));
  if (sending.twice) words.push(sayMany('%(num)s photo was here already and counts once.', '%(num)s photos were here already and count once.', sending.twice));
  return words.join(' ');
}

/** @param {Trouble[]} troubles */
function listTroubles(troubles) {
  const rows = parts['trouble-rows'];
  for (const trouble of troubles.slice(rows.children.length, MOST_ROWS)) rows.append(row(trouble));
  parts.troubles.hidden = troubles.length === 0;
  parts['trouble-count'].textContent =
    troubles.length > MOST_ROWS
      ? sayMany('%(num)s file could not be taken, the first %(shown)s are listed;', '%(num)s files could not be taken, the first %(shown)s are listed;', troubles.length, { shown: MOST_ROWS })
      : sayMany('%(num)s file could not be taken,', '%(num)s files could not be taken,', troubles.length);
}

/** @param {Trouble} trouble */
function row({ path, size, reason }) {
  const line = document.createElement('tr');
  for (const [words, kind] of [[path, 'file-name'], [bytes(size), 'n maybe'], [sentence(reason), 'quiet']]) {
    const cell = document.createElement('td');
    cell.className = kind;
    cell.textContent = words;
    line.append(cell);
  }
  return line;
}

/** @param {string} reason */
function sentence(reason) {
  const plain = reason.replace(/^path: /, '').replace(/\.$/, '');
  return `${plain.charAt(0).toUpperCase()}${plain.slice(1)}.`;
}

/** @param {string} line @param {string} figures @param {string} [note] */
function tell(line, figures, note = '') {
  parts.line.textContent = line;
  parts.figures.textContent = figures;
  parts.note.textContent = note;
}
