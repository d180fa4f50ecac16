"""Box mode on the label page, in a real Chromium: keys alone, the mouse, a finger, and somebody who was faster."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select

from models.act import Act
from models.box import Box
from models.desk import Desk as ModelDesk
from models.drawing import Drawing, draw
from models.membership import Membership, Role
from models.predictions import predictions_of
from models.project import Project
from models.species import Species
from tests import make
from tests.browser.desk import PHOTO, Desk
from tests.browser.test_accessibility import wrong
from tests.conftest import Site

pytestmark = pytest.mark.browser
WIDTH, HEIGHT = PHOTO
FIRST = (128, 144, 320, 288)  # where the box of a drawn photo lies, in pixels


class Drawer:
    """A desk in box mode."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.page = desk, desk.page
        self.corner = self.page.locator(".crop-corner")

    def enter(self) -> None:
        self.page.keyboard.press("b")
        expect(self.page.locator(".stage")).to_have_attribute("data-mode", "boxes")

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def says(self, words: str) -> None:
        """What a screen reader hears."""
        expect(self.page.locator("#said")).to_have_text(words)

    def kept(self) -> None:
        """The server has it, and the page has what the server said."""
        expect(self.page.locator(".stage")).not_to_have_attribute("data-mode", "boxes")
        self.desk.saved()

    def boxes(self) -> list[tuple[tuple[int, ...], str | None]]:
        """The standing boxes of the first crop's photo: corners in pixels and name, in their order."""
        wanted = select(Box, Species.name).outerjoin(Species, Species.id == Box.settled_species_id)
        with self.desk.site.database.reading() as session:
            photo = session.get_one(Box, self.desk.boxes[0]).image_id
            rows = session.execute(
                wanted.where(Box.image_id == photo, Box.deleted_at.is_(None)).order_by(Box.ordinal)
            ).all()
        sides = ((box.x_min * WIDTH, box.y_min * HEIGHT, box.x_max * WIDTH, box.y_max * HEIGHT) for box, _name in rows)
        return [(tuple(map(round, corners)), row[1]) for corners, row in zip(sides, rows, strict=True)]

    def places(self) -> list[tuple[int, ...]]:
        return [corners for corners, _name in self.boxes()]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A pixel of the photo on the screen: the whole photo is shown."""
        pad = self.page.locator(".drawing").bounding_box()
        assert pad is not None
        scale = min(pad["width"] / WIDTH, pad["height"] / HEIGHT)
        left, top = (pad["width"] - scale * WIDTH) / 2, (pad["height"] - scale * HEIGHT) / 2
        return pad["x"] + left + x * scale, pad["y"] + top + y * scale

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """With the mouse, from one pixel of the photo to another."""
        self.page.mouse.move(*self.at(*start))
        self.page.mouse.down()
        self.page.mouse.move(*self.at(*((a + b) / 2 for a, b in zip(start, end, strict=True))))
        self.page.mouse.move(*self.at(*end))
        self.page.mouse.up()

    def somebody_else(self, drawing: Drawing, name: str) -> None:
        """Another member draws in the first photo."""
        with self.desk.site.database.writing() as session:
            who = make.user(session, name)
            Membership.grant(session, self.desk.project_id, who.id, Role.annotator)
            project = session.get_one(Project, self.desk.project_id)
            predictions = predictions_of(self.desk.site.store.root / "predictions/none")
            other = ModelDesk(session, project, who.id, Role.annotator, predictions)
            draw(other, session.get_one(Box, self.desk.boxes[0]), drawing, key=f"other-{who.id:08}")


@pytest.fixture
def drawer(make_desk: Callable[..., Desk]) -> Drawer:
    """Three crops, each on a photo of its own."""
    return Drawer(make_desk(3).open())


class Touch:
    """One finger on a page."""

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.page, self.session = page, context.new_cdp_session(page)

    def drag(self, start: tuple[float, float], *further: tuple[float, float]) -> None:
        """Down, along, a rest (else it is a fling, and the browser takes the next tap for its end), up."""
        for kind, (x, y) in [("touchStart", start), *(("touchMove", place) for place in further)]:
            self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
        self.page.wait_for_timeout(300)
        self.session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        self.page.wait_for_timeout(700)


def near(found: tuple[int, ...], wanted: tuple[int, ...], by: int = 2) -> bool:
    """Whether each corner lies within so many pixels."""
    return all(abs(one - other) <= by for one, other in zip(found, wanted, strict=True))


def test_a_box_is_corrected_with_keys_alone_and_keeps_its_name(drawer: Drawer) -> None:
    drawer.keys("2")
    drawer.desk.ready(drawer.desk.boxes[1])
    drawer.desk.saved()
    drawer.keys("ArrowLeft")
    drawer.desk.ready(drawer.desk.boxes[0])
    drawer.enter()
    expect(drawer.corner).to_have_text("Box mode, Esc leaves")
    drawer.keys("ArrowRight", "Shift+ArrowDown", "Alt+ArrowRight", "Alt+Shift+ArrowUp", "1", "x", "n")
    drawer.says("Box 1 of 1, resized to 193 by 134")
    assert drawer.desk.names()[0] == "Ocelot"
    drawer.keys("Enter")
    drawer.says("1 box moved, kept.")
    drawer.kept()
    assert drawer.boxes() == [((129, 154, 322, 288), "Ocelot")]
    assert drawer.desk.count(Act) == 2
    expect(drawer.corner).to_have_text("Box 1 of 1 · drawn by a person")
    drawer.keys("Control+z")
    drawer.says("Taken back: 1 box moved, crop 1.")
    drawer.kept()
    assert drawer.boxes() == [(FIRST, "Ocelot")]
    drawer.keys("Control+Shift+z")
    drawer.kept()
    assert drawer.places() == [(129, 154, 322, 288)]


def test_a_second_animal_is_added_and_named_as_another_species(drawer: Drawer) -> None:
    drawer.enter()
    drawer.keys("a", *["Shift+ArrowRight"] * 10)
    drawer.says("Box 2 of 2, moved to 356, 192")
    drawer.keys("Enter")
    drawer.kept()
    expect(drawer.corner).to_have_text("Box 1 of 2 · detector 0.95")
    drawer.keys("1")
    expect(drawer.corner).to_have_text("Box 2 of 2 · drawn by a person")
    drawer.keys("3")
    drawer.desk.ready(drawer.desk.boxes[1])
    drawer.desk.saved()
    assert drawer.boxes() == [(FIRST, "Jaguar"), ((356, 192, 484, 288), "Lowland tapir")]
    drawer.keys("Control+z", "Control+z", "Control+z")
    drawer.desk.saved()
    assert drawer.boxes() == [(FIRST, None)]
    expect(drawer.corner).to_have_text("Box 1 of 1 · detector 0.95")
    drawer.keys("Control+Shift+z", "Control+Shift+z", "Control+Shift+z")
    drawer.desk.saved()
    assert [name for _corners, name in drawer.boxes()] == ["Jaguar", "Lowland tapir"]


def test_a_false_box_is_deleted_and_brought_back_also_after_a_reload(drawer: Drawer) -> None:
    drawer.enter()
    drawer.keys("Delete", "Enter")
    drawer.desk.ready(drawer.desk.boxes[1])
    drawer.desk.saved()
    assert drawer.boxes() == []
    drawer.page.reload()
    drawer.desk.ready(drawer.desk.boxes[1])
    expect(drawer.page.locator(".last")).to_contain_text("1 box deleted")
    drawer.keys("Control+z")
    drawer.desk.ready(drawer.desk.boxes[0])
    drawer.desk.saved()
    assert drawer.boxes() == [(FIRST, None)]
    drawer.keys("1")
    drawer.desk.ready(drawer.desk.boxes[1])
    drawer.desk.saved()
    assert drawer.desk.names()[0] == "Jaguar"


def test_escape_and_control_z_drop_edits_that_were_not_kept(drawer: Drawer) -> None:
    drawer.enter()
    drawer.keys("ArrowRight", "a", "Delete", "Control+z")
    drawer.says("Taken back. Box 2 of 2")
    drawer.keys("Tab")
    drawer.says("Box 1 of 2")
    drawer.keys("Control+z", "Control+z", "Control+z")
    expect(drawer.corner).to_have_text("Nothing was drawn yet.")
    drawer.keys("ArrowLeft", "Escape")
    drawer.says("Box mode left. The boxes are as before.")
    drawer.keys("1")
    drawer.desk.ready(drawer.desk.boxes[1])
    drawer.desk.saved()
    assert drawer.boxes() == [(FIRST, "Jaguar")] and drawer.desk.count(Act) == 1


def test_the_mouse_moves_resizes_and_draws(drawer: Drawer) -> None:
    drawer.page.get_by_role("button", name="Boxes, key B").click()
    drawer.drag((200, 200), (240, 230))
    drawer.drag((360, 318), (400, 358))
    drawer.drag((500, 60), (600, 160))
    drawer.page.get_by_role("button", name="Keep").click()
    drawer.kept()
    moved, added = drawer.places()
    assert near(moved, (168, 174, 400, 358)) and near(added, (500, 60, 600, 160))
    drawer.enter()
    drawer.page.mouse.click(*drawer.at(550, 110))
    drawer.says("Box 2 of 2")
    drawer.page.get_by_role("button", name="Delete").click()
    drawer.page.get_by_role("button", name="Keep").click()
    drawer.kept()
    assert [near(corners, (168, 174, 400, 358)) for corners in drawer.places()] == [True]


def test_crops_that_come_meanwhile_do_not_disturb_box_mode(drawer: Drawer) -> None:
    drawer.enter()
    with drawer.page.expect_response("**/leases"):
        drawer.page.evaluate("dispatchEvent(new Event('online'))")
    drawer.keys("ArrowRight", "Enter")
    drawer.kept()
    assert drawer.places() == [(129, 144, 321, 288)]
    expect(drawer.page.locator(".guess li").first).to_have_text("No guess yet: the first round is random.")


def test_a_key_that_means_another_box_ends_the_drag(drawer: Drawer) -> None:
    drawer.enter()
    drawer.page.mouse.move(*drawer.at(200, 200))
    drawer.page.mouse.down()
    drawer.page.mouse.move(*drawer.at(240, 230))
    drawer.keys("Delete")
    drawer.page.mouse.move(*drawer.at(260, 250))
    drawer.page.mouse.up()
    drawer.says("Box 1 of 1, deleted")
    drawer.keys("Control+z", "Enter")
    drawer.kept()
    assert [near(corners, (168, 174, 360, 318)) for corners in drawer.places()] == [True]


def test_box_mode_passes_axe_and_nothing_else_answers_in_it(drawer: Drawer) -> None:
    drawer.enter()
    drawer.keys("a")
    assert wrong(drawer.page) == []
    expect(drawer.page.locator(".answer").first).to_be_disabled()
    drawer.keys("s", "f", "e", "/", " ", "Escape", "1")
    drawer.desk.ready(drawer.desk.boxes[1])
    drawer.desk.saved()
    assert drawer.desk.names()[0] == "Jaguar" and drawer.desk.count(Act) == 1


def test_who_was_slower_sees_both_and_loses_nothing(drawer: Drawer, complaints: list[str]) -> None:
    drawer.enter()
    drawer.keys("Shift+ArrowRight", "a")
    drawer.somebody_else(Drawing(moved={drawer.desk.boxes[0]: (0.5, 0.5, 0.7, 0.7)}), "Quick Hand")
    drawer.keys("Enter")
    expect(drawer.corner).to_contain_text("Quick Hand moved this box meanwhile.")
    expect(drawer.page.locator(".stage")).to_have_attribute("data-mode", "boxes")
    assert drawer.places() == [(320, 240, 448, 336)]
    drawer.keys("Enter")
    drawer.kept()
    assert drawer.places()[0] == (138, 144, 330, 288) and len(drawer.places()) == 2
    assert [words for words in complaints if "412" not in words] == []
    complaints.clear()


def test_boxes_drawn_without_a_connection_are_sent_when_it_is_back(
    drawer: Drawer, context: BrowserContext, complaints: list[str]
) -> None:
    drawer.page.wait_for_load_state("networkidle")
    context.set_offline(True)
    drawer.enter()
    drawer.keys("Shift+ArrowDown", "Enter")
    drawer.says("No connection. Answers are kept.")
    drawer.keys("b")
    drawer.says("The boxes that you drew are on their way. Box mode waits for them.")
    drawer.keys("1")
    drawer.desk.ready(drawer.desk.boxes[1])
    assert drawer.boxes() == [(FIRST, None)]
    assert [words for words in complaints if "DISCONNECTED" not in words] == []
    context.set_offline(False)
    drawer.desk.saved()
    assert drawer.boxes() == [((128, 154, 320, 298), "Jaguar")]
    complaints.clear()


def test_a_finger_draws_on_a_small_screen_and_the_page_does_not_scroll(
    house: Site,
    browser: Browser,
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, reduced_motion="reduce")
    drawer = Drawer(Desk(house, context.new_page(), context, 2, ("Jaguar", "Ocelot")).open())
    drawer.page.get_by_role("button", name="Boxes, key B").tap()
    touch = Touch(context, drawer.page)
    touch.drag(drawer.at(400, 300), drawer.at(450, 340), drawer.at(520, 420))
    assert drawer.page.evaluate("scrollY") == 0
    for button in drawer.page.locator(".box-tools button").all():
        size = button.bounding_box()
        assert size is not None and size["height"] >= 44
    touch.drag(drawer.at(240, 200), drawer.at(240, 230))
    drawer.page.get_by_role("button", name="Keep").tap()
    drawer.kept()
    moved, added = drawer.places()
    assert near(moved, (128, 174, 320, 318), 3) and near(added, (400, 300, 520, 420), 3)
    context.close()
