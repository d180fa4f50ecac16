"""May this person see this picture, and where does it lie: one question, since a page of tiles asks it a hundred times."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, exists, or_, select
from sqlalchemy.engine import Engine

from models.base import utc_now
from models.box import Box
from models.image import Image
from models.membership import Membership
from models.session import ABSOLUTE, IDLE, UserSession, token_hash
from models.species import Species
from models.user import User

PERSON = "person"


class Seen(NamedTuple):
    """A picture that the person may see. private: a person is on the photo, so that no cache may keep it."""

    sha256: str
    state: str
    private: bool


def of_photo(engine: Engine, token: str | None, image_id: int) -> Seen | None:
    """The photo, if it exists, and the token's sign-in is alive, and its user is a member of the photo's project."""
    return ask(engine, PHOTO, token, image_id)


def of_box(engine: Engine, token: str | None, box_id: int) -> Seen | None:
    """The same for the photo of a box."""
    return ask(engine, BOX, token, box_id)


def ask(engine: Engine, question: Select[str, str, bool], token: str | None, wanted: int) -> Seen | None:
    """Run one of the two questions. An id beyond 63 bits is nobody's."""
    if not token or not 0 < wanted < 1 << 63:
        return None
    now = utc_now()
    bound = {
        "token": token_hash(token), "wanted": wanted, "born_after": now - ABSOLUTE, "seen_after": now - IDLE
    }  # fmt: skip
    with engine.connect() as connection:
        row = connection.execute(question, bound).first()
    return None if row is None else Seen(row[0], row[1], bool(row[2]))


def with_person() -> ColumnElement[bool]:
    """Whether the photo holds a box that the detector or people call a person."""
    person = select(Species.id).where(Species.project_id == Box.project_id, Species.kind == PERSON)
    return exists().where(
        Box.image_id == Image.id, or_(Box.kind == PERSON, Box.settled_species_id == person.scalar_subquery())
    )


def question(wanted: ColumnElement[bool]) -> Select[str, str, bool]:
    """Sign-in, account, membership and photo in one row, each found by its index; no row means no."""
    return (
        select(Image.sha256, Image.state, with_person())
        .select_from(UserSession)
        .join(User, User.id == UserSession.user_id)
        .join(Membership, Membership.user_id == User.id)
        .join(Image, Image.project_id == Membership.project_id)
        .where(
            wanted,
            UserSession.token_sha256 == bindparam("token"),
            UserSession.ended_at.is_(None),
            UserSession.created_at >= bindparam("born_after"),
            UserSession.last_seen_at >= bindparam("seen_after"),
            User.disabled_at.is_(None),
        )
    )


PHOTO = question(Image.id == bindparam("wanted"))
BOX = question(Image.id == select(Box.image_id).where(Box.id == bindparam("wanted")).scalar_subquery())
