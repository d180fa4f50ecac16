"""An export is downloaded in a real browser, opened, and checked."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from app.exports.checks.camtrap_dp import check
from models.deployment import Deployment
from tests import make
from tests.app.exports.scene import scene
from tests.browser.conftest import sign_in
from tests.conftest import Site

pytestmark = pytest.mark.browser
PUBLICATION = {"design": "opportunistic", "contributors": [{"title": "Ann", "role": "contact"}]}


def test_a_package_is_downloaded_and_whole(
    page: Page, context: BrowserContext, sqlite_site: Site, tmp_path: Path, complaints: list[str]
) -> None:
    with sqlite_site.database.writing() as session:
        here = scene(session, sqlite_site.store)
        here.project.publication = PUBLICATION
        here.box(here.photo("A/1.jpg"), here.jaguar)
        here.photo("B/2.jpg")
        camera = session.query(Deployment).filter_by(project_id=here.project.id, name="A").one()
        camera.latitude, camera.longitude = -12.8, -69.3
        camera.starts_at, camera.ends_at = dt.datetime(2026, 3, 1), dt.datetime(2026, 3, 31)
        project_id = here.project.id
        sign_in(context, sqlite_site, make.token(session, here.user))
    page.goto(f"{sqlite_site.address}/projects/{project_id}/export")
    page.get_by_role("link", name="Camtrap DP").click()
    expect(page.get_by_text("1 camera has no period and is left out with its photos.")).to_be_visible()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download camtrap-dp.zip").click()
    path = tmp_path / "package.zip"
    waiting.value.save_as(path)
    assert check(path) == []
    assert complaints == []
