/** From what the browser gives to a batch: its name, and its files with their paths below the chosen folder. */

import { say } from '../words.js';

const LANGUAGE = document.documentElement.lang || 'en';

/** @typedef {{path: string, file: File}} Chosen */
/** @typedef {{name: string, files: Chosen[], cameras: Map<string, number>}} Batch cameras: to how many files */

/** @param {FileList} list @param {RegExp} passedOver @returns {Batch} */
export function fromChooser(list, passedOver) {
  return asBatch(Array.from(list, (file) => ({ path: file.webkitRelativePath || file.name, file })), passedOver);
}

/** @param {DataTransfer} transfer @param {RegExp} passedOver @returns {Promise<Batch>} */
export async function fromDrop(transfer, passedOver) {
  const left = Array.from(transfer.items, (item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const files = [];
  while (left.length) {
    const entry = /** @type {FileSystemEntry} */ (left.pop());
    if (entry.isDirectory) left.push(...(await inside(/** @type {FileSystemDirectoryEntry} */ (entry))));
    else files.push({ path: entry.fullPath.replace(/^\//, ''), file: await opened(/** @type {FileSystemFileEntry} */ (entry)) });
  }
  files.sort((one, other) => (one.path < other.path ? -1 : 1));
  return asBatch(files, passedOver);
}

/** The chosen folder names the batch; the first folder below it is a camera. @param {Chosen[]} files @param {RegExp} passedOver @returns {Batch} */
function asBatch(files, passedOver) {
  const kept = files.filter(({ path }) => !passedOver.test(path));
  const firsts = new Set(kept.map(({ path }) => first(path)));
  const only = firsts.size === 1 ? [...firsts][0] : '';
  const below = only ? kept.map(({ path, file }) => ({ path: path.slice(only.length + 1), file })) : kept;
  return { name: only || say('Photos of %(time)s', { time: today() }), files: below, cameras: cameras(below, only) };
}

/** @param {Chosen[]} files @param {string} otherwise the camera of files outside of any folder */
function cameras(files, otherwise) {
  const counts = new Map();
  for (const { path } of files) {
    const camera = first(path) || otherwise;
    if (camera) counts.set(camera, (counts.get(camera) ?? 0) + 1);
  }
  return counts;
}

/** @param {string} path */
function first(path) {
  const slash = path.indexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

/** Browsers give the entries of a folder a hundred at a time, and then none. @param {FileSystemDirectoryEntry} folder */
async function inside(folder) {
  const reader = folder.createReader();
  /** @type {FileSystemEntry[]} */
  const all = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return all;
    all.push(...some);
  }
}

/** @param {FileSystemFileEntry} entry @returns {Promise<File>} */
function opened(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

function today() {
  return new Intl.DateTimeFormat(LANGUAGE === 'en' ? 'en-GB' : LANGUAGE, { dateStyle: 'long', timeStyle: 'short' }).format(new Date());
}
