"""Trees that are whole, and what the doctor says of one that is not."""

from __future__ import annotations

import pytest

from models.database import Database
from models.errors import Invalid
from models.species import Species
from models.taxonomy import crooked, path, place_below, tree_of
from tests import make


def test_a_tree_is_walked_by_name_and_moves_as_a_whole(database: Database) -> None:
    with database.writing() as session:
        project = make.project(session)
        cats, jaguar, ocelot, mammals = make.species(session, project, "Cats", "Jaguar", "ocelot", "Mammals")
        for species, parent in ((ocelot, cats), (jaguar, cats), (cats, mammals)):
            place_below(session, species, parent)
        session.flush()
        tree = tree_of(session, project.id)
        names = {each.id: each.name for each in (cats, jaguar, ocelot, mammals)}
        assert [(names[each], depth) for each, depth in tree.walk()] == [
            ("Mammals", 0), ("Cats", 1), ("Jaguar", 2), ("ocelot", 2),
        ]  # fmt: skip
        assert path(names, tree.above(ocelot.id)) == "Mammals › Cats"
        for parent in (mammals, jaguar):
            with pytest.raises(Invalid, match="is below Mammals already"):
                place_below(session, mammals, parent)
        stranger = make.species(session, make.project(session), "Cats")[0]
        for parent in (stranger, Species.of_kind(session, project.id, "person")):
            with pytest.raises(Invalid, match="is no taxon of this list"):
                place_below(session, jaguar, parent)
        assert list(crooked(session)) == []


def test_the_doctor_names_parents_and_merges_that_lead_nowhere_or_round(database: Database) -> None:
    with database.writing() as session:
        project = make.project(session)
        one, two, three, four = make.species(session, project, "One", "Two", "Three", "Four")
        stranger = make.species(session, make.project(session), "Five")[0]
        one.parent_id, two.parent_id, three.parent_id, four.merged_into_id = two.id, one.id, stranger.id, 10**6
        session.flush()
        assert list(crooked(session)) == [
            f"species {one.id} hangs below {two.id}, and that way leads back to itself",
            f"species {two.id} hangs below {one.id}, and that way leads back to itself",
            f"species {three.id} hangs below {stranger.id}, which is not in its project",
            f"species {four.id} was merged into 1000000, which is not in its project",
        ]
