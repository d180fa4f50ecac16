"""The worker's line in a real browser: it follows by itself, the page's figures with it, and many tabs leave connections free."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from models.base import utc_now
from models.image import READY, Image
from models.job import DONE, RUNNING, Job, WorkerBeat
from models.membership import Role
from models.queue import ask
from tests import make
from tests.browser.conftest import sign_in
from tests.conftest import Site

pytestmark = pytest.mark.browser


@pytest.fixture
def address(sqlite_site: Site, context: BrowserContext) -> str:
    """The overview of a project whose photos are being looked through; an administrator is signed in."""
    with sqlite_site.database.writing() as session:
        user = make.user(session)
        project = make.project(session, (user, Role.admin))
        batch = make.batch(session, project)
        for number in range(4):
            make.image(session, batch, f"Cam 1/{number}.jpg", state="waiting", captured_at=None)
        session.add(WorkerBeat(name="w", device="CPU, 2 cores", beat_at=utc_now()))
        job = ask(session, "ingest", project.id, {}, total=4, line="Finding animals in card 1")
        job.state = RUNNING
        token, project_id = make.token(session, user), project.id
    sign_in(context, sqlite_site, token)
    return f"{sqlite_site.address}/projects/{project_id}"


def one_more(site: Site, *, last: bool = False) -> None:
    """The worker looked through one photo."""
    with site.database.writing() as session:
        job = session.query(Job).one()
        job.done += 1
        session.query(Image).filter_by(state="waiting").first().state = READY  # type: ignore[union-attr]
        session.query(WorkerBeat).one().beat_at = utc_now()
        if last:
            job.state, job.ended_at = DONE, utc_now()


def test_line_and_figures_follow_without_a_reload(sqlite_site: Site, page: Page, address: str) -> None:
    page.goto(address)
    page.evaluate("window.untouched = true")
    now = page.locator("#now")
    expect(now).to_contain_text("Finding animals in card 1 0 of 4 photos")
    expect(now).to_contain_text("CPU, 2 cores")
    expect(now.locator("progress")).to_have_attribute("value", "0")
    expect(page.get_by_role("button", name="Stop this job")).to_be_visible()
    one_more(sqlite_site)
    expect(now).to_contain_text("1 of 4 photos")
    expect(now.locator("progress")).to_have_js_property("value", 1)
    expect(page.locator("#stages")).to_contain_text("3 wait")
    one_more(sqlite_site, last=True)
    expect(now).to_contain_text("Nothing to do.")
    expect(now.locator("progress")).to_be_hidden()
    expect(page.get_by_role("button", name="Stop this job")).to_be_hidden(timeout=10_000)
    expect(page.locator("#stages")).to_contain_text("2 wait")
    assert page.evaluate("window.untouched")


def test_seven_tabs_are_all_kept_up_to_date(sqlite_site: Site, context: BrowserContext, address: str) -> None:
    tabs = [context.new_page() for _ in range(7)]
    streams: list[str] = []
    polls: list[str] = []
    for tab in tabs:
        tab.on("request", lambda request: streams.append(request.url) if request.url.endswith("/progress") else None)
        tab.on("request", lambda request: polls.append(request.url) if request.url.endswith(".json") else None)
        tab.goto(address)
    one_more(sqlite_site)
    for tab in tabs:
        expect(tab.locator("#now")).to_contain_text("1 of 4 photos", timeout=15_000)
    assert len(streams) == 4
    assert len(polls) >= 3


def test_stopping_a_job_is_a_plain_form(sqlite_site: Site, page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Stop this job").click()
    expect(page.locator("#now")).to_contain_text("stops after the photos in hand")
    with sqlite_site.database.reading() as session:
        assert session.query(Job).one().cancel_requested


def test_without_script_the_page_shows_the_state_at_load(
    sqlite_site: Site, context: BrowserContext, address: str
) -> None:
    browser = context.browser
    assert browser is not None
    plain = browser.new_context(java_script_enabled=False)
    plain.add_cookies(context.cookies(address.replace("http://", "https://")))  # type: ignore[arg-type]
    one_more(sqlite_site)
    page = plain.new_page()
    page.goto(address)
    expect(page.locator("#now")).to_contain_text("1 of 4 photos")
    plain.close()
