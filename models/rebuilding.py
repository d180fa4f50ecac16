"""What can be made again from the originals: thumbnails and previews, crops, vectors. Asked for here, done by the worker."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from models.errors import Invalid
from models.image import READY, Image
from models.job import Job
from models.queue import ask
from models.words import say

REBUILD = "rebuild"  # the kind of job
THUMBNAILS, CROPS, VECTORS = KINDS = ("thumbnails", "crops", "vectors")
EVERYTHING = KINDS


def ask_rebuild(session: Session, project_id: int, what: tuple[str, ...], batch_id: int | None = None) -> Job:
    """Whatever of it is missing. Raises Invalid for what cannot be made again."""
    for each in what:
        if each not in KINDS:
            raise Invalid(say("what: %(what)s is none of %(known)s", what=each, known=", ".join(KINDS)))
    wanted = select(func.count()).select_from(Image).where(*photos_of(project_id, batch_id))
    arguments = {"what": list(what), "batch_id": batch_id}
    line = say("Making again: %(what)s", what=", ".join(what))
    return ask(session, REBUILD, project_id, arguments, total=session.scalar(wanted) or 0, line=line)


def photos_of(project_id: int, batch_id: int | None) -> tuple[ColumnElement[bool], ...]:
    """The photos that have pictures."""
    here = (Image.project_id == project_id, Image.state == READY)
    return here if batch_id is None else (*here, Image.batch_id == batch_id)
