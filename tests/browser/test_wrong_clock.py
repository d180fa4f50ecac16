"""A wrong clock found and mended: seen, corrected in one click, true on the label page and in the export, and undone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from models.box import Box
from models.examining import examine
from models.image import Image
from models.membership import Membership, Role
from models.sequence import regroup
from tests import make
from tests.browser.conftest import sign_in
from tests.browser.desk import Desk
from tests.browser.test_accessibility import WIDTHS, wrong

GOOD = dt.datetime(2026, 5, 1, 6, 15)
FELL = dt.datetime(2015, 1, 1, 0, 5)


@pytest.fixture
def desk(make_desk: Callable[..., Desk], context: BrowserContext) -> Desk:
    """Six photos of one camera; after the third its clock falls back to 2015 and counts on. An expert looks."""
    desk = make_desk(6)
    times = [GOOD + dt.timedelta(days=number) for number in range(3)]
    times += [FELL + dt.timedelta(hours=7 * number) for number in range(3)]
    with desk.site.database.writing() as session:
        for box_id, at in zip(desk.boxes, times, strict=True):
            photo = session.get_one(Image, session.get_one(Box, box_id).image_id)
            photo.captured_at = photo.taken_at = at
        session.flush()
        regroup(session, photo.deployment_id, 60)
        examine(session, photo.deployment_id)  # as the ingest job does at its end
        who = make.user(session)
        Membership.grant(session, desk.project_id, who.id, Role.expert)
        token = make.token(session, who)
    sign_in(context, desk.site, token)
    return desk


def shown_time(desk: Desk, page: Page, place: int) -> str:
    """What the label page says of the time of a crop."""
    page.goto(f"{desk.address}?box={desk.boxes[place]}")
    desk.ready(desk.boxes[place])
    return page.locator(".stage").inner_text()


def exported(desk: Desk, page: Page) -> str:
    """species.csv as a browser gets it."""
    answer = page.request.get(f"{desk.site.address}/projects/{desk.project_id}/export/species.csv")
    assert answer.ok
    return answer.text()


def test_a_wrong_clock_is_found_mended_and_the_mending_undone(desk: Desk, page: Page) -> None:
    page.goto(f"{desk.site.address}/projects/{desk.project_id}")
    page.get_by_role("navigation", name="Project").get_by_role("link", name="Deployments").click()
    expect(page.get_by_text("1 clock looks wrong.")).to_be_visible()
    row = page.get_by_role("row", name="Camera A")
    expect(row.get_by_text("wrong clock")).to_be_visible()
    row.get_by_role("link", name="Camera A").click()
    finding = page.locator(".finding")
    expect(finding.get_by_role("heading")).to_have_text("The clock fell back to a default date")
    expect(finding).to_contain_text("3 of 6 photos say 1 January 2015, 00:05:00 to 1 January 2015, 14:05:00")
    expect(finding).to_contain_text("The first of them was taken at 3 May 2026, 06:15:00 or later")
    expect(finding.get_by_role("listitem")).to_have_count(3)
    first = finding.get_by_role("listitem").first
    expect(first).to_contain_text("2015-01-01 00:05:00")
    expect(first).to_contain_text("2026-05-03 06:15:00")
    finding.get_by_role("button", name="Correct the times").click()

    expect(page.locator(".finding")).to_have_count(0)
    clock = page.locator("#clock")
    expect(clock).to_contain_text("Saved")
    expect(clock.get_by_role("listitem").first).to_contain_text("2015-01-01 00:05:00")
    expect(clock.get_by_role("listitem").first).to_contain_text("2026-05-03 06:15:00")
    deployment = page.url.partition("?")[0]
    assert "06:15:00" in shown_time(desk, page, 3)
    assert "2026-05-03 06:15:00" in exported(desk, page).replace("T", " ") and "2015-01-01" not in exported(desk, page)

    page.goto(deployment)
    page.get_by_role("button", name="Take back").click()
    expect(page.locator(".finding")).to_have_count(1)
    expect(page.locator("#clock").get_by_text("taken back", exact=True)).to_be_visible()
    assert "00:05:00" in shown_time(desk, page, 3)
    assert "2015-01-01 00:05:00" in exported(desk, page).replace("T", " ")


def test_a_correction_by_hand_is_looked_at_before_it_is_applied(desk: Desk, page: Page) -> None:
    page.goto(f"{desk.site.address}/projects/{desk.project_id}/deployments")
    page.get_by_role("link", name="Camera A").click()
    page.get_by_text("Correct the clock").click()
    page.get_by_label("The camera showed").fill("2015-01-01 00:05:00")
    page.get_by_label("The true time was").fill("2026-05-04 12:00:00")
    page.get_by_label("Only photos that say this or earlier").fill("2015-12-31")
    page.get_by_role("button", name="Show six photos").click()
    expect(page.get_by_role("listitem")).to_have_count(3)
    expect(page.get_by_role("listitem").first).to_contain_text("2026-05-04 12:00:00")
    page.get_by_role("button", name="Correct the times").click()
    expect(page.locator("#clock")).to_contain_text("2026-05-04 12:00:00")
    expect(page.locator(".finding")).to_have_count(0)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_of_deployments_pass_axe(desk: Desk, page: Page, theme: str, width: str) -> None:
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.set_viewport_size(WIDTHS[width])
    here = f"{desk.site.address}/projects/{desk.project_id}/deployments"
    page.goto(here)
    page.get_by_role("link", name="Camera A").click()
    page.get_by_label("Latitude").fill("-12.5")
    page.get_by_label("Longitude").fill("-70.1")
    page.get_by_role("button", name="Save the deployment").click()
    expect(page.locator("#facts")).to_contain_text("Saved")
    deployment = page.url.partition("?")[0]
    folders = f"{here}/folders?pattern=%7Bsite%7D/*"
    for address in (here, deployment, f"{deployment}/clock?way=swap", f"{here}/table", f"{here}/folders", folders):
        page.goto(address)
        page.wait_for_load_state("networkidle")
        if address == deployment:
            page.locator("summary", has_text="Correct the clock").click()
        assert wrong(page) == [], address
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0, address
    page.goto(f"{here}/table")
    page.get_by_label("Or paste it").fill(
        "deployment,site,start,end\nCamera A,Creek,2026-05-01,2026-06-01\nB,Creek,soon,\n"
    )
    page.get_by_role("button", name="Read the table").click()
    expect(page.get_by_role("heading", name="This was read")).to_be_visible()
    assert wrong(page) == []
