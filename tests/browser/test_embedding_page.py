"""The embedding in a real browser: a fine-tune that is paused and let go on, an older embedder that comes back, files that go."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from models.base import utc_now
from models.fine_tune import KIND
from models.job import RUNNING, STEPS, Job, WorkerBeat
from models.membership import Membership, Role
from models.queue import ask, lie_still
from tests import make
from tests.app.projects.test_embedding import crops, tuned
from tests.app.projects.test_settings import Desk, desk_at
from tests.browser.conftest import sign_in
from tests.conftest import Site

pytestmark = pytest.mark.browser


@pytest.fixture
def desk(sqlite_site: Site, context: BrowserContext) -> Desk:
    """A project with a tuned embedder in use; an administrator is signed in."""
    made = next(desk_at(sqlite_site))
    crops(made)
    tuned(made)
    with sqlite_site.database.writing() as session:
        who = make.user(session)
        Membership.grant(session, made.project_id, who.id, Role.admin)
        session.add(WorkerBeat(name="w", device="CPU", beat_at=utc_now()))
        sign_in(context, sqlite_site, make.token(session, who))
    return made


def at(desk: Desk, page: Page, path: str = "/settings") -> None:
    page.goto(f"{desk.site.address}/projects/{desk.project_id}{path}")


def test_pause_go_on_and_the_overview_follows(desk: Desk, page: Page) -> None:
    with desk.site.database.writing() as session:
        job = ask(session, KIND, desk.project_id, {}, total=400, unit=STEPS, line="Fine-tuning the embedding")
        job.state, job.started_at, job.done = RUNNING, utc_now(), 100
        job_id = job.id
    at(desk, page)
    section = page.locator("#embedding")
    expect(section).to_contain_text("step 100 of 400")
    section.get_by_role("button", name="Pause").click()
    expect(section).to_contain_text("pauses after this step")
    at(desk, page, "")
    expect(page.locator("#now")).to_contain_text("pauses after this step")
    with desk.site.database.writing() as session:
        session.get_one(Job, job_id).done = 120
        lie_still(session, job_id)
    expect(page.locator("#rounds")).to_contain_text("paused", timeout=15_000)
    at(desk, page)
    section.get_by_role("button", name="Go on").click()
    expect(section).to_contain_text("waits for its turn")
    section.get_by_role("button", name="Stop, and remove what is half made").click()
    expect(section.get_by_role("button", name="Pause")).to_be_hidden()


def test_an_older_embedder_comes_back_and_the_other_one_s_files_go(desk: Desk, page: Page) -> None:
    at(desk, page)
    section = page.locator("#embedding")
    section.get_by_role("button", name="Use this one").click()
    expect(section.locator("tr", has_text="fake (").get_by_text("in use")).to_be_visible()
    with desk.site.database.writing() as session:  # the worker has done it
        for job in session.query(Job):
            job.state = "done"
    at(desk, page)
    section.get_by_role("link", name="Remove its files").click()
    expect(page.get_by_text("This embedder cannot come back.")).to_be_visible()
    page.get_by_role("button", name="Remove 2.0 MB").click()
    expect(section).to_contain_text("its files were removed")
