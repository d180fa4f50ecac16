// Keeps the worker's line alive by server-sent events, and the parts marked data-live by fetching the page again when
// something changed. A browser opens six connections to a host (HTTP/1.1), and each stream takes one for good: four pages
// stream, the others ask every few seconds. A hidden page does neither. Without script the page shows the state at load.

const STREAMS = 4;
const POLL_MS = 5000;
const RENEW_MS = 5000; // the figures of the page are fetched at most this often

const line = /** @type {HTMLElement} */ (document.querySelector('[data-progress]'));
const stream = /** @type {string} */ (line.dataset.progress); // its address
let stamp = line.dataset.stamp;
/** Ends what keeps the line alive now. */
let stop = () => {};

/** @param {any} now what the worker does, as the server says it */
function show(now) {
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (line.querySelector(`[data-now="${name}"]`));
  const write = (/** @type {string} */ name, /** @type {string} */ words) => { if (part(name).textContent !== words) part(name).textContent = words; };
  for (const name of ['what', 'command', 'detail', 'eta', 'device']) write(name, now[name]);
  part('tone').className = now.tone === 'on' ? 'dot' : `dot ${now.tone}`;
  const bar = /** @type {HTMLProgressElement} */ (part('bar'));
  bar.hidden = !now.total;
  bar.max = now.total || 1;
  bar.value = now.done;
  bar.setAttribute('aria-label', now.what);
  if (now.stamp !== stamp) {
    stamp = now.stamp;
    renewSoon();
  }
}

/** @type {number | null} */
let renewal = null;
let renewedAt = 0;

function renewSoon() {
  renewal ??= setTimeout(renew, Math.max(200, renewedAt + RENEW_MS - Date.now()));
}

async function renew() {
  renewal = null;
  renewedAt = Date.now();
  const answer = await fetch(location.href, { headers: { accept: 'text/html' } }).catch(() => null);
  if (!answer || answer.status >= 500) renewSoon(); // the server is busy or away: what changed is not forgotten
  if (!answer?.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const live = (/** @type {Document} */ page) => [...page.querySelectorAll('[data-live]')];
  if (live(fresh).map((part) => part.id).join() !== live(document).map((part) => part.id).join()) {
    location.reload(); // another kind of page: the first photos came
    return;
  }
  for (const part of live(document)) {
    const next = fresh.getElementById(part.id);
    if (next && !part.contains(document.activeElement) && next.outerHTML !== part.outerHTML) part.replaceWith(next);
  }
}

function poll() {
  const ask = async () => {
    const answer = await fetch(`${stream}.json`, { headers: { accept: 'application/json' } }).catch(() => null);
    if (answer?.ok) show(await answer.json());
    else if (answer && answer.status < 500) clearInterval(timer); // signed out, or no member any more
  };
  const timer = setInterval(ask, POLL_MS);
  ask();
  return () => clearInterval(timer);
}

/** One of the browser's few seats for streams: resolves to its release, or to null when all are taken. @param {string} name @returns {Promise<(() => void) | null>} */
function takeSeat(name) {
  return new Promise((found) => {
    navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      if (!lock) return found(null);
      return /** @type {Promise<void>} */ (new Promise((release) => found(release)));
    });
  });
}

async function anySeat() {
  for (let number = 0; navigator.locks && number < STREAMS; number += 1) {
    const release = await takeSeat(`waterhole-progress-${number}`);
    if (release) return release;
  }
  return null;
}

/** @param {() => void} release what gives the seat back */
function follow(release) {
  const source = new EventSource(stream);
  let stopPolling = () => {};
  source.onmessage = (event) => show(JSON.parse(event.data));
  source.onerror = () => {
    if (source.readyState !== EventSource.CLOSED) return; // the browser connects again by itself
    release();
    stopPolling = poll();
  };
  return () => { source.close(); release(); stopPolling(); };
}

let turn = 0;

async function watch() {
  stop();
  stop = () => {};
  turn += 1;
  const mine = turn;
  if (document.hidden) return;
  const release = await anySeat();
  if (mine !== turn) {
    release?.();
    return;
  }
  stop = release ? follow(release) : poll();
}

document.addEventListener('visibilitychange', watch);
addEventListener('pagehide', () => stop());
addEventListener('pageshow', (event) => { if (event.persisted) watch(); });
watch();
