// A part of the page with data-refresh-s shows how far the worker is: it is fetched again until it no longer asks for it.

const part = () => /** @type {HTMLElement | null} */ (document.querySelector('[data-refresh-s]'));

function wait() {
  const now = part();
  if (now) setTimeout(refresh, Number(now.dataset.refreshS) * 1000);
}

async function refresh() {
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const now = part();
      const fresh = now && page.getElementById(now.id);
      if (fresh) now.replaceWith(fresh);
      if (fresh && !part()) location.reload(); // done: the list of files below has changed too
    } catch {
      // no connection: the next turn tries again
    }
  }
  wait();
}

wait();
