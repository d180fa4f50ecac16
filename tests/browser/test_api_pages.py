"""The pages of tokens and of the API in a real browser: by keyboard, in both themes, wide and on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests import make
from tests.browser.conftest import sign_in
from tests.browser.desk import Desk
from tests.browser.test_accessibility import WIDTHS, wrong


@pytest.fixture
def desk(make_desk: Callable[..., Desk], context: BrowserContext) -> Desk:
    """Somebody is signed in."""
    desk = make_desk(1)
    with desk.site.database.writing() as session:
        token = make.token(session, make.user(session))
    sign_in(context, desk.site, token)
    return desk


def test_a_token_is_made_copied_used_and_revoked(desk: Desk, page: Page) -> None:
    page.goto(f"{desk.site.address}/account")
    page.get_by_role("link", name="Your tokens").click()
    page.get_by_label("Name").fill("nightly R")
    page.get_by_label("Download tables").check()
    page.get_by_role("button", name="Make the token").click()
    field = page.get_by_label("Token nightly R")
    text = field.input_value()
    assert re.fullmatch(r"wh_[0-9a-f]{64}", text)
    expect(page.get_by_role("button", name="Copy the token")).to_be_visible()
    assert wrong(page) == []
    headers = {"authorization": f"Bearer {text}"}
    me = httpx.get(f"{desk.site.address}/api/v1/me", headers=headers).json()
    assert me["scopes"] == ["read", "export"]
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_text(text)).to_have_count(0)
    page.get_by_role("button", name="Revoke nightly R").click()
    expect(page.get_by_text("You have none.")).to_be_visible()
    assert httpx.get(f"{desk.site.address}/api/v1/me", headers=headers).status_code == 401


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_pass_axe_and_do_not_scroll_sideways(desk: Desk, page: Page, theme: str, width: str) -> None:
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.set_viewport_size(WIDTHS[width])
    for path in ("/account", "/account/tokens", "/api/v1/docs"):
        page.goto(desk.site.address + path)
        assert wrong(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
