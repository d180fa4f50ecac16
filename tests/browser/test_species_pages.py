"""The species pages in a real Chromium: the tree folds, two species become one and two again, a file is imported."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from models.act import Act
from models.box import Box
from models.membership import Membership, Role
from models.species import Species
from models.taxonomy import place_below
from tests import make
from tests.browser.conftest import sign_in
from tests.browser.desk import Desk
from tests.browser.test_accessibility import WIDTHS, wrong

pytestmark = pytest.mark.browser
NAMES = ("Ocelot", "Margay", "Jaguar", "Cat family")


@pytest.fixture
def desk(make_desk: Callable[..., Desk], context: BrowserContext) -> Desk:
    """Three cats below their family, two of them named by an expert, who looks at the pages."""
    desk = make_desk(4, NAMES)
    desk.guess(0.4, 0.3, 0.2, 0.1)
    with desk.site.database.writing() as session:
        who = make.user(session)
        Membership.grant(session, desk.project_id, who.id, Role.expert)
        species = {name: Species.named(session, desk.project_id, name) for name in NAMES}
        family = species["Cat family"]
        assert family is not None
        family.rank, family.scientific_name = "family", "Felidae"
        for name in NAMES[:3]:
            each = species[name]
            assert each is not None
            place_below(session, each, family)
        for place, name in enumerate(("Ocelot", "Margay")):
            act, _fresh = Act.once(session, who.id, f"said-{who.id}-{place}", "form", {}, desk.project_id)
            said = species[name]
            assert said is not None
            session.get_one(Box, desk.boxes[place]).answer(session, said, by=who.id, role=Role.expert, act=act)
        token = make.token(session, who)
    sign_in(context, desk.site, token)
    return desk


def at(desk: Desk, path: str = "") -> str:
    """An address of the species pages."""
    return f"{desk.site.address}/projects/{desk.project_id}/species{path}"


def species_id(desk: Desk, name: str) -> int:
    """Of a species."""
    with desk.site.database.reading() as session:
        found = Species.named(session, desk.project_id, name)
        assert found is not None
        return found.id


def test_two_species_become_one_and_two_again(desk: Desk, page: Page) -> None:
    page.goto(at(desk))
    page.get_by_role("link", name="Edit Margay").click()
    page.get_by_label("It is the same as").fill("Ocelot")
    page.get_by_role("button", name="Merge it").click()
    expect(page.get_by_role("button", name="Undo the merge")).to_be_visible()
    assert desk.names()[:2] == ["Ocelot", "Ocelot"]
    page.goto(f"{desk.site.address}/projects/{desk.project_id}/label")
    page.keyboard.press("/")
    page.keyboard.type("marg")
    expect(page.locator(".found li").first).to_contain_text("Ocelot")
    expect(page.locator(".found li").first).to_contain_text("Margay")
    page.goto(at(desk))
    expect(page.locator("table").filter(has_text="Margay")).to_contain_text("is Ocelot")
    page.get_by_role("button", name="Undo the merge Margay").click()
    expect(page.get_by_label("It is the same as")).to_be_visible()
    assert desk.names()[:2] == ["Ocelot", "Margay"]


def test_a_tab_with_the_old_key_is_understood(desk: Desk, page: Page) -> None:
    desk.page = page
    page.goto(f"{desk.site.address}/projects/{desk.project_id}/label?box={desk.boxes[2]}")
    desk.ready(desk.boxes[2])
    other = page.context.new_page()
    other.goto(at(desk, f"/{species_id(desk, 'Margay')}/edit"))
    other.get_by_label("It is the same as").fill("Ocelot")
    other.get_by_role("button", name="Merge it").click()
    expect(other.get_by_role("button", name="Undo the merge")).to_be_visible()
    page.keyboard.press("2")  # Margay, as this tab still has it
    desk.saved()
    assert desk.names()[2] == "Ocelot"


def test_the_tree_folds_without_script(desk: Desk, page: Page) -> None:
    page.goto(at(desk, "?view=tree"))
    leaf = page.locator(".taxon", has_text="Jaguar")
    expect(leaf).to_be_visible()
    page.locator("summary.taxon .fold").first.click()
    expect(leaf).to_be_hidden()


def test_what_the_guesses_add_up_to_is_said_and_can_be_answered(desk: Desk, page: Page) -> None:
    desk.page = page
    page.goto(f"{desk.site.address}/projects/{desk.project_id}/label?box={desk.boxes[3]}")
    desk.ready(desk.boxes[3])
    rolled = page.locator(".rolled button")
    expect(rolled).to_contain_text("Cat family Ocelot 40, Margay 30, Jaguar 20, Cat family 10")
    expect(rolled).to_contain_text("100%")
    page.keyboard.press("h")
    expect(rolled).to_have_count(0)
    page.keyboard.press("h")
    rolled.click()
    desk.saved()
    assert desk.names()[3] == "Cat family"


def test_a_file_is_looked_at_and_imported(desk: Desk, page: Page) -> None:
    page.goto(at(desk))
    page.get_by_role("link", name="Import a file").click()
    content = "name,parent,name:es,rank\nOncilla,Cat family,Tigrillo,species\nBad,Nobody,,species\n"
    chosen = {"name": "cats.csv", "mimeType": "text/csv", "buffer": content.encode()}
    page.get_by_label("A CSV file, one species a row").set_input_files(chosen)  # type: ignore[arg-type]
    page.get_by_role("button", name="Look at it").click()
    expect(page.locator("#plan")).to_contain_text("1 species is new, 0 change, 0 stay as they are, 1 problem.")
    expect(page.locator("table").first).to_contain_text("Nobody is neither in the file nor in the list")
    page.get_by_role("button", name="Import the good rows").click()
    expect(page.locator("main")).to_contain_text("1 species was added.")
    assert species_id(desk, "Oncilla")


def test_a_species_is_split_and_the_split_is_taken_back(desk: Desk, page: Page) -> None:
    page.goto(at(desk, f"/{species_id(desk, 'Ocelot')}/edit"))
    page.get_by_role("link", name="Choose the crops").click()
    expect(page.get_by_role("heading", name="1 crop is meant")).to_be_visible()
    page.get_by_label("They are called").fill("Jaguar")
    page.get_by_role("button", name="Name them").click()
    expect(page.locator(".notice")).to_contain_text("1 crop has its new name.")
    assert desk.names()[0] == "Jaguar"
    page.get_by_role("button", name="Take it back").click()
    expect(page.locator(".notice")).to_contain_text("Taken back.")
    assert desk.names()[0] == "Ocelot"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_species_pages_pass_axe(desk: Desk, page: Page, theme: str, width: str) -> None:
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.set_viewport_size(WIDTHS[width])
    ocelot, margay = species_id(desk, "Ocelot"), species_id(desk, "Margay")
    page.goto(at(desk, f"/{margay}/edit"))
    page.get_by_label("It is the same as").fill("Ocelot")
    page.get_by_role("button", name="Merge it").click()
    expect(page.get_by_role("button", name="Undo the merge")).to_be_visible()
    complaints = {}
    for path in ("", "?view=tree", "?find=cat", "/import", f"/{ocelot}/edit", f"/{margay}/edit", f"/{ocelot}/split"):
        page.goto(at(desk, path))
        complaints[path] = wrong(page)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, path
    assert {path: said for path, said in complaints.items() if said} == {}
