"""Finding a species in a real Chromium: by typing, by words for a higher rank, by photos of the project's own sure answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from models.act import Act
from models.box import Box
from models.image import Image
from models.membership import Membership, Role
from models.project import Project
from models.round import Pick
from models.species import Species
from tests import make
from tests.browser.desk import Desk

pytestmark = pytest.mark.browser
AGOUTI, PACA = "Brown agouti", "Lowland paca"


def named(desk: Desk, name: str, boxes: list[int], guess: str, p: float = 0.5, role: Role = Role.expert) -> None:
    """An expert, or somebody else, says this of crops of which the classifier said that."""
    with desk.site.database.writing() as session:
        who = make.user(session)
        Membership.grant(session, desk.project_id, who.id, role)
        species, guessed = (Species.named(session, desk.project_id, each) for each in (name, guess))
        assert species and guessed
        for box_id in boxes:
            act, _fresh = Act.once(session, who.id, f"said-{who.id}-{box_id}", "answer", {}, desk.project_id)
            said = {"species_id": guessed.id, "p": p, "classifier_id": 1}
            session.get_one(Box, box_id).answer(session, species, by=who.id, role=role, act=act, guess=said)


def apart(desk: Desk) -> None:
    """Every photo is a burst of its own."""
    with desk.site.database.writing() as session:
        session.execute(update(Image).where(Image.project_id == desk.project_id).values(sequence_id=None))


def boxes_shown(page: Page, row: int) -> list[int]:
    """Whose crops a row of reference photos shows."""
    pictures = page.locator(".compare figure").nth(row).locator("img[src]")
    return [int(each.get_attribute("src").split("/")[2]) for each in pictures.all()]  # type: ignore[union-attr]


def blind_ahead(desk: Desk, box_id: int) -> None:
    """The crop is of the audit."""
    with desk.site.database.writing() as session:
        session.execute(update(Pick).where(Pick.box_id == box_id).values(chance=0.5))


def test_a_name_is_found_by_its_beginning_a_word_an_accent_or_the_rank_above(
    make_desk: Callable[..., Desk], page: Page
) -> None:
    desk = make_desk(3, ("Agutí pardo", "Grey brocket", "Hummingbird", PACA))
    with desk.site.database.writing() as session:
        Species.add(session, desk.project_id, "any bird", scientific_name="Aves", rank="class")
        paca = Species.named(session, desk.project_id, PACA)
        assert paca is not None
        paca.add_synonym(session, "Cuniculus paca")
    desk.open()
    rows = page.locator(".found li")

    def found(typed: str) -> list[str]:
        page.keyboard.press("/")
        page.locator("#find").fill(typed)
        expect(rows.first).to_be_visible()
        names = [each.locator("span").first.inner_text() for each in rows.all()]
        page.keyboard.press("Escape")
        return names

    assert found("aguti")[0] == "Agutí pardo"
    assert found("cuniculus p")[0] == PACA
    assert found("bird")[:2] == ["any bird", "Hummingbird"]
    for typed in ("unknown bird", "Bird sp.", "bird spp", "any bird", "aves"):
        assert found(typed) == ["any bird"], typed
    assert found("Leopardus sp.") == ["Add «Leopardus sp.» as a new genus"]
    assert found("any cat") == ["Add «any cat» as a new group"]
    page.keyboard.press("/")
    page.keyboard.type("unknown bird")
    page.keyboard.press("Enter")
    desk.ready(desk.boxes[1])
    desk.saved()
    assert desk.names()[0] == "any bird"


def test_what_is_named_more_often_comes_first(make_desk: Callable[..., Desk], page: Page) -> None:
    desk = make_desk(4, ("Deer alpha", "Deer beta"))
    named(desk, "Deer beta", desk.boxes[1:3], "Deer beta")
    desk.open()
    page.keyboard.press("/")
    page.keyboard.type("deer")
    expect(page.locator(".found li").first).to_contain_text("Deer beta")


def test_the_guess_is_shown_beside_photos_of_it_and_of_what_it_is_taken_for(
    make_desk: Callable[..., Desk], page: Page
) -> None:
    desk = make_desk(16, (AGOUTI, PACA, "Lowland tapir"))
    apart(desk)
    desk.guess(0.7, 0.2, 0.1)
    agoutis, pacas = desk.boxes[2:8], desk.boxes[8:12]
    named(desk, AGOUTI, agoutis[:4], AGOUTI)
    named(desk, AGOUTI, agoutis[4:], PACA)
    named(desk, PACA, pacas, PACA)
    named(desk, AGOUTI, desk.boxes[12:14], AGOUTI, role=Role.annotator)  # one voice, and the classifier was not sure
    desk.open()
    captions = page.locator(".compare figcaption")
    expect(captions.nth(0)).to_have_text(AGOUTI)
    expect(captions.nth(1)).to_have_text("often taken for Lowland paca, 2 of 8")
    assert boxes_shown(page, 0) == agoutis[:2:-1]
    assert boxes_shown(page, 1) == pacas[:0:-1]
    expect(page.get_by_role("img", name="Lowland paca, reference photo 3")).to_be_visible()
    room = page.locator(".context").bounding_box()
    notes = page.locator(".notes").bounding_box()
    page.keyboard.press("/")
    page.keyboard.type("lowland p")
    expect(captions.nth(0)).to_have_text(PACA)
    expect(captions.nth(1)).to_have_text("")
    page.keyboard.press("Escape")
    expect(captions.nth(0)).to_have_text(AGOUTI)
    page.keyboard.press("h")
    expect(captions.nth(0)).to_have_text("Hidden. H shows it.")
    assert boxes_shown(page, 0) == boxes_shown(page, 1) == []
    assert page.locator(".notes").bounding_box() == notes and page.locator(".context").bounding_box() == room
    page.keyboard.press("h")
    expect(captions.nth(0)).to_have_text(AGOUTI)


def test_nothing_of_the_burst_on_the_desk_is_shown_as_a_reference(make_desk: Callable[..., Desk], page: Page) -> None:
    desk = make_desk(5, (AGOUTI, PACA)).in_bursts(3, 1, 1)
    desk.guess(0.9, 0.1)
    named(desk, AGOUTI, [desk.boxes[1], desk.boxes[2], desk.boxes[3]], AGOUTI)
    desk.open()
    expect(page.locator(".compare figcaption").nth(0)).to_have_text(AGOUTI)
    assert boxes_shown(page, 0) == [desk.boxes[3]]


def test_a_crop_that_is_asked_blind_shows_no_reference_until_a_name_is_typed(
    make_desk: Callable[..., Desk], page: Page
) -> None:
    desk = make_desk(5, (AGOUTI, PACA))
    apart(desk)
    desk.guess(0.9, 0.1)
    named(desk, AGOUTI, desk.boxes[1:4], AGOUTI)
    blind_ahead(desk, desk.boxes[0])
    desk.open()
    captions = page.locator(".compare figcaption")
    expect(captions.nth(0)).to_have_text("Hidden for this crop")
    assert boxes_shown(page, 0) == []
    page.locator(".species .answer", has_text=AGOUTI).hover()
    expect(captions.nth(0)).to_have_text(AGOUTI)
    desk.press("2", 0)
    expect(captions.nth(0)).not_to_have_text("Hidden for this crop")


def test_an_expert_gives_a_species_that_is_used_often_the_key_that_suits(
    make_desk: Callable[..., Desk], page: Page
) -> None:
    desk = make_desk(22, ("Jaguar",))
    with desk.site.database.writing() as session:
        project = session.get_one(Project, desk.project_id)
        Species.add(session, project.id, AGOUTI, hotkey=None)
    named(desk, AGOUTI, desk.boxes[:20], AGOUTI)
    with desk.site.database.writing() as session:
        mine = update(Membership).where(Membership.project_id == desk.project_id)
        session.execute(mine.values(role=Role.expert.value))
    page.goto(f"{desk.site.address}/projects/{desk.project_id}/species")
    expect(page.locator(".notice")).to_contain_text("Brown agouti was named 20 times and has no key.")
    page.get_by_role("button", name="Give it A").click()
    expect(page.locator(".notice")).to_have_count(0)
    expect(page.locator("tr", has_text=AGOUTI).locator("kbd")).to_have_text("A")
