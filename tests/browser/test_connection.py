"""What a person said is neither lost nor doubled: a connection that breaks in the middle, a sign-in that runs out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy import select, update

from models.act import Act
from models.base import utc_now
from models.label import Label
from models.membership import Membership
from models.session import IDLE, UserSession
from models.user import User
from tests.browser.desk import Desk
from tests.make import PASSWORD

pytestmark = pytest.mark.browser
KEYS = "1232x1u3211332213x21"  # of twenty crops


def test_a_connection_cut_in_the_middle_of_fifty_answers_loses_none_and_doubles_none(
    make_desk: Callable[..., Desk], page: Page, context: BrowserContext, complaints: list[str]
) -> None:
    desk = make_desk(50).open()
    keys = (KEYS * 3)[:50]
    desk.press(keys[:15], 0)
    desk.saved()
    swallowed: list[str] = []

    def swallow(route: Route) -> None:
        """The server hears the first one, the page never hears of that."""
        if swallowed:
            route.continue_()
            return
        swallowed.append(route.request.url)
        route.fetch()
        route.abort("connectionreset")

    page.route("**/labels", swallow)
    desk.press(keys[15], 15)
    expect(page.locator(".saved")).to_have_text("1 waiting")
    context.set_offline(True)
    desk.press(keys[16:28], 16)  # at least fourteen lie ready
    expect(page.locator(".saved")).to_have_text("13 waiting")
    assert (len(swallowed), desk.count(Label)) == (1, 16)
    page.on("dialog", lambda dialog: dialog.accept())
    context.set_offline(False)
    expect(page.locator(".crop-corner")).to_contain_text("answers sent.")
    desk.press(keys[28:], 28)
    desk.saved()
    said = {"1": "Jaguar", "2": "Ocelot", "3": "Lowland tapir", "x": "Not an animal", "u": "Cannot tell"}
    assert desk.names() == [said[key] for key in keys]
    assert (desk.count(Act), desk.count(Label)) == (50, 50)
    complaints.clear()


def test_a_sign_in_that_runs_out_keeps_the_answers_and_the_next_one_sends_them(
    make_desk: Callable[..., Desk], page: Page, complaints: list[str]
) -> None:
    desk = make_desk(8).open()
    desk.press("12", 0)
    desk.saved()
    with desk.site.database.writing() as session:
        email = session.scalars(
            select(User.email).join(Membership).where(Membership.project_id == desk.project_id)
        ).one()
        session.execute(update(UserSession).values(last_seen_at=utc_now() - 2 * IDLE))
    page.keyboard.press("3")
    expect(page.locator(".stage-words")).to_contain_text("You were signed out. 1 answer waits on this computer.")
    assert desk.count(Label) == 2
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    desk.ready(desk.boxes[3])
    desk.saved()
    assert desk.names() == ["Jaguar", "Ocelot", "Lowland tapir"] + [None] * 5
    desk.press("1", 3)
    desk.saved()
    assert desk.names()[3] == "Jaguar" and desk.count(Act) == 4
    complaints.clear()
