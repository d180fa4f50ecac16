"""The review page in a real browser: an expert settles case after case by keys."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from models.act import Act
from models.box import Box
from models.membership import Membership, Role
from models.project import Project
from models.species import Species
from models.user import User
from tests import make
from tests.browser.conftest import sign_in
from tests.browser.desk import Desk


def disagree(desk: Desk, boxes: list[int]) -> None:
    """Two annotators name each of these, and say two things."""
    with desk.site.database.writing() as session:
        project = session.get_one(Project, desk.project_id)
        for name in ("Jaguar", "Ocelot"):
            who = make.user(session)
            Membership.grant(session, project.id, who.id, Role.annotator)
            for box_id in boxes:
                species = Species.named(session, project.id, name)
                assert species is not None
                act, _fresh = Act.once(session, who.id, f"voice-{who.id}-{box_id}", "answer", {}, project.id)
                session.get_one(Box, box_id).answer(session, species, by=who.id, role=Role.annotator, act=act)


def as_expert(desk: Desk, context: BrowserContext, name: str) -> None:
    """Somebody who may settle signs in."""
    with desk.site.database.writing() as session:
        who: User = make.user(session, name)
        Membership.grant(session, desk.project_id, who.id, Role.expert)
        token = make.token(session, who)
    sign_in(context, desk.site, token)


def press(page: Page, key: str) -> None:
    """Once the keys of the page are there."""
    expect(page.get_by_role("button", name="Keys ?")).to_be_visible()
    page.keyboard.press(key)


def test_an_expert_settles_cases_by_keys_and_takes_one_back(
    make_desk: Callable[..., Desk], page: Page, context: BrowserContext
) -> None:
    desk = make_desk(4)
    first, second, third = desk.boxes[:3]
    disagree(desk, [first, second, third])
    as_expert(desk, context, "Anna-Lena Berg")
    page.goto(f"{desk.site.address}/projects/{desk.project_id}/review")
    cases = page.locator(".queue li")
    expect(cases).to_have_count(3)
    expect(page.locator("h2#case")).to_have_text("Ocelot or Jaguar: People differ")
    press(page, "ArrowRight")
    expect(cases.nth(1).locator("a")).to_have_attribute("aria-current", "true")
    press(page, "3")
    expect(cases).to_have_count(2)
    press(page, "s")  # leave open, see the next
    expect(cases.nth(1).locator("a")).to_have_attribute("aria-current", "true")
    press(page, "Control+z")
    expect(cases).to_have_count(3)
    expect(page.locator(".last")).to_contain_text("Lowland tapir, taken back")
    press(page, "?")
    expect(page.locator(".key-help-sheet")).to_contain_text("undo, any depth")
    expect(page.locator(".key-help-sheet")).not_to_contain_text("pan")
    page.keyboard.press("Escape")
    for left in (2, 1, 0):
        press(page, "2")
        expect(cases).to_have_count(left)
    expect(page.locator(".case")).to_contain_text("Nothing to settle.")
    with desk.site.database.reading() as session:
        ocelot = session.scalars(
            select(Species).where(Species.project_id == desk.project_id, Species.name == "Ocelot")
        ).one()
        settled = [session.get_one(Box, box).settled_species_id for box in desk.boxes]
    assert settled == [ocelot.id] * 3 + [None]
