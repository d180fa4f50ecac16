"""Two people in one round, each in a browser of their own: second voices, a disagreement, and the expert who settles it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from models.membership import Membership, Role
from models.project import Project
from tests import make
from tests.browser.conftest import sign_in
from tests.browser.desk import Desk

pytestmark = pytest.mark.browser
Join = Callable[[Desk, str, Role], Page]


@pytest.fixture
def join(browser: Browser, complaints: list[str]) -> Iterator[Join]:
    """Somebody else with a browser of their own, signed in as a new member."""
    with ExitStack() as stack:

        def come(desk: Desk, name: str, role: Role) -> Page:
            context: BrowserContext = browser.new_context(
                viewport={"width": 1280, "height": 800}, reduced_motion="reduce"
            )
            stack.callback(context.close)
            with desk.site.database.writing() as session:
                who = make.user(session, name)
                Membership.grant(session, desk.project_id, who.id, role)
                token = make.token(session, who)
            sign_in(context, desk.site, token)
            made = context.new_page()
            made.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
            made.on("pageerror", lambda error: complaints.append(str(error)))
            return made

        yield come


def with_rule(desk: Desk, consensus: str) -> Desk:
    """The project's rule."""
    with desk.site.database.writing() as session:
        session.get_one(Project, desk.project_id).consensus = consensus
    return desk


def shown(page: Page, box_id: int) -> None:
    """The crop is on the screen."""
    stage = page.locator(".stage")
    expect(stage).to_have_attribute("data-box-id", str(box_id))
    expect(stage).to_have_attribute("data-state", "ready")


def saved(page: Page) -> None:
    """Everything is on the server."""
    expect(page.locator(".saved")).to_have_attribute("data-waiting", "0")
    expect(page.locator(".saved")).to_have_text("Saved")


def test_a_disagreement_of_two_people_is_settled_by_an_expert_and_both_voices_stay(
    make_desk: Callable[..., Desk], join: Join, page: Page
) -> None:
    desk = with_rule(make_desk(4), "two-of-three")
    desk.guess(0.2, 0.7, 0.1)
    desk.open()
    desk.press("1", 0)
    desk.ready(desk.boxes[1])
    desk.saved()
    jonas = join(desk, "Jonas Kranz", Role.annotator)
    jonas.goto(desk.address)
    shown(jonas, desk.boxes[0])  # a second voice, asked blind
    expect(jonas.locator(".guess li").first).to_have_text("Hidden for this crop")
    jonas.keyboard.press("2")
    saved(jonas)
    desk.press("12", 1)
    desk.saved()
    expect(page.locator(".company")).to_have_text("Jonas Kranz is labeling now")
    assert desk.names() == [None] * 4
    expert = join(desk, "Anna-Lena Kranz", Role.expert)
    expert.goto(f"{desk.site.address}/projects/{desk.project_id}/review")
    expect(expert.locator("h2#case")).to_have_text("Jaguar or Ocelot: People differ")
    voices = expert.locator(".voices tbody")
    expect(voices).to_contain_text("Jonas Kranz")
    expect(voices.locator("tr").first).to_contain_text("Jaguar")
    expect(expert.get_by_role("button", name="Keys ?")).to_be_visible()
    expert.keyboard.press("3")
    expect(expert.locator(".case")).to_contain_text("Nothing to settle.")
    assert desk.names()[0] == "Lowland tapir"
    expert.goto(f"{desk.site.address}/projects/{desk.project_id}/review?box={desk.boxes[0]}")
    rows = [row.inner_text() for row in expert.locator(".voices tbody tr").all()]
    assert len(rows) == 4  # two people, the expert, the classifier
    assert "Jaguar" in rows[0] and "Ocelot" in rows[1] and "Jonas Kranz" in rows[1]
    assert "Anna-Lena Kranz, expert" in rows[2] and "Lowland tapir" in rows[2]


def test_two_people_finish_a_round_and_each_others_second_voices(
    make_desk: Callable[..., Desk], join: Join, page: Page
) -> None:
    desk = with_rule(make_desk(4), "two-of-three").open()
    jonas = join(desk, "Jonas Weiss", Role.annotator)
    jonas.goto(desk.address)
    expect(jonas.locator(".stage-words")).to_contain_text("the last 4 of this round")
    desk.press("1", 0)
    desk.saved()
    expect(jonas.locator(".stage")).to_have_attribute("data-state", "ready")  # it asked again, and got its share
    for _turn in range(60):
        for other in (page, jonas):
            if other.locator(".stage").get_attribute("data-state") == "ready":
                other.keyboard.press("1")
                saved(other)
        if desk.names() == ["Jaguar"] * 4:
            break
        page.wait_for_timeout(250)
    assert desk.names() == ["Jaguar"] * 4
