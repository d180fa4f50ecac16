"""The grid in a real Chromium: many names at once, by keys and by mouse, with undo, and a long list."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import APIResponse, BrowserContext, Locator, Page, Route, expect
from sqlalchemy import select, update

from models.act import Act
from models.box import Box
from models.label import Label
from models.likeness import Likeness
from models.membership import Membership, Role
from models.project import Project
from models.round import Pick
from models.species import Species
from tests import make
from tests.browser.desk import Desk

pytestmark = pytest.mark.browser
MakeDesk = Callable[..., Desk]


def opened(desk: Desk, query: str = "") -> Desk:
    """Go to the grid and wait for the script's tiles."""
    desk.page.goto(f"{desk.site.address}/projects/{desk.project_id}/grid{query}")
    expect(desk.page.locator(".tile-list")).to_have_attribute("data-ready", re.compile(r"\d+"))
    return desk


def tile(desk: Desk, place: int) -> Locator:
    """The tile of the desk's crop at this place."""
    return desk.page.locator(f'.tile:has(img[src="/boxes/{desk.boxes[place]}/crop.jpg"])')


def chosen(desk: Desk) -> list[int]:
    """Which of the desk's crops are selected, among the tiles that are seen."""
    sources = desk.page.locator('.tile[aria-selected="true"] img').evaluate_all("all => all.map((each) => each.src)")
    return sorted(desk.boxes.index(int(source.split("/")[-2])) for source in sources)


def press(desk: Desk, *keys: str) -> None:
    for key in keys:
        desk.page.keyboard.press(key)


def test_by_keyboard_alone_a_selection_gets_one_name_and_undo_takes_it_back_also_after_a_reload(
    make_desk: MakeDesk, page: Page
) -> None:
    desk = opened(make_desk(20))
    last, said = page.locator(".last"), page.locator("#said")
    press(desk, "ArrowRight", "Shift+ArrowRight", "Shift+ArrowDown")
    assert chosen(desk) == list(range(9))  # seven in a row
    expect(page.locator(".bulk .sum")).to_have_text("9 selected")
    press(desk, "2")
    expect(last).to_contain_text("Ocelot, 9 crops")
    expect(said).to_have_text("Ocelot saved for 9 crops.")
    expect(tile(desk, 4)).to_have_attribute("aria-label", "Ocelot, named by You")
    expect(tile(desk, 9)).to_be_focused()  # the next that is open
    assert chosen(desk) == []
    press(desk, " ", "ArrowRight", "ArrowRight", " ", "Shift+1")
    expect(last).to_contain_text("Jaguar, 2 crops")
    desk.saved()
    assert desk.names() == ["Ocelot"] * 9 + ["Jaguar", None, "Jaguar"] + [None] * 8
    assert (desk.count(Act), desk.count(Label)) == (2, 11)
    press(desk, "Control+z")
    expect(last).to_contain_text("taken back")
    expect(tile(desk, 11)).to_be_focused()
    desk.saved()
    assert desk.names() == ["Ocelot"] * 9 + [None] * 11
    opened(desk)
    press(desk, "Control+z")
    expect(tile(desk, 4)).to_have_attribute("aria-label", "No guess")
    desk.saved()
    assert desk.names() == [None] * 20
    press(desk, "Control+Shift+z")
    expect(tile(desk, 4)).to_have_attribute("aria-label", "Ocelot, named by You")
    press(desk, "Control+z")
    desk.saved()
    expect(tile(desk, 4)).to_have_attribute("aria-label", "No guess")
    assert desk.names() == [None] * 20


def test_with_nothing_selected_an_answer_is_for_the_tile_in_focus(make_desk: MakeDesk, page: Page) -> None:
    desk = opened(make_desk(4))
    press(desk, "ArrowRight", "ArrowRight", "x")
    expect(page.locator(".last")).to_contain_text("Not an animal")
    press(desk, "Escape", "/")
    page.keyboard.type("low")
    press(desk, "Enter")
    expect(page.locator(".last")).to_contain_text("Lowland tapir")
    desk.saved()
    assert sorted(filter(None, desk.names())) == ["Lowland tapir", "Not an animal"]


