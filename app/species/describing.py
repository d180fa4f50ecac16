"""What a species is called elsewhere, what it hangs below, how coarse its places go out, what it means: each change is noted."""

from __future__ import annotations

from app.dependencies import Access
from app.species import taxa
from app.species.changes import noted
from models import merging
from models.errors import Invalid
from models.names import name_in, set_id
from models.species import SENSITIVITIES, Species
from models.taxonomy import place_below
from models.words import say


def set_parent(access: Access, species: Species, name: str) -> None:
    """Hang it below the taxon of this name; an empty one: below none. Raises Invalid for a name that is none and for a circle."""
    access.project.lock(access.session)
    parent = named(access, name, "parent") if name.strip() else None
    if (parent.id if parent else None) == species.parent_id:
        return
    before = access.session.get(Species, species.parent_id) if species.parent_id else None
    place_below(access.session, species, parent)
    changes = {"parent": [before.name if before else "", parent.name if parent else ""]}
    noted(access, "species.placed", name=species.name, changes=changes)


def set_sensitivity(access: Access, species: Species, sensitivity: str) -> None:
    """How coarse its places go out. Raises Invalid for a word that is none."""
    if sensitivity not in SENSITIVITIES:
        raise Invalid(say("sensitivity: %(word)s is none", word=sensitivity[:20]))
    access.project.lock(access.session)
    before, species.sensitivity = species.sensitivity, sensitivity
    if before != sensitivity:
        noted(access, "species.sensitivity", name=species.name, changes={"sensitivity": [before, sensitivity]})


def add_common(access: Access, species: Species, language: str, name: str) -> None:
    """A common name of a language."""
    access.project.lock(access.session)
    made = name_in(access.session, species, language, name)
    noted(access, "species.common_name", name=species.name, language=made.language, common=made.name)


def remove_common(access: Access, species: Species, name_id: int) -> None:
    """Not called so any more."""
    found = taxa.common_name(access.session, species, name_id)
    if found is not None:
        access.session.delete(found)
        noted(access, "species.common_name_removed", name=species.name, language=found.language, common=found.name)


def add_id(access: Access, species: Species, register: str, value: str) -> None:
    """What it is called in a register."""
    access.project.lock(access.session)
    made = set_id(access.session, species, register, value)
    noted(access, "species.id", name=species.name, register=made.register, value=made.value)


def remove_id(access: Access, species: Species, id_: int) -> None:
    """No more."""
    found = taxa.taxon_id(access.session, species, id_)
    if found is not None:
        access.session.delete(found)
        noted(access, "species.id_removed", name=species.name, register=found.register, value=found.value)


def merge(access: Access, species: Species, into: str) -> None:
    """It means the species of this name from now on. Raises Invalid for a name that is none, and for what cannot be merged."""
    access.project.lock(access.session)
    other = named(access, into, "into")
    if merging.merge(access.session, access.project, species, other):
        noted(access, "species.merged", name=species.name, into=other.name)


def unmerge(access: Access, species: Species, into_id: int) -> None:
    """It is one of its own again."""
    access.project.lock(access.session)
    access.session.refresh(species)
    if merging.unmerge(access.session, access.project, species, into_id):
        other = access.session.get_one(Species, into_id)
        noted(access, "species.unmerged", name=species.name, into=other.name)


def named(access: Access, name: str, field: str) -> Species:
    """The species that is meant by a typed name. Raises Invalid at the field."""
    found = Species.named(access.session, access.project.id, name)
    if found is None:
        raise Invalid(say("%(field)s: %(name)s is not in the list", field=field, name=name.strip()[:80] or "–"))
    return found
