"""Counts, flags and comments beside the answer, by keys, in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from models.act import Act
from tests.browser.desk import Desk

pytestmark = pytest.mark.browser


def test_a_count_by_keys_goes_with_the_answer_or_after_it(make_desk: Callable[..., Desk], page: Page) -> None:
    desk = make_desk(2).open()
    fact, corner = page.locator("[data-fact=count]"), page.locator(".crop-corner")
    expect(fact).to_have_text("1 from boxes")
    page.keyboard.press("k")
    expect(corner).to_have_text("Count mode: digits, Enter keeps, Esc leaves.")
    page.keyboard.type("9")
    page.keyboard.press("Escape")
    expect(fact).to_have_text("1 from boxes")
    page.get_by_role("button", name="Count the animals, key K").click()
    page.keyboard.type("1x2")
    page.keyboard.press("Enter")
    expect(fact).to_have_text("12, kept with your answer")
    page.keyboard.press("1")
    desk.ready(desk.boxes[1])
    desk.saved()
    assert desk.counts() == [("Jaguar", 12)]
    page.keyboard.press("ArrowLeft")
    expect(fact).to_have_text("12 by hand, 1 from boxes")
    page.keyboard.press("k")
    page.keyboard.type("13")
    page.keyboard.press("Enter")
    desk.ready(desk.boxes[0])  # it stays
    expect(fact).to_have_text("13 by hand, 1 from boxes")
    expect(page.locator(".last")).to_contain_text("13 Jaguar")
    desk.saved()
    assert desk.counts() == [("Jaguar", 12), ("Jaguar", 13)]
    page.keyboard.press("Control+z")
    expect(fact).to_have_text("12 by hand, 1 from boxes")
    page.keyboard.press("Control+z")
    expect(fact).to_have_text("12, kept with your answer")
    desk.saved()
    assert desk.counts() == [] and desk.names() == [None, None]


def test_a_flag_and_a_comment_stay_beside_the_crop_that_stays_on_the_desk(
    make_desk: Callable[..., Desk], page: Page
) -> None:
    desk = make_desk(2).open()
    page.keyboard.press("f")
    flag = page.locator("[data-note=flag]")
    expect(flag).to_have_attribute("aria-pressed", "true")
    expect(flag).to_contain_text("Flagged for an expert")
    page.keyboard.press("c")
    expect(page.locator(".crop-corner")).to_have_text("Comment: Enter keeps, Esc leaves.")
    page.keyboard.type("2 of them? x")
    page.keyboard.press("Enter")
    comments = page.locator(".comments li")
    expect(comments).to_contain_text(["2 of them? x"])
    expect(page.locator("#said")).to_have_text("Comment, kept.")
    desk.ready(desk.boxes[0])
    desk.press("1", 0)
    desk.ready(desk.boxes[1])
    expect(flag).to_have_attribute("aria-pressed", "false")
    expect(comments).to_have_count(0)
    desk.saved()
    assert desk.names() == ["Jaguar", None]
    page.reload()
    desk.ready(desk.boxes[1])
    page.keyboard.press("ArrowLeft")
    desk.ready(desk.boxes[0])
    expect(flag).to_have_attribute("aria-pressed", "true")
    expect(comments).to_have_count(1)
    for _ in range(3):
        page.keyboard.press("Control+z")
    expect(comments).to_have_count(0)
    expect(flag).to_have_attribute("aria-pressed", "false")
    desk.saved()
    assert desk.names() == [None, None] and desk.count(Act) == 6