def test_by_mouse_a_drag_a_click_and_a_group_select(make_desk: MakeDesk, page: Page) -> None:
    desk = opened(make_desk(20))
    start, end = tile(desk, 1).bounding_box(), tile(desk, 9).bounding_box()
    assert start and end
    page.mouse.move(start["x"] + 30, start["y"] + 30)
    page.mouse.down()
    page.mouse.move(end["x"] + 30, end["y"] + 30, steps=5)
    page.mouse.up()
    assert chosen(desk) == [1, 2, 8, 9]  # a frame, not a line of text
    tile(desk, 2).click()
    tile(desk, 12).click()
    assert chosen(desk) == [1, 8, 9, 12]
    tile(desk, 14).click(modifiers=["Shift"])
    assert chosen(desk) == [1, 8, 9, 12, 13, 14]
    page.get_by_role("button", name="Clear").click()
    assert chosen(desk) == []
    page.get_by_role("button", name="Select all 20").click()
    expect(page.locator(".bulk .sum")).to_have_text("20 selected")
    page.get_by_role("button", name="Ocelot, key 2").click()
    desk.saved()
    assert desk.names() == ["Ocelot"] * 20 and desk.count(Act) == 1
    page.get_by_role("button", name="Undo").click()
    desk.saved()
    assert desk.names() == [None] * 20


def test_accept_all_that_the_classifier_is_sure_of_is_one_act_and_leaves_blind_crops(
    make_desk: MakeDesk, page: Page
) -> None:
    desk = make_desk(6)
    desk.guess(0.1, 0.9, 0.0)
    with desk.site.database.writing() as session:
        session.execute(update(Pick).where(Pick.box_id == desk.boxes[2]).values(chance=0.5))
    opened(desk)
    accept = page.locator("[data-act=accept-at]")
    expect(accept).to_have_text("Accept 0")
    expect(accept).to_be_disabled()
    page.get_by_label("Accept all at").fill("90")
    expect(accept).to_have_text("Accept 5")
    accept.click()
    expect(page.locator(".last")).to_contain_text("Ocelot, 5 crops")
    desk.saved()
    assert desk.names() == ["Ocelot", "Ocelot", None, "Ocelot", "Ocelot", "Ocelot"] and desk.count(Act) == 1
    expect(tile(desk, 2)).to_have_attribute("aria-label", "No guess")
    press(desk, "Control+z")
    desk.saved()
    assert desk.names() == [None] * 6


def test_enter_accepts_each_first_guess_and_e_adds_the_bursts(make_desk: MakeDesk) -> None:
    desk = make_desk(6).in_bursts(3, 3)
    desk.guess(0.1, 0.2, 0.7)
    opened(desk)
    tile(desk, 1).click()
    press(desk, "e")
    assert chosen(desk) == [0, 1, 2]
    press(desk, "Enter")
    desk.saved()
    assert desk.names() == ["Lowland tapir"] * 3 + [None] * 3
    desk.page.get_by_role("button", name="Select all 6").click()
    press(desk, "Enter")  # accepts what the click selected, and does not press the button again
    desk.saved()
    assert desk.names() == ["Lowland tapir"] * 6


def test_names_go_on_while_the_network_is_cut_and_none_is_lost_or_doubled(
    make_desk: MakeDesk, page: Page, context: BrowserContext, complaints: list[str]
) -> None:
    desk = opened(make_desk(12))
    context.set_offline(True)
    tile(desk, 0).click()
    press(desk, "Shift+ArrowRight", "1")
    press(desk, "ArrowRight", " ", "2")
    expect(page.locator(".saved")).to_have_text("2 waiting")
    expect(page.locator(".hint")).to_contain_text("Go on: your answers are kept on this computer")
    assert desk.count(Label) == 0
    context.set_offline(False)
    desk.saved()
    assert (desk.count(Act), desk.count(Label)) == (2, 3)
    assert desk.names()[:2] == ["Jaguar", "Jaguar"] and desk.names().count("Ocelot") == 1
    complaints.clear()


