/** What waits to be sent, kept by the browser (IndexedDB) through reloads and restarts, apart for each person. */

const DATABASE = 'waterhole';
const ANSWERS = 'answers';

/**
 * @typedef {object} Entry
 * @property {number} [seq] the order in which it was said
 * @property {number} user
 * @property {string} key
 * @property {string} kind of the act, as the server names it; undo and redo too
 * @property {string} url
 * @property {Record<string, any>} body
 * @property {number | null} boxId the crop on the desk
 * @property {number[]} boxes all that it is about
 */

export class Store {
  /** @param {IDBDatabase} database @param {number} user */
  constructor(database, user) {
    this.database = database;
    this.user = user;
  }

  /** @param {number} user @returns {Promise<Store>} */
  static open(user) {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => {
      const answers = opening.result.createObjectStore(ANSWERS, { keyPath: 'seq', autoIncrement: true });
      answers.createIndex('user', 'user');
    };
    return done(opening).then((database) => new Store(database, user));
  }

  /** @param {Entry} entry resolves once the browser has it */
  async add(entry) {
    const transaction = this.database.transaction(ANSWERS, 'readwrite');
    const added = transaction.objectStore(ANSWERS).add({ ...entry });
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
    return added.result;
  }

  /** @returns {Promise<Entry | undefined>} */
  oldest() {
    return done(this.mine().get(IDBKeyRange.only(this.user)));
  }

  /** @returns {Promise<Entry[]>} */
  all() {
    return done(this.mine().getAll(IDBKeyRange.only(this.user)));
  }

  /** @returns {Promise<number>} */
  count() {
    return done(this.mine().count(IDBKeyRange.only(this.user)));
  }

  /** @param {number} seq */
  remove(seq) {
    return done(this.database.transaction(ANSWERS, 'readwrite').objectStore(ANSWERS).delete(seq));
  }

  mine() {
    return this.database.transaction(ANSWERS).objectStore(ANSWERS).index('user');
  }
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
