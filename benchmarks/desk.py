"""The pages of the desk in a real Chromium, for benchmarks that answer by key."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from playwright.sync_api import Page, sync_playwright

from app.security.sessions import COOKIE
from benchmarks.household import Household

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
# Resolves with the milliseconds until the stage shows another crop, its picture drawn.
NEXT_CROP = """key => new Promise(done => {
  const stage = document.querySelector('.stage');
  const before = stage.dataset.boxId, start = performance.now();
  const look = () => stage.dataset.boxId !== before && stage.dataset.state === 'ready'
    ? requestAnimationFrame(() => done(performance.now() - start)) : setTimeout(look, 1);
  document.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));
  look();
})"""


@contextlib.contextmanager
def label_page(house: Household, project_id: int) -> Iterator[Page]:
    """The administrator's, 1280 x 800, its first crop on the screen."""
    with desk_page(house, f"/projects/{project_id}/label") as page:
        page.wait_for_selector(".stage[data-state=ready]")
        yield page


@contextlib.contextmanager
def desk_page(house: Household, path: str) -> Iterator[Page]:
    """A page as the administrator sees it, 1280 x 800."""
    with sync_playwright() as playwright:
        chromium = os.environ.get("WATERHOLE_CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.add_cookies(
            [{"name": COOKIE, "value": house.token, "url": house.address.replace("http", "https"), "secure": True}]
        )
        page = context.new_page()
        page.goto(f"{house.address}{path}")
        yield page
        browser.close()