def test_what_the_server_refuses_is_taken_off_the_tiles(make_desk: MakeDesk, page: Page, complaints: list[str]) -> None:
    desk = opened(make_desk(3))
    with desk.site.database.writing() as session:
        ocelot = session.scalars(select(Species).where(Species.project_id == desk.project_id, Species.name == "Ocelot"))
        ocelot.one().retire()
    press(desk, "2")
    expect(page.locator(".hint")).to_contain_text("Ocelot was taken off the list")
    expect(tile(desk, 0)).to_have_attribute("aria-label", "No guess")
    assert desk.names() == [None] * 3
    complaints.clear()


def test_what_others_name_meanwhile_and_what_neighbours_say_stands_on_the_tiles(
    make_desk: MakeDesk, page: Page
) -> None:
    desk = make_desk(3)
    desk.guess(0.9, 0.1, 0.0)
    with desk.site.database.writing() as session:
        project = session.get_one(Project, desk.project_id)
        ocelot = Species.named(session, project.id, "Ocelot")
        assert ocelot is not None
        session.add(
            Likeness(
                box_id=desk.boxes[1], project_id=project.id, embedder_id=project.embedder_id, place=1.0,
                near_species_id=ocelot.id, near_share=0.8,
            )
        )  # fmt: skip
        other = make.user(session, "Jonas Weber")
        Membership.grant(session, project.id, other.id, Role.annotator)
        token = make.token(session, other)
    page.clock.install()
    opened(desk)
    expect(tile(desk, 1)).to_have_attribute("aria-label", "Jaguar, 90 percent, neighbours say Ocelot")
    expect(tile(desk, 1).locator(".mark")).to_have_text("near: Ocelot")
    with desk.site.client(token) as client:
        body = {"box": desk.boxes[0], "said": [[desk.boxes[0], ocelot.id]], "idempotency_key": "jonas-0001"}
        assert client.post(f"/projects/{desk.project_id}/grid-labels", json=body).status_code == 200
    page.clock.fast_forward(11_000)
    expect(tile(desk, 0)).to_have_attribute("aria-label", "Ocelot, named by Jonas Weber")
    expect(tile(desk, 0).locator(".mark")).to_have_text("✓ Jonas Weber")


def test_a_look_that_was_overtaken_by_an_answer_does_not_take_it_off_the_tile(make_desk: MakeDesk, page: Page) -> None:
    desk = make_desk(3)
    page.clock.install()
    opened(desk)
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/grid/tiles*", lambda route: held.append((route, route.fetch())))
    page.clock.fast_forward(11_000)
    page.wait_for_timeout(500)
    tile(desk, 0).click()
    press(desk, "2")
    expect(page.locator(".saved")).to_have_attribute("data-waiting", "0")
    assert len(held) == 1
    with page.expect_response("**/grid/tiles*"):
        held[0][0].fulfill(response=held[0][1])
    page.wait_for_timeout(300)
    expect(tile(desk, 0)).to_have_attribute("aria-label", "Ocelot, named by You")


def test_g_goes_to_the_single_view_and_back_with_the_same_crop(make_desk: MakeDesk, page: Page) -> None:
    desk = opened(make_desk(5))
    tile(desk, 3).click()
    press(desk, "g")
    page.wait_for_url("**/label?box=*")
    desk.ready(desk.boxes[3])
    press(desk, "g")
    page.wait_for_url("**/grid?box=*")
    expect(tile(desk, 3)).to_be_focused()


