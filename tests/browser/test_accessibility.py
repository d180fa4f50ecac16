"""axe-core on every page, in both themes, wide and on a phone: WCAG 2.2 A and AA (ui words, section 11)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, ViewportSize
from sqlalchemy import select

from models.image import Image
from models.membership import Membership, Role
from models.project import Project
from tests import make
from tests.browser.conftest import sign_in
from tests.browser.desk import Desk
from tests.browser.test_review_page import disagree

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
WIDTHS: dict[str, ViewportSize] = {"wide": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}


@pytest.fixture
def desk(make_desk: Callable[..., Desk], context: BrowserContext) -> Desk:
    """A project with a round, bursts, guesses and cases; an administrator looks at it."""
    desk = make_desk(6).in_bursts(4, 2)
    desk.guess(0.2, 0.7, 0.1)
    disagree(desk, desk.boxes[:2])
    with desk.site.database.writing() as session:
        who = make.user(session)
        Membership.grant(session, desk.project_id, who.id, Role.admin)
        session.get_one(Project, desk.project_id).set_fields(True, True, "eating")
        token = make.token(session, who)
    sign_in(context, desk.site, token)
    return desk


def wrong(page: Page) -> list[str]:
    """What axe finds, one line an element."""
    found = Axe().run(page, options=RULES).response["violations"]
    return [
        f"{rule['id']}: {node['target'][0]} {node['failureSummary'][:200]}" for rule in found for node in rule["nodes"]
    ]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_passes_axe(desk: Desk, page: Page, theme: str, width: str) -> None:
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.set_viewport_size(WIDTHS[width])
    here = f"/projects/{desk.project_id}"
    page.goto(desk.site.address + here)
    with desk.site.database.reading() as session:
        image_id, batch_id = session.execute(
            select(Image.id, Image.batch_id).where(Image.project_id == desk.project_id).limit(1)
        ).one()
    pages = [
        "/projects",
        "/projects/archived",
        "/account",
        f"/photos/{image_id}",
        f"/photos/{image_id}/erase",
        f"{here}/batches/{batch_id}/delete",
        f"{here}/keeping",
        f"{here}/setup",
        str(page.locator(".menu a", has_text="Your speed and accuracy").get_attribute("href")),
        *(
            here + part
            for part in (
                "",
                "/label",
                "/grid",
                "/review",
                "/batches",
                "/imports",
                "/deployments",
                "/deployments/sites",
                "/species",
                "/export",
                "/export?table=camtrap-dp",
                "/settings",
                "/events",
                "/static",
                "/empties",
            )
        ),
    ]
    complaints: dict[str, list[str]] = {}
    for address in pages:
        page.goto(desk.site.address + address)
        page.wait_for_load_state("networkidle")
        if address.endswith("/settings"):
            page.locator("#rounds summary").click()
        if address.endswith("/review"):
            page.locator(".filter summary").click()
        complaints[address] = wrong(page)
    assert {address: said for address, said in complaints.items() if said} == {}


def test_the_doorway_and_a_page_that_is_not_there_pass_axe(
    desk: Desk, page: Page, context: BrowserContext, complaints: list[str]
) -> None:
    page.goto(f"{desk.site.address}/projects/999999")
    assert wrong(page) == []
    complaints[:] = [each for each in complaints if "404" not in each]
    context.clear_cookies()
    page.goto(f"{desk.site.address}/sign-in")
    assert wrong(page) == []


def test_the_label_page_passes_axe_in_every_mode(desk: Desk, page: Page) -> None:
    desk.open()
    for key in ("e", "Escape", "k", "Escape", "c", "Escape", "f", "?"):
        page.keyboard.press(key)
        assert wrong(page) == [], key
