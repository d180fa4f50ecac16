"""A static rock dismissed once for 30 boxes, and back again, in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from models.box import Box
from models.image import Image
from models.label import TAKEN_BACK, Label
from tests.browser.desk import Desk
from tests.fakes import FakeShelf
from worker.jobs.bench import Bench
from worker.jobs.networks import Networks
from worker.jobs.statics import group_camera

pytestmark = pytest.mark.browser
HITS = 30


def look(desk: Desk) -> None:
    """As the worker does when a batch has landed."""
    bench = Bench("worker-test", desk.site.database, desk.site.store, Networks(desk.site.store, FakeShelf()))
    with desk.site.database.reading() as session:
        photo = session.get_one(Image, session.get_one(Box, desk.boxes[0]).image_id)
    assert group_camera(bench, desk.project_id, photo.deployment_id) == HITS


def test_a_static_rock_dismissed_once_for_30_boxes(make_desk: Callable[..., Desk], page: Page) -> None:
    desk = make_desk(HITS + 2)
    with desk.site.database.writing() as session:
        for box_id in desk.boxes[HITS:]:  # two animals elsewhere
            box = session.get_one(Box, box_id)
            box.x_min, box.x_max = 0.6, 0.9
    desk.open()
    page.keyboard.press("1")  # somebody took the first one for a jaguar: that stays
    desk.ready(desk.boxes[1])
    desk.saved()
    look(desk)
    page.goto(f"{desk.site.address}/projects/{desk.project_id}")
    page.get_by_role("link", name="Static detections 1 to decide").click()
    tile = page.locator(".check-tile")
    expect(tile).to_have_count(1)
    expect(tile).to_contain_text("30 boxes in one place")
    expect(tile).to_contain_text("Camera A")
    expect(tile).to_contain_text("1 of them has a name and keeps it")
    tile.get_by_role("button", name="Not an animal").click()
    expect(page.get_by_role("heading", name="0 groups to decide")).to_be_visible()
    assert desk.names() == ["Jaguar"] + ["Not an animal"] * 29 + [None] * 2
    page.goto(desk.address)
    desk.ready(desk.boxes[HITS])  # none of the stone is asked any more
    page.goto(f"{desk.site.address}/projects/{desk.project_id}/static")
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_role("heading", name="1 group to decide")).to_be_visible()
    assert desk.names() == ["Jaguar"] + [None] * 31
    with desk.site.database.reading() as session:
        rows = session.scalars(select(Label).where(Label.project_id == desk.project_id)).all()
    assert sum(row.kind == TAKEN_BACK for row in rows) == 29 and len(rows) == 59  # nothing was removed
    page.goto(desk.address)
    desk.ready(desk.boxes[1])
    page.goto(f"{desk.site.address}/projects/{desk.project_id}/static")
    page.get_by_role("button", name="It is an animal").click()
    expect(page.locator(".badge", has_text="An animal")).to_be_visible()
    assert desk.names() == ["Jaguar"] + [None] * 31


def test_the_desk_takes_it_back_with_one_key(make_desk: Callable[..., Desk], page: Page) -> None:
    desk = make_desk(HITS)
    look(desk)
    page.goto(f"{desk.site.address}/projects/{desk.project_id}/static")
    page.get_by_role("button", name="Not an animal").click()
    expect(page.get_by_role("heading", name="Decided")).to_be_visible()
    page.goto(desk.address)
    page.keyboard.press("Control+z")
    desk.ready(desk.boxes[0])
    desk.saved()
    assert desk.names() == [None] * HITS
    page.goto(f"{desk.site.address}/projects/{desk.project_id}/static")
    expect(page.get_by_role("heading", name="1 group to decide")).to_be_visible()


def test_empty_photos_are_looked_at_by_keys(make_desk: Callable[..., Desk], page: Page) -> None:
    desk = make_desk(6)
    with desk.site.database.writing() as session:
        for box_id in desk.boxes[:4]:
            session.get_one(Box, box_id).score = 0.3
    here = f"{desk.site.address}/projects/{desk.project_id}/empties"
    page.goto(here)
    page.get_by_role("button", name="Draw a sample of 100").click()
    expect(page.get_by_text("A sample of 4 photos waits.")).to_be_visible()
    for key, left in (("e", 3), ("e", 2), ("a", 1)):
        page.keyboard.press(key)
        expect(page.get_by_text(f"{left} of the sample left")).to_be_visible()
    expect(page.locator(".statement")).to_have_text("Of 100 empty photos 6.1 to 79.2 show an animal.")
    page.keyboard.press("z")
    expect(page.get_by_text("0 of 2 photos that were drawn by chance showed one")).to_be_visible()
    page.keyboard.press("a")
    page.get_by_role("link", name="Name it").click()
    expect(page.locator(".stage")).to_have_attribute("data-state", "ready")
    page.keyboard.press("2")
    desk.saved()
    assert desk.names().count("Ocelot") == 1
    page.goto(here)
    expect(page.get_by_role("link", name="Named")).to_be_visible()
