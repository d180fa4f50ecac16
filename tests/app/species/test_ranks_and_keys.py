"""Ranks above the species, the words that ask for them, and keys that are learnt from use and then stay."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.species.keys import OFTEN, proposals
from app.species.queries import Row
from models.audit import AuditEntry
from models.errors import Invalid
from models.project import Project
from models.species import Species, group_of
from tests import make
from tests.app.species.test_species import Desk, both_desks, desk

__all__ = ["both_desks", "desk"]


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("any bird", "bird"), ("Unknown bird", "bird"), ("BIRD sp.", "bird"), ("Leopardus spp", "leopardus"),
        ("unidentified small mammal", "small mammal"), ("Ñandú sp.", "nandu"), ("bird", None), ("unknown", None),
        ("Hummingbird", None), ("sp.", None),
    ],
)  # fmt: skip
def test_words_that_ask_for_a_rank_above(name: str, group: str | None) -> None:
    assert group_of(name) == group


def test_unknown_bird_finds_any_bird_and_is_not_added_beside_it(both_desks: Desk) -> None:
    desk = both_desks
    assert desk.send(name="any bird", scientific_name="Aves", rank="class").status_code == 303
    desk.add("Hummingbird", "Bird of prey")
    with desk.site.database.reading() as session:
        for words in ("unknown bird", "Bird sp.", "ANY BIRD", "aves", "some bird"):
            found = Species.named(session, desk.project_id, words)
            assert found is not None and found.name == "any bird", words
        for words in ("unknown cat", "bird of paradise", "Hummingbird sp."):
            assert Species.named(session, desk.project_id, words) is None, words
    refused = desk.ask(name="Unidentified bird")
    assert refused.json()["error"] == "name: Unidentified bird is already in the list, as any bird"


def test_a_rank_is_given_kept_by_a_rename_without_one_and_refused_when_it_is_none(desk: Desk) -> None:
    desk.send(name="any cat", rank="family")
    species_id = desk.listed()["any cat"]["id"]
    desk.send(f"/{species_id}/rename", name="any felid")
    assert desk.listed()["any felid"]["rank"] == "family"
    desk.send(f"/{species_id}/rename", name="any felid", rank="genus")
    assert desk.listed()["any felid"]["rank"] == "genus"
    refused = desk.send(name="any dog", rank="<tribe>")
    assert refused.status_code == 422 and "any dog" not in desk.listed()
    assert "is not one of species, genus, family, order, class, phylum, kingdom, group" in refused.text


def row(name: str, answers: int, number: int, **columns: object) -> Row:
    """A species that was named so often."""
    return Row(Species(id=number, kind="taxon", name=name, **columns), answers, 0)


def test_keys_are_proposed_by_use_and_each_suits_its_name() -> None:
    rows = [
        row("Grey brocket", OFTEN, 1), row("Brown agouti", OFTEN + 11, 2), row("Red agouti", OFTEN + 5, 3),
        row("Rare bird", OFTEN - 1, 4), row("Jaguar", 500, 5, hotkey="1"), row("Ñ", OFTEN + 1, 6),
    ]  # fmt: skip
    found = [(each.species.name, each.answers, each.key) for each in proposals(rows, list("4ARLO"))]
    assert found == [("Brown agouti", 31, "A"), ("Red agouti", 25, "R"), ("Ñ", 21, "4")]
    assert proposals(rows, []) == []
    assert [each.key for each in proposals(rows, ["Q"])] == ["Q"]


def test_a_proposed_key_is_given_once_and_never_moves_another(both_desks: Desk) -> None:
    desk = both_desks
    _jaguar, agouti = desk.add("Jaguar", "Brown agouti")
    with desk.site.database.writing() as session:
        session.get_one(Species, agouti).hotkey = None
    assert "has no key" not in desk.show()
    taken = desk.send(f"/{agouti}/give-key", key="1")
    assert taken.status_code == 422 and "1 belongs to Jaguar" in taken.text
    for _click in range(2):
        assert desk.send(f"/{agouti}/give-key", key="A").status_code == 303
    late = desk.send(f"/{agouti}/give-key", key="O")
    assert late.status_code == 422 and "Brown agouti has the key A by now, and keeps it" in late.text
    assert [desk.listed()[name]["hotkey"] for name in ("Jaguar", "Brown agouti")] == ["1", "A"]
    with desk.site.database.reading() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.project_id == desk.project_id)).all()
    assert [entry.details["changes"] for entry in entries] == [{"key": [None, "A"]}]


def test_the_list_asks_whether_a_species_that_is_named_often_shall_have_a_key(desk: Desk) -> None:
    (agouti,) = desk.add("Brown agouti")
    with desk.site.database.writing() as session:
        session.get_one(Species, agouti).hotkey = None
        project = session.get_one(Project, desk.project_id)
        photo = make.image(session, make.batch(session, project))
        for _ in range(OFTEN):
            make.box(session, photo, settled_species_id=agouti)
    page = desk.show()
    assert "</bdi></b> was named 20 times and has no key." in page and "Give it <kbd>A</kbd>" in page


def test_a_retired_species_gets_no_key(desk: Desk) -> None:
    (agouti,) = desk.add("Brown agouti")
    with desk.site.database.writing() as session:
        species = session.get_one(Species, agouti)
        species.retire()
        with pytest.raises(Invalid, match="taken off the list"):
            species.give_key(session, "A")
