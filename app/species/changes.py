"""Changes of the species list, one writer at a time in a project, each noted."""

from __future__ import annotations

from collections.abc import Mapping

from app.dependencies import Access
from app.forms import decimal
from app.species import lists, queries
from models.act import Act
from models.audit import note
from models.species import SPECIES, Species

Typed = Mapping[str, str]
NAMED = ("name", "scientific_name", "rank")


def add(access: Access, typed: Typed) -> Species:
    """A new species; the same click again finds the one that the first made. Raises Invalid when name or key is taken or bad."""
    session, project = access.session, access.project
    project.lock(session)
    body = {field: typed[field] for field in ("name", "scientific_name", "key")}
    body |= {"rank": typed["rank"]} if typed["rank"] != SPECIES else {}
    key = typed["idempotency_key"]
    act = Act.once(session, access.user.id, key, "form", body, project.id)[0] if key else None
    if act is not None and act.answer:
        return session.get_one(Species, act.answer["species_id"])
    hotkey = typed["key"].strip() or "auto"
    species = Species.add(
        session, project.id, typed["name"], scientific_name=typed["scientific_name"], hotkey=hotkey, rank=typed["rank"]
    )
    if act is not None:
        act.answer = {"species_id": species.id}
    noted(access, "species.added", name=species.name)
    return species


def add_list(access: Access, text: str) -> tuple[int, int]:
    """(how many were added, how many were there already). All or nothing."""
    access.project.lock(access.session)
    added, known = Species.add_list(access.session, access.project.id, lists.parse(text))
    for species in added:
        noted(access, "species.added", name=species.name)
    return len(added), known


def rename(access: Access, species: Species, name: str, scientific_name: str, rank: str, *, keep: bool = False) -> None:
    """Another name or rank; every answer keeps the species. keep: it is found under the old name too."""
    access.project.lock(access.session)
    access.session.refresh(species)
    before = {field: getattr(species, field) for field in NAMED}
    species.rename(access.session, name, scientific_name, rank, keep=keep)
    after = {field: getattr(species, field) for field in NAMED}
    changes = {field: [before[field], after[field]] for field in before if before[field] != after[field]}
    if changes:
        noted(access, "species.renamed", changes=changes)


def set_names(access: Access, language: str, bar: str) -> None:
    """In which language names are shown beside the list's own, and from which sum on guesses are rolled up."""
    project = access.project
    project.lock(access.session)
    before = [project.names_language, project.roll_up_above]
    project.set_names(language, decimal("roll up above", bar))
    after = [project.names_language, project.roll_up_above]
    if before != after:
        noted(
            access,
            "settings.names",
            changes={"language": [before[0], after[0]], "roll_up_above": [before[1], after[1]]},
        )


def set_key(access: Access, species: Species, key: str) -> None:
    """Another key, or none."""
    access.project.lock(access.session)
    before = species.hotkey
    species.set_hotkey(access.session, key.strip() or None)
    if species.hotkey != before:
        noted(access, "species.key", name=species.name, changes={"key": [before, species.hotkey]})


def give_key(access: Access, species: Species, key: str) -> None:
    """The key that was proposed for a species without one."""
    access.project.lock(access.session)
    access.session.refresh(species)
    if species.hotkey != key:
        species.give_key(access.session, key)
        noted(access, "species.key", name=species.name, changes={"key": [None, species.hotkey]})


def add_synonym(access: Access, species: Species, name: str) -> None:
    """Another name under which it is found."""
    access.project.lock(access.session)
    synonym = species.add_synonym(access.session, name)
    noted(access, "species.synonym", name=species.name, synonym=synonym.name)


def remove_synonym(access: Access, species: Species, synonym_id: int) -> None:
    """It is not found under this name any more."""
    synonym = queries.synonym(access.session, species, synonym_id)
    if synonym is not None:
        access.session.delete(synonym)
        noted(access, "species.synonym_removed", name=species.name, synonym=synonym.name)


def retire(access: Access, species: Species) -> None:
    """Off the list; old answers keep it."""
    access.project.lock(access.session)
    if species.retired_at is None:
        species.retire()
        noted(access, "species.retired", name=species.name)


def bring_back(access: Access, species: Species) -> None:
    """On the list again."""
    if species.retired_at is not None:
        species.bring_back()
        noted(access, "species.brought_back", name=species.name)


def noted(access: Access, act: str, **details: object) -> None:
    """One line of the project's history."""
    note(access.session, act, user=access.user, project_id=access.project.id, **details)
