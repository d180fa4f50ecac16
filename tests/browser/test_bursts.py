"""One answer for a burst, by keys, in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from models.act import Act
from models.label import Label
from tests.browser.desk import Desk

pytestmark = pytest.mark.browser


def test_one_answer_for_a_burst_with_a_photo_that_is_not_this_one(make_desk: Callable[..., Desk], page: Page) -> None:
    desk = make_desk(6).in_bursts(4, 2).open()
    corner, frames = page.locator(".crop-corner"), page.locator(".frame")
    page.keyboard.press("e")
    expect(corner).to_have_text("Burst: the next answer is for 4 crops. X takes another photo out, Esc leaves.")
    expect(page.get_by_role("button", name="Answer the whole burst E")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(corner).to_contain_text("Box 1 of 1")
    page.keyboard.press("e")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    expect(frames.nth(2)).to_have_class("frame out")
    expect(corner).to_contain_text("the next answer is for 3 crops")
    page.keyboard.press("2")
    desk.ready(desk.boxes[2])
    expect(page.locator(".last")).to_contain_text("Ocelot, 3 crops")
    expect(page.locator("#said")).to_contain_text("Ocelot saved for 3 crops.")
    desk.saved()
    assert desk.names() == ["Ocelot", "Ocelot", None, "Ocelot", None, None]
    assert (desk.count(Label), desk.count(Act)) == (3, 1)
    expect(page.locator(".strip-acts")).to_be_hidden()  # nothing else of this burst waits
    page.keyboard.press("e")
    expect(corner).to_have_text("No other crop of this burst waits for a name.")
    page.keyboard.press("Control+z")
    desk.ready(desk.boxes[0])
    desk.saved()
    assert desk.names() == [None] * 6
    page.keyboard.press("Control+Shift+z")
    desk.ready(desk.boxes[2])
    page.keyboard.press("x")  # no burst is armed: an answer
    desk.ready(desk.boxes[4])
    desk.saved()
    assert desk.names() == ["Ocelot", "Ocelot", "Not an animal", "Ocelot", None, None]


def test_crops_that_come_while_the_burst_is_on_its_way_do_not_wait_again(
    make_desk: Callable[..., Desk], page: Page
) -> None:
    desk = make_desk(6).in_bursts(4, 2)
    held: dict[str, list[Route]] = {"leases": [], "burst-labels": []}
    page.route("**/leases", lambda route: held["leases"].append(route))
    page.route("**/burst-labels", lambda route: held["burst-labels"].append(route))
    desk.open()
    page.keyboard.press("e")
    page.keyboard.press("2")
    expect(page.locator(".stage")).to_have_attribute("data-box-id", "")  # the others are not here yet
    page.unroute("**/leases")
    with page.expect_response("**/leases"):
        held["leases"][0].continue_()  # these were leased before the server has the burst
    desk.ready(desk.boxes[4])
    held["burst-labels"][0].continue_()
    page.unroute("**/burst-labels")
    desk.saved()
    assert desk.names() == ["Ocelot"] * 4 + [None, None]


def test_a_burst_gets_its_commonest_name_with_the_network_cut_too(
    make_desk: Callable[..., Desk], page: Page, context: BrowserContext, complaints: list[str]
) -> None:
    desk = make_desk(7).in_bursts(5, 2).open()
    page.keyboard.press("m")
    expect(page.locator(".crop-corner")).to_have_text("No name of this burst has more crops than the others.")
    desk.press("112", 0)
    desk.ready(desk.boxes[3])
    desk.saved()
    context.set_offline(True)
    page.get_by_role("button", name="Give it its commonest name M").click()
    desk.ready(desk.boxes[5])
    expect(page.locator(".last")).to_contain_text("Jaguar, 2 crops")
    context.set_offline(False)
    desk.saved()
    assert desk.names() == ["Jaguar", "Jaguar", "Ocelot", "Jaguar", "Jaguar", None, None]
    complaints[:] = [each for each in complaints if "ERR_INTERNET_DISCONNECTED" not in each]


def test_keys_of_the_burst_mean_nothing_once_no_crop_is_left(make_desk: Callable[..., Desk], page: Page) -> None:
    desk = make_desk(2).in_bursts(2).open()
    desk.press("11", 0)
    desk.saved()
    expect(page.locator(".stage")).to_have_attribute("data-box-id", "")
    for key in ("ArrowUp", "ArrowDown", "Home", " ", "Home"):
        page.keyboard.press(key)
    page.keyboard.press("ArrowLeft")
    desk.ready(desk.boxes[1])