def test_a_long_list_keeps_few_tiles_in_the_page(make_desk: MakeDesk, page: Page) -> None:
    desk = make_desk(3)
    with desk.site.database.writing() as session:
        project = session.get_one(Project, desk.project_id)
        image = session.get_one(Box, desk.boxes[0]).image_id
        session.add_all(
            Box(
                project_id=project.id, image_id=image, ordinal=10 + number, x_min=0.1, y_min=0.1, x_max=0.2, y_max=0.2,
                score=0.95, kind="animal", embedder_id=project.embedder_id,
            )
            for number in range(2000)
        )  # fmt: skip
    page.route("**/crop.jpg", lambda route: route.fulfill(status=200, content_type="image/svg+xml", body=DOT))
    opened(desk, "?of=all")
    tiles = page.locator(".tile")
    assert 20 < tiles.count() <= 300
    page.locator(".tile-scroll").evaluate("each => each.scrollTo(0, each.scrollHeight / 2)")
    expect(page.locator('.tile[data-at="1000"]')).to_have_count(1)
    assert tiles.count() <= 300
    page.locator(".tile-scroll").evaluate("each => each.scrollTo(0, each.scrollHeight)")
    expect(page.locator('.tile[data-at="2002"]')).to_be_visible()
    page.locator('.tile[data-at="2002"]').click()
    press(desk, "Shift+ArrowUp")
    expect(page.locator(".bulk .sum")).to_have_text("8 selected")
    page.set_viewport_size({"width": 390, "height": 844})
    assert tiles.count() <= 300
    expect(page.locator(".bulk .sum")).to_have_text("8 selected")


DOT = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>'


def test_pictures_that_fly_by_are_not_fetched_and_those_where_the_list_rests_are(
    make_desk: MakeDesk, page: Page
) -> None:
    desk = make_desk(3)
    with desk.site.database.writing() as session:
        project = session.get_one(Project, desk.project_id)
        image = session.get_one(Box, desk.boxes[0]).image_id
        session.add_all(
            Box(
                project_id=project.id, image_id=image, ordinal=10 + number, x_min=0.1, y_min=0.1, x_max=0.2, y_max=0.2,
                score=0.95, kind="animal", embedder_id=project.embedder_id,
            )
            for number in range(2000)
        )  # fmt: skip
    fetched: list[str] = []
    page.route(
        "**/crop.jpg",
        lambda route: (
            fetched.append(route.request.url),
            route.fulfill(status=200, content_type="image/svg+xml", body=DOT),
        ),
    )
    opened(desk, "?of=all")
    expect(page.locator(".tile img:not([src])")).to_have_count(0)
    at_first = len(fetched)
    page.locator(".tile-scroll").evaluate(
        """scroller => new Promise(done => {
          const next = () => {
            scroller.scrollTop += 400;
            scroller.scrollTop + scroller.clientHeight < scroller.scrollHeight - 1 ? requestAnimationFrame(next) : done();
          };
          next();
        })"""
    )
    expect(page.locator('.tile[data-at="2002"]')).to_be_visible()
    expect(page.locator(".tile img:not([src])")).to_have_count(0)
    assert len(fetched) - at_first < 1000  # of 2,000 that came by


def test_without_script_checkboxes_and_a_button_name_the_selection(make_desk: MakeDesk, page: Page) -> None:
    desk = make_desk(4)
    page.route("**/*.js*", lambda route: route.fulfill(status=200, content_type="text/javascript", body=""))
    page.goto(f"{desk.site.address}/projects/{desk.project_id}/grid")
    boxes = page.get_by_role("checkbox")
    boxes.nth(0).check()
    boxes.nth(2).check()
    page.get_by_role("button", name="Ocelot, key 2").click()
    expect(page.locator(".last")).to_contain_text("Ocelot, 2 crops")
    expect(page).to_have_url(re.compile("/grid$|/grid[?]$"))
    assert desk.names().count("Ocelot") == 2
