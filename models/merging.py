"""Two species that are one: the first means the second from now on.

No answer changes: each keeps the id that was said, and what it means is read through models/meaning.py. So undoing a merge gives
back exactly what was.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.beside import ask_meaning, settle_by_rule
from models.box import Box
from models.database import CHUNK_ROWS
from models.errors import Changed, Invalid
from models.event import mark_project
from models.project import Project
from models.species import TAXON, Species


def merge(session: Session, project: Project, species: Species, into: Species) -> bool:
    """Whether that is new. Raises Invalid for itself, for answers that are no taxon, and for one that was merged already.

    Names that were settled move at once where there are few, else a job moves them. The caller holds the project.
    """
    if species.merged_into_id == into.id:
        return False
    for each in (species, into):
        if each.kind != TAXON or each.project_id != project.id:
            raise Invalid(f"into: {each.name} belongs to every project and stays as it is")
        if each.merged_into_id is not None:
            raise Invalid(f"into: {each.name} was merged into another already. Undo that first, or choose the other.")
    if species is into:
        raise Invalid(f"into: {species.name} cannot be merged into itself")
    if into.retired_at is not None:
        raise Invalid(f"into: {into.name} was taken off the list. Bring it back first.")
    retired = species.retired_at.isoformat() if species.retired_at else None
    species.before_merge = {"hotkey": species.hotkey, "retired_at": retired}
    species.merged_into_id, species.hotkey, species.retired_at = into.id, None, utc_now()
    session.flush()
    follow(session, project, {species.id, into.id})
    return True


def unmerge(session: Session, project: Project, species: Species, into_id: int) -> bool:
    """It is a species of its own again, with its key where nobody has that by now. Whether that is new.

    into_id: what the page showed. Raises Changed when it was merged into another meanwhile.
    """
    if species.merged_into_id is None:
        return False
    if species.merged_into_id != into_id:
        raise Changed(f"{species.name} was merged into another species meanwhile. Look at it again.")
    before = species.before_merge
    species.merged_into_id, species.before_merge = None, {}
    retired = before.get("retired_at")
    species.retired_at = dt.datetime.fromisoformat(retired) if retired else None
    session.flush()
    if before.get("hotkey") in Species.free_keys(session, project.id):
        species.hotkey = before["hotkey"]
        session.flush()
    follow(session, project, {species.id, into_id})
    return True


def follow(session: Session, project: Project, species_ids: set[int]) -> None:
    """Settled names follow what their words mean now: few at once, and a job for the rest and for the guesses."""
    touched = or_(Box.settled_species_id.in_(species_ids), Box.waits_for.is_not(None))
    wanted = select(Box.id).where(Box.project_id == project.id, touched).order_by(Box.id).limit(CHUNK_ROWS + 1)
    box_ids = list(session.scalars(wanted))
    if len(box_ids) <= CHUNK_ROWS:
        settle_by_rule(session, project.id, box_ids)
    mark_project(session, project.id)  # guesses mean something else too
    ask_meaning(session, project)
