"""A real Chromium, a page that reports every complaint of the browser, and a worker process where a journey needs one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.desk import Desk, sign_in
from tests.conftest import Site, running_site, skip_or_fail

expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong
__all__ = ["sign_in"]
ROOT = Path(__file__).resolve().parent.parent.parent
USUAL = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/snap/bin/chromium")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


def chromium() -> str | None:
    """WATERHOLE_CHROMIUM, or the first of the usual paths."""
    named = os.environ.get("WATERHOLE_CHROMIUM")
    if named:
        return named if shutil.which(named) else None
    return next((path for path in USUAL if Path(path).exists()), None)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for all browser tests; its event loop ends with them, since other tests run loops of their own."""
    path = chromium()
    if path is None:
        skip_or_fail("no Chromium was found (set WATERHOLE_CHROMIUM)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield started
        started.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained about: console errors, script errors, policy violations. Empty at the end of a test."""
    return []


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh profile at the design size."""
    made = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, complaints: list[str]) -> Iterator[Page]:
    """A page whose complaints fail the test at its end, except those the test took out of the list itself."""
    made = context.new_page()
    made.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    made.on("pageerror", lambda error: complaints.append(str(error)))
    yield made
    assert complaints == []


@pytest.fixture
def start_worker() -> Iterator[Callable[[Site], subprocess.Popen[bytes]]]:
    """Start the real worker (starter networks) on a site's database; it is stopped at the end."""
    running: list[subprocess.Popen[bytes]] = []

    def start(site: Site) -> subprocess.Popen[bytes]:
        environment = os.environ | {
            "WATERHOLE_HOME": str(site.settings.home),
            "WATERHOLE_DATABASE_URL": site.settings.url,
            "WATERHOLE_FREE_SPACE_FLOOR_MB": "1",
        }
        running.append(
            subprocess.Popen([sys.executable, str(ROOT / "waterhole.py"), "worker"], env=environment, cwd=ROOT)
        )
        return running[-1]

    yield start
    for process in running:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One live server for all these tests: each makes a project of its own."""
    home: Path = tmp_path_factory.mktemp("label-page")
    with running_site(f"sqlite:///{home / 'waterhole.sqlite'}", home) as site:
        yield site


@pytest.fixture
def make_desk(house: Site, page: Page, context: BrowserContext) -> Callable[..., Desk]:
    """Desks on the shared server."""
    names = ("Jaguar", "Ocelot", "Lowland tapir")
    return lambda crops=3, names=names: Desk(house, page, context, crops, names)
