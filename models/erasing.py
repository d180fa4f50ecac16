"""One photo of a person goes, on request: no pixel and no vector of it stays, only its row (PRACTICE 1.5).

It counts nowhere from then on and what was said about it stays as history without a picture. It cannot be brought back, and its
bytes are refused should somebody bring them again. Backups still hold it until they are rotated (docs/keeping.md).
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.audit import note
from models.base import utc_now
from models.deletion import PHOTO, Deletion, ask_remove, begin
from models.errors import Conflict
from models.image import ERASED, Image
from models.project import Project
from models.removal import hide
from models.user import User
from models.words import say

ERASED_ACT = "photo.erased"


def erase(session: Session, image: Image, by: User | None) -> Deletion:
    """Hide it for good and have the worker remove what is left. Raises Conflict when it is erased already."""
    if image.state == ERASED:
        raise Conflict(say("This photo is erased already."))
    now = utc_now()
    made = begin(session, PHOTO, image.project_id, image.id, image.path, by, 0)
    made.photos, made.bytes, made.asked_at = 1, image.size, now
    hide(session, session.get_one(Project, image.project_id), [image.id], ERASED, made.marked_at)
    image.reason = say("erased on %(day)s on a person’s request", day=f"{now.day} {now:%B %Y}")
    image.latitude = image.longitude = None
    ask_remove(session, made, say("Erasing a photo"))
    note(session, ERASED_ACT, user=by, project_id=image.project_id, image=image.id, file=image.path)
    return made


def elsewhere(session: Session, image: Image) -> list[tuple[Image, Project]]:
    """The same bytes in other projects."""
    same = (Image.sha256 == image.sha256, Image.id != image.id, Image.state != ERASED)
    rows = session.execute(select(Image, Project).join(Project, Project.id == Image.project_id).where(*same))
    return [(row[0], row[1]) for row in rows.all()]
