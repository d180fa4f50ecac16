"""The review page narrowed, in a real Chromium: by form and link, by keys, and with keys that come before the script does."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy import select, update

from models.box import Box
from models.label import Label
from models.membership import Role
from models.round import Pick, Round
from models.species import Species
from tests.browser.desk import Desk
from tests.browser.test_review_page import as_expert, disagree, press
from tests.browser.test_species_finding import named

pytestmark = pytest.mark.browser


def seen(desk: Desk) -> None:
    """Nobody is to be asked about the crops any more."""
    rounds = select(Round.id).where(Round.project_id == desk.project_id)
    with desk.site.database.writing() as session:
        session.execute(update(Pick).where(Pick.round_id.in_(rounds)).values(state="answered"))


def test_an_expert_narrows_the_list_by_form_and_goes_through_it_by_keys(
    make_desk: Callable[..., Desk], page: Page, context: BrowserContext
) -> None:
    desk = make_desk(6)
    seen(desk)
    named(desk, "Jaguar", desk.boxes[:3], "Jaguar", role=Role.annotator)
    named(desk, "Ocelot", desk.boxes[3:5], "Ocelot", role=Role.annotator)
    as_expert(desk, context, "Filter Expert")
    page.goto(f"{desk.site.address}/projects/{desk.project_id}/review")
    expect(page.locator(".case")).to_contain_text("Nothing to settle.")
    page.locator(".filter summary").click()
    page.get_by_label("State").select_option("Answered, not reviewed")
    page.get_by_label("Species", exact=True).select_option("Jaguar")
    page.get_by_role("button", name="Show these crops").click()
    cases = page.locator(".queue li")
    expect(cases).to_have_count(3)
    assert re.search(r"\?state=unreviewed&species=\d+", page.url)
    expect(page.locator(".flags")).to_contain_text("Not reviewed")
    press(page, "ArrowRight")
    expect(cases.nth(1).locator("a")).to_have_attribute("aria-current", "true")
    press(page, "1")
    expect(cases).to_have_count(2)
    expect(cases.nth(1).locator("a")).to_have_attribute("aria-current", "true")  # on with the next
    press(page, "Control+z")
    expect(cases).to_have_count(3)
    page.get_by_role("link", name="Without the filter Jaguar").click()
    expect(cases).to_have_count(5)
    expect(page.get_by_role("link", name="Without the filter Answered, not reviewed")).to_be_visible()
    page.get_by_role("link", name="Without the filter Answered, not reviewed").click()
    expect(page.locator(".case")).to_contain_text("Nothing to settle.")


def test_a_key_that_comes_before_the_script_is_not_lost(
    make_desk: Callable[..., Desk], page: Page, context: BrowserContext
) -> None:
    desk = make_desk(3)
    disagree(desk, desk.boxes[:2])
    as_expert(desk, context, "Early Expert")
    late: list[Route] = []
    page.route("**/review.js*", lambda route: late.append(route), times=1)
    page.goto(f"{desk.site.address}/projects/{desk.project_id}/review", wait_until="commit")
    expect(page.locator(".queue li")).to_have_count(2)
    expect(page.get_by_role("button", name="Keys ?")).to_be_hidden()
    page.keyboard.press("3")
    page.keyboard.press("2")  # a second one must not answer the next case unseen
    for route in late:
        route.continue_()
    expect(page.locator(".queue li")).to_have_count(1)
    with desk.site.database.reading() as session:
        tapir = session.scalars(
            select(Species).where(Species.project_id == desk.project_id, Species.name == "Lowland tapir")
        ).one()
        settled = [session.get_one(Box, box).settled_species_id for box in desk.boxes[:2]]
        assert settled.count(tapir.id) == 1
        assert len(session.scalars(select(Label).where(Label.project_id == desk.project_id)).all()) == 5


def test_nothing_breaks_off_an_answer_that_is_on_its_way(
    make_desk: Callable[..., Desk], page: Page, context: BrowserContext
) -> None:
    desk = make_desk(3)
    disagree(desk, desk.boxes)
    as_expert(desk, context, "Quick Expert")
    page.goto(f"{desk.site.address}/projects/{desk.project_id}/review")
    expect(page.get_by_role("button", name="Keys ?")).to_be_visible()
    held = threading.Event()
    page.route("**/labels*", lambda route: (held.set(), route.continue_()))
    page.evaluate(
        "['3', 'ArrowRight'].forEach(key => document.body.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true})))"
    )
    expect(page.locator(".queue li")).to_have_count(2)
    assert held.is_set()


def test_the_filters_work_without_script(
    make_desk: Callable[..., Desk], page: Page, context: BrowserContext, complaints: list[str]
) -> None:
    desk = make_desk(2)
    seen(desk)
    named(desk, "Jaguar", desk.boxes[:1], "Jaguar", role=Role.annotator)
    as_expert(desk, context, "Plain Expert")
    page.route("**/*.js*", lambda route: route.abort())
    page.goto(f"{desk.site.address}/projects/{desk.project_id}/review?state=answered")
    page.locator(".species .answer", has_text="Ocelot").click()
    expect(page.locator(".queue li")).to_contain_text("Ocelot")
    assert "state=answered" in page.url
    complaints[:] = [each for each in complaints if "ERR_FAILED" not in each]
