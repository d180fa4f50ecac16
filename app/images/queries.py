"""May this person see this picture, where does it lie, and what lies over it: one question, since a page of tiles asks it a
hundred times. A second one only where people are on the photo, or where the project hides what nobody has looked at."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, select
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session

from models.base import utc_now
from models.batch import Batch
from models.box import Box
from models.errors import NotYours
from models.image import Image, standing
from models.membership import Membership, Role
from models.privacy import Opening, Veil, veils, with_person
from models.project import Project
from models.session import ABSOLUTE, IDLE, UserSession, token_hash
from models.user import User
from models.words import say

LARGEST = 1 << 63


class Seen(NamedTuple):
    """A picture that the person may see. veil: what lies over it; none also where this person opened the photo. private: no
    cache may keep it, since a person is on the photo or may be."""

    sha256: str
    state: str
    project_id: int
    width_px: int
    height_px: int
    veil: Veil | None
    private: bool


def of_photo(engine: Engine, token: str | None, image_id: int, opening: int = 0) -> Seen | None:
    """The photo, if it exists, and the token's sign-in is alive, and its user is a member of the photo's project.

    opening: the one that the address names; it counts while it lasts and the person still has the right.
    """
    return ask(engine, PHOTO, token, image_id, opening)


def of_box(engine: Engine, token: str | None, box_id: int, opening: int = 0) -> Seen | None:
    """The same for the photo of a box."""
    return ask(engine, BOX, token, box_id, opening)


def ask(
    engine: Engine, question: Select[*tuple[Any, ...]], token: str | None, wanted: int, opening: int
) -> Seen | None:
    """Run one of the two questions. An id beyond 63 bits is nobody's."""
    if not token or not 0 < wanted < LARGEST:
        return None
    now = utc_now()
    bound = {
        "token": token_hash(token), "wanted": wanted, "born_after": now - ABSOLUTE, "seen_after": now - IDLE,
    }  # fmt: skip
    with engine.connect() as connection:
        row = connection.execute(question, bound).first()
        if row is None:
            return None
        veil = veils(connection, [row.id]).get(row.id) if row.person or row.hides_unseen else None
        sharp = veil is None or (opening > 0 and is_open(connection, opening, row))
    size = (row.width_px or 4, row.height_px or 3)
    return Seen(row.sha256, row.state, row.project_id, *size, None if sharp else veil, veil is not None)


def is_open(connection: Connection, opening: int, row: Row[*tuple[Any, ...]]) -> bool:
    """Whether the opening is this person's, of this photo, and still lasts, and the person still has the right."""
    asked = {"opening": opening if opening < LARGEST else 0, "image": row.id, "user": row.user_id, "now": utc_now()}
    least = connection.execute(OPEN, asked).scalar()
    return least is not None and Role(row.role).rank >= Role(least).rank


def of_member(session: Session, photo: Image) -> Seen:
    """A photo of whose project the person is known to be a member. Nothing opens it: scripts see people blurred."""
    veil = veils(session, [photo.id]).get(photo.id)
    size = (photo.width_px or 4, photo.height_px or 3)
    return Seen(photo.sha256, photo.state, photo.project_id, *size, veil, veil is not None)


def photo_to_open(session: Session, image_id: int) -> Image:
    """Raises NotYours when there is none."""
    found = session.get(Image, image_id)
    if found is None:
        raise NotYours(say("This photo does not exist, or is not yours to see."))
    return found


def hides_unseen() -> ColumnElement[bool]:
    """Whether the project hides photos that nobody has looked at; no join, which costs PostgreSQL's planner more."""
    return select(Project.hides_unseen).where(Project.id == Image.project_id).correlate(Image).scalar_subquery()


def is_standing() -> ColumnElement[bool]:
    """Whether neither the photo nor its batch or project is deleted."""
    of_batch = select(Batch.deletion_id).where(Batch.id == Image.batch_id).correlate(Image).scalar_subquery()
    of_project = select(Project.deletion_id).where(Project.id == Image.project_id).correlate(Image).scalar_subquery()
    return and_(standing(), of_batch.is_(None), of_project.is_(None))


def question(wanted: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Sign-in, account, membership and photo in one row, each found by its index; no row means no."""
    return (
        select(
            Image.id, Image.sha256, Image.state, Image.project_id, Image.width_px, Image.height_px,
            with_person().label("person"), hides_unseen().label("hides_unseen"), Membership.role, User.id.label("user_id"),
        )
        .select_from(UserSession)
        .join(User, User.id == UserSession.user_id)
        .join(Membership, Membership.user_id == User.id)
        .join(Image, Image.project_id == Membership.project_id)
        .where(
            wanted,
            is_standing(),
            UserSession.token_sha256 == bindparam("token"),
            UserSession.ended_at.is_(None),
            UserSession.created_at >= bindparam("born_after"),
            UserSession.last_seen_at >= bindparam("seen_after"),
            User.disabled_at.is_(None),
        )
    )  # fmt: skip


PHOTO = question(Image.id == bindparam("wanted"))
BOX = question(Image.id == select(Box.image_id).where(Box.id == bindparam("wanted")).scalar_subquery())
OPEN = select(Project.opened_by).where(
    Project.id == Opening.project_id,
    Opening.id == bindparam("opening"),
    Opening.image_id == bindparam("image"),
    Opening.user_id == bindparam("user"),
    Opening.ends_at > bindparam("now"),
)
