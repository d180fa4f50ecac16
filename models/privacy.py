"""People on photos: which are blurred or hidden, who may open one, and who did (PRACTICE.md 1.5).

Decisions: a photo is blurred over every box that a detector or a settled name calls a person, for everybody, also for those with
the right to see; opening one is a row (who, which, when), shows that photo to that person for OPEN_FOR, and only under an address
that names the row. Pictures are cached for a day under their plain address, so a page gives a blurred photo another address
(`?blur=`, which follows the boxes): a copy that a browser kept from before is never shown. The server looks at rows alone: no
address decides what is sent.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, ForeignKey, Index, Select, and_, bindparam, case, exists, or_, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.audit import note
from models.base import Base, utc_now
from models.box import Box
from models.checkpoint import Checkpoint
from models.errors import NotAllowed
from models.image import Image
from models.job import ASKED, Job
from models.label import Label
from models.membership import Role
from models.project import OPENERS, Project
from models.queue import ask
from models.species import Species
from models.user import User
from models.words import say, translated, written

PERSON = "person"
PEOPLE = (PERSON, "human")  # as a detector's class
RECORDED = "megadetector-json"  # boxes that came in a file: MegaDetector's animals, people and vehicles
OPEN_FOR = dt.timedelta(minutes=10)
VERSION = 1  # of how the worker blurs: another number makes every blurred picture anew
OPENED = "photo.opened"  # in the history, for administrators
BLURRED, HIDDEN = "person", "hidden"

Corners = tuple[float, float, float, float]
Asking = Session | Connection


class Opening(Base):
    """Somebody with the right looked at a photo as it is; append-only."""

    __tablename__ = "opening"
    __table_args__ = (Index("ix_opening_user_image", "user_id", "image_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    image_id: Mapped[int] = mapped_column(ForeignKey("image.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    opened_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    ends_at: Mapped[dt.datetime]

    @property
    def left_s(self) -> int:
        """Whole seconds for which it still lasts, at least one."""
        return max(1, round((self.ends_at - utc_now()).total_seconds()))

    @classmethod
    def alive(cls, session: Session, opening_id: int | None, user_id: int) -> Opening | None:
        """The person's own opening, while it lasts."""
        found = session.get(cls, opening_id) if opening_id else None
        return found if found and found.user_id == user_id and found.ends_at > utc_now() else None

    @classmethod
    def make(cls, session: Session, project: Project, image: Image, user: User, role: Role) -> Opening | None:
        """Open a photo, and note it; a second click within the time is the same opening. None where nothing lies over the photo.

        Raises NotAllowed without the right.
        """
        if not may_open(project, role):
            raise NotAllowed(
                say("Only %(openers)s of this project may see people.", openers=translated(OPENERS[project.opened_by]))
            )
        if image.id not in veils(session, [image.id]):
            return None
        now = utc_now()
        mine = select(cls).where(cls.user_id == user.id, cls.image_id == image.id, cls.ends_at > now)
        found = session.scalars(mine.order_by(cls.id.desc()).limit(1)).first()
        if found is None:
            found = cls(
                project_id=project.id, image_id=image.id, user_id=user.id, opened_at=now, ends_at=now + OPEN_FOR
            )  # fmt: skip
            session.add(found)
            note(session, OPENED, user=user, project_id=project.id, image=image.id, file=image.path)
            session.flush()
        return found


def may_open(project: Project, role: Role) -> bool:
    """Whether the project lets this role see people."""
    return role.rank >= Role(project.opened_by).rank


class Veil(NamedTuple):
    """What lies over a photo. kind: BLURRED over the boxes of people, or HIDDEN whole. mark: changes when it does."""

    kind: str
    mark: str


def veils(asking: Asking, image_ids: Iterable[int]) -> dict[int, Veil]:
    """Image id -> its veil; photos without one are left out. One question, and one more where there are people."""
    rows = asking.execute(STATES, {"image_ids": list(image_ids)}).all()
    blurred = [row.id for row in rows if row.person]
    boxes = people_on(asking, blurred) if blurred else {}
    return {image_id: Veil(BLURRED, mark_of(found)) for image_id, found in boxes.items()} | {
        row.id: Veil(HIDDEN, HIDDEN) for row in rows if row.unseen and not knows_people(asking, row.detector_id)
    }


def people_on(asking: Asking, image_ids: Sequence[int]) -> dict[int, list[Corners]]:
    """Image id -> the boxes of people, as shares of the photo."""
    found: dict[int, list[Corners]] = defaultdict(list)
    for image_id, *corners in asking.execute(PEOPLE_BOXES, {"image_ids": list(image_ids)}):
        found[image_id].append((corners[0], corners[1], corners[2], corners[3]))
    return found


