"""What the routes of checks ask beside the pages' own questions."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.checks.statics_queries import Tile, tiles
from models.note import Note
from models.static import StaticGroup


def notes(session: Session, project_id: int, box_id: int) -> list[tuple[str, str, str, dt.datetime]]:
    """(kind, text, name of the person, when), oldest first."""
    rows = session.execute(Note.standing(Note.project_id == project_id, Note.box_id == box_id))
    return [(kind, text, who, at) for _box_id, kind, text, who, at in rows]


def tile(session: Session, group: StaticGroup) -> Tile | None:
    """A group with its figures; None where none of its boxes stands."""
    both = (*tiles(session, group.project_id, decided=False, group_id=group.id),
            *tiles(session, group.project_id, decided=True, group_id=group.id))  # fmt: skip
    return next(iter(both), None)
