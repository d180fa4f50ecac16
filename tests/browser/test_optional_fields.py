"""Sex, age and behaviour on the label page in a real Chromium: by mouse and by Tab, with the answer, through a cut network."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from models.label import Label
from models.project import Project
from tests.browser.desk import Desk

pytestmark = pytest.mark.browser


def asking(desk: Desk) -> Desk:
    """The project wishes for all three."""
    with desk.site.database.writing() as session:
        session.get_one(Project, desk.project_id).set_fields(True, True, "eating\nresting")
    return desk


def beside(desk: Desk) -> list[tuple[str, str, str]]:
    """(sex, life stage, behaviour) of every row, oldest first."""
    wanted = select(Label.sex, Label.life_stage, Label.behaviour).where(Label.project_id == desk.project_id)
    with desk.site.database.reading() as session:
        return [tuple(row) for row in session.execute(wanted.order_by(Label.id))]


def test_a_project_that_does_not_ask_shows_nothing(make_desk: Callable[..., Desk], page: Page) -> None:
    make_desk(1).open()
    expect(page.locator(".observed")).to_have_count(0)


def test_what_is_chosen_goes_with_the_answer_and_not_to_the_next_crop(
    make_desk: Callable[..., Desk], page: Page
) -> None:
    desk = asking(make_desk(4)).open()
    sex, age = page.get_by_role("radiogroup", name="Sex"), page.get_by_role("radiogroup", name="Age")
    behaviour = page.get_by_label("Behaviour")
    sex.get_by_label("female", exact=True).check()
    behaviour.select_option("resting")
    desk.press("2", 0)  # a chosen radio does not swallow the species' key
    desk.ready(desk.boxes[1])
    expect(sex.get_by_label("not said")).to_be_checked()
    expect(behaviour).to_have_value("")
    age.get_by_label("not said").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(age.get_by_label("subadult")).to_be_checked()
    desk.ready(desk.boxes[1])  # arrows in a choice move in it, not to another crop
    page.keyboard.press("1")
    desk.ready(desk.boxes[2])
    page.evaluate("document.activeElement.blur()")
    sex.get_by_label("male", exact=True).check()
    page.keyboard.press("x")  # not an animal: has none
    desk.saved()
    assert beside(desk) == [("female", "", "resting"), ("", "subadult", ""), ("", "", "")]
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    desk.ready(desk.boxes[0])
    desk.saved()
    expect(sex.get_by_label("not said")).to_be_checked()
    page.keyboard.press("Control+Shift+z")
    desk.ready(desk.boxes[1])
    page.keyboard.press("ArrowLeft")
    desk.ready(desk.boxes[0])
    expect(sex.get_by_label("female", exact=True)).to_be_checked()
    expect(behaviour).to_have_value("resting")
    desk.saved()
    assert beside(desk)[-1] == ("female", "", "resting")
    page.reload()
    desk.ready(desk.boxes[1])
    expect(sex.get_by_label("not said")).to_be_checked()
    page.keyboard.press("ArrowLeft")
    desk.ready(desk.boxes[0])
    expect(sex.get_by_label("female", exact=True)).to_be_checked()


def test_it_waits_in_the_outbox_with_its_answer(
    make_desk: Callable[..., Desk], page: Page, context: BrowserContext, complaints: list[str]
) -> None:
    desk = asking(make_desk(4)).open()
    desk.press("3", 0)
    desk.saved()
    context.set_offline(True)
    desk.ready(desk.boxes[1])
    page.get_by_role("radiogroup", name="Age").get_by_label("juvenile").check()
    page.keyboard.press("1")
    desk.ready(desk.boxes[2])
    assert beside(desk) == [("", "", "")]
    context.set_offline(False)
    desk.saved()
    assert beside(desk) == [("", "", ""), ("", "juvenile", "")]
    complaints[:] = [each for each in complaints if "ERR_INTERNET_DISCONNECTED" not in each]


def test_a_burst_takes_what_is_chosen(make_desk: Callable[..., Desk], page: Page) -> None:
    desk = asking(make_desk(3)).in_bursts(2, 1).open()
    page.keyboard.press("e")
    page.get_by_role("radiogroup", name="Sex").get_by_label("male", exact=True).check()
    page.keyboard.press("1")
    desk.ready(desk.boxes[2])
    desk.saved()
    assert beside(desk) == [("male", "", "")] * 2