def mark_of(boxes: Iterable[Corners]) -> str:
    """16 characters for where people are on a photo: what is kept of its blurred pictures carries it in its name."""
    places = sorted(",".join(f"{share:.4f}" for share in corners) for corners in boxes)
    return hashlib.sha256(f"{VERSION};{';'.join(places)}".encode()).hexdigest()[:16]


def is_person() -> ColumnElement[bool]:
    """Whether a box is a person's: the detector says so, or the name that people settled."""
    person = select(Species.id).where(Species.project_id == Box.project_id, Species.kind == PERSON)
    return or_(Box.kind == PERSON, Box.settled_species_id == person.correlate(Box).scalar_subquery())


def with_person() -> ColumnElement[bool]:
    """Whether a photo holds such a box."""
    return exists().where(Box.image_id == Image.id, is_person())


def unseen() -> ColumnElement[bool]:
    """Whether the project hides photos until somebody has looked, and nobody has: no name of one who may see people stands."""
    ranks = [(Label.role == role.value, role.rank) for role in Role]
    least = [(Project.opened_by == role.value, role.rank) for role in Role]
    named = (
        select(Box.id)
        .join(Label, Label.id == Box.settled_label_id)
        .where(Box.image_id == Image.id, case(*ranks, else_=0) >= case(*least, else_=len(Role)))
    )
    return and_(Project.hides_unseen, ~exists(named.correlate(Image, Project)))


def states() -> Select[*tuple[Any, ...]]:
    """What decides about the veil of each photo."""
    return (
        select(Image.id, Image.detector_id, with_person().label("person"), unseen().label("unseen"))
        .join(Project, Project.id == Image.project_id)
        .where(Image.id.in_(bindparam("image_ids", expanding=True)))
    )


def people_boxes() -> Select[*tuple[Any, ...]]:
    """Where people are, photo by photo."""
    return (
        select(Box.image_id, Box.x_min, Box.y_min, Box.x_max, Box.y_max)
        .where(Box.image_id.in_(bindparam("image_ids", expanding=True)), is_person())
        .order_by(Box.image_id, Box.ordinal)
    )


def knows_people(asking: Asking, detector_id: int | None) -> bool:
    """Whether the detector that looked has a class for people."""
    if detector_id is None:
        return False
    card = asking.execute(select(Checkpoint.card).where(Checkpoint.id == detector_id)).scalar()
    return has_people(card or {})


def has_people(card: dict[str, Any]) -> bool:
    """The same, by what a detector's card says."""
    names = [*card.get("classes", ()), *(kind for kind in card.get("kinds") or () if kind)]
    return card.get("source") == RECORDED or any(str(name).strip().lower() in PEOPLE for name in names)


def detector_words(project: Project, detector: Checkpoint | None) -> str:
    """Whether a detector helps to find people, and what that means for its photos."""
    if detector is None:
        return say("No detector has looked yet.")
    if has_people(detector.card):
        return say("The detector %(name)s knows people.", name=detector.name)
    if project.hides_unseen:
        return say(
            "The detector %(name)s does not know people: whole photos are hidden until somebody has looked.",
            name=detector.name,
        )
    return say(
        "The detector %(name)s does not know people: they are blurred once an answer says so.", name=detector.name
    )


def ask_blurs(session: Session, project_id: int) -> Job | None:
    """Have the worker make the blurred pictures that are missing. None when one that nobody has begun will do it."""
    asked = select(Job.id).where(Job.project_id == project_id, Job.kind == "blur", Job.state == ASKED)
    if session.scalar(asked.limit(1)) is not None:
        return None
    return ask(session, "blur", project_id, {}, line=written("Blurring people"))


@dataclass(frozen=True)
class WithPeople:
    """One photo with people on it, for the worker."""

    image_id: int
    sha256: str
    boxes: list[Corners]


def photos_with_people(session: Session, project_id: int, after: int, limit: int) -> list[WithPeople]:
    """The next photos of a project by rising id."""
    wanted = select(Image.id, Image.sha256).where(Image.project_id == project_id, Image.id > after, with_person())
    rows = session.execute(wanted.order_by(Image.id).limit(limit)).all()
    boxes = people_on(session, [row.id for row in rows])
    return [WithPeople(row.id, row.sha256, boxes[row.id]) for row in rows]


STATES = states()
PEOPLE_BOXES = people_boxes()
