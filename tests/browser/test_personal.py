"""What each person set goes along to another computer; and the label page under fingers instead of keys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect
from sqlalchemy import select

from models.membership import Membership
from models.user import User
from tests import make
from tests.browser.conftest import sign_in
from tests.browser.desk import Desk
from tests.conftest import Site

pytestmark = pytest.mark.browser
NAMES = ("Jaguar", "Ocelot", "Lowland tapir")


@pytest.fixture
def desk(house: Site, page: Page, context: BrowserContext) -> Desk:
    """At the design size."""
    return Desk(house, page, context, 3, NAMES)


@pytest.fixture
def phone(house: Site, browser: Browser) -> Iterator[Desk]:
    """Ten photos of one burst on a phone."""
    held = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, device_scale_factor=2
    )
    yield Desk(house, held.new_page(), held, 10, NAMES).in_bursts(10)
    held.close()


def owner(desk: Desk) -> User:
    """The one on the desk, as the server knows them now."""
    with desk.site.database.reading() as session:
        wanted = select(User).join(Membership, Membership.user_id == User.id)
        return session.scalars(wanted.where(Membership.project_id == desk.project_id)).one()


def elsewhere(desk: Desk, browser: Browser) -> Page:
    """The same person on another computer, on the same desk."""
    with desk.site.database.writing() as session:
        token = make.token(session, session.get_one(User, owner(desk).id))
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    sign_in(context, desk.site, token)
    page = context.new_page()
    page.goto(f"{desk.address}?box={desk.boxes[0]}")
    expect(page.locator(".stage")).to_have_attribute("data-state", "ready")
    return page


def test_letters_off_and_the_light_go_along_to_another_computer(desk: Desk, page: Page, browser: Browser) -> None:
    desk.open()
    with page.expect_response("**/account/light") as light:
        for key in "]]{":
            page.keyboard.press(key)
    assert light.value.ok
    page.keyboard.press("?")
    with page.expect_response("**/account/keys"):
        page.get_by_label("Letters and digits answer").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    assert desk.names() == [None, None, None]
    other = elsewhere(desk, browser)
    filtered = other.locator(".crop-view canvas").evaluate("canvas => canvas.style.filter")
    assert filtered.startswith("brightness(1.3195")
    expect(other.locator("#bright")).to_have_value("20")
    expect(other.locator("#contrast")).to_have_value("-10")
    other.keyboard.press("1")
    other.keyboard.press("?")
    expect(other.get_by_label("Letters and digits answer")).not_to_be_checked()
    assert desk.names() == [None, None, None]
    other.context.close()


def test_a_change_without_a_connection_holds_and_is_sent_when_it_is_back(
    desk: Desk, page: Page, context: BrowserContext, complaints: list[str]
) -> None:
    desk.open()
    context.set_offline(True)
    with page.expect_event("requestfailed"):
        page.keyboard.press("]")
    assert page.locator("#bright").input_value() == "10"
    with page.expect_response("**/account/light"):
        context.set_offline(False)
    assert owner(desk).bright == 10
    complaints[:] = [each for each in complaints if "ERR_INTERNET_DISCONNECTED" not in each]


def test_the_account_page_sets_them_without_script(desk: Desk, browser: Browser, context: BrowserContext) -> None:
    plain = browser.new_context(java_script_enabled=False)
    plain.add_cookies(context.cookies())  # type: ignore[arg-type]
    page = plain.new_page()
    page.goto(f"{desk.site.address}/projects")
    page.locator(".menu summary").click()
    page.get_by_role("link", name="Light, dark or as the system").click()
    page.get_by_label("Dark").check()
    page.get_by_role("button", name="Save the colours").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_label("Letters and digits answer").uncheck()
    page.get_by_role("button", name="Save the keys").click()
    expect(page.get_by_label("Letters and digits answer")).not_to_be_checked()
    page.get_by_label("Brightness").fill("900")
    page.get_by_role("button", name="Save the light").click()
    expect(page.get_by_text("Between -100 and 100; 0 is as shot")).to_be_visible()
    page.get_by_label("Brightness").fill("-30")
    page.get_by_role("button", name="Save the light").click()
    expect(page.get_by_label("Brightness")).to_have_value("-30")
    known = owner(desk)
    assert (known.theme, known.letters, known.bright, known.contrast) == ("dark", False, -30, 0)
    plain.close()


def finger(session: CDPSession, kind: str, *places: tuple[float, float]) -> None:
    """touchStart, touchMove or touchEnd of so many fingers."""
    session.send(
        "Input.dispatchTouchEvent",
        {"type": kind, "touchPoints": [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]},
    )


def drag(desk: Desk, *ways: tuple[tuple[float, float], tuple[float, float]]) -> None:
    """Each finger from here to there, in ten steps."""
    session = desk.page.context.new_cdp_session(desk.page)
    for step in range(11):
        places = [(x0 + (x1 - x0) * step / 10, y0 + (y1 - y0) * step / 10) for (x0, y0), (x1, y1) in ways]
        finger(session, "touchMove" if step else "touchStart", *places)
    finger(session, "touchEnd")


def outline(desk: Desk) -> tuple[float, float, float]:
    """Left, top and width of the box on the stage, in pixels of the screen."""
    box = desk.page.locator(".crop-view .over .outline")
    return tuple(float(box.get_attribute(name) or 0) for name in ("x", "y", "width"))  # type: ignore[return-value]


def test_a_finger_moves_the_photo_and_two_zoom_it(phone: Desk) -> None:
    phone.open()
    where = phone.page.locator(".crop-view canvas").bounding_box()
    assert where is not None
    x, y = where["x"] + where["width"] / 2, where["y"] + where["height"] / 2
    left, top, width = outline(phone)
    drag(phone, ((x, y), (x + 40, y - 30)))
    moved = outline(phone)
    assert moved == pytest.approx((left + 40, top - 30, width), abs=3)
    drag(phone, ((x - 30, y), (x - 60, y)), ((x + 30, y), (x + 60, y)))
    zoomed = outline(phone)
    assert zoomed[2] == pytest.approx(2 * width, rel=0.05)
    middle = where["width"] / 2
    assert zoomed[0] - middle == pytest.approx(2 * (moved[0] - middle), abs=6), "about the point between the fingers"
    assert phone.page.evaluate("scrollY") == 0, "the page itself stays where it is"
    assert phone.names() == [None] * 10


def test_a_tap_answers_the_strip_swipes_and_undo_is_in_reach(phone: Desk) -> None:
    phone.open()
    page = phone.page
    strip = page.locator(".strip")
    strip.scroll_into_view_if_needed()
    where = strip.bounding_box()
    assert where is not None
    drag(phone, ((330, where["y"] + 60), (60, where["y"] + 60)))
    page.wait_for_timeout(300)
    assert strip.evaluate("strip => strip.scrollLeft") > 100
    page.get_by_role("button", name="Ocelot, key 2").tap()
    phone.ready(phone.boxes[1])
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_in_viewport(ratio=1)
    expect(page.locator(".last")).to_contain_text("Ocelot")
    assert (undo.bounding_box() or {})["height"] >= 44
    undo.tap()
    phone.ready(phone.boxes[0])
    page.locator(".frame").nth(1).tap()
    expect(page.locator(".frame").nth(1)).to_have_attribute("aria-current", "true")
    page.get_by_role("button", name="Jaguar, key 1").tap()
    phone.saved()
    assert phone.names()[:2] == ["Jaguar", None]
    assert page.evaluate("document.documentElement.scrollWidth") == 390
