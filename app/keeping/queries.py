"""What the pages of housekeeping ask: what is archived or deleted, and how much would go."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.batch import Batch
from models.deletion import PHOTO, PROJECT, Deletion, answers_in, tally
from models.errors import NotYours
from models.image import GONE, Image
from models.membership import Membership, Role
from models.project import Project
from models.words import say


@dataclass(frozen=True)
class Price:
    """How much goes with a batch or a project."""

    photos: int
    bytes: int
    answers: int


@dataclass(frozen=True)
class PutAway:
    """A project that is archived or deleted. deletion: its mark."""

    project: Project
    role: Role
    deletion: Deletion | None


def price(session: Session, project_id: int, batch_id: int | None = None) -> Price:
    """Photos that another batch brought too are in the figure, though they stay."""
    photos, size = tally(session, project_id, batch_id)
    return Price(photos, size, answers_in(session, project_id, batch_id))


def put_away(session: Session, user_id: int) -> list[PutAway]:
    """The archived projects of a person, and the deleted ones that the person may bring back."""
    away = or_(Project.archived_at.is_not(None), Project.deletion_id.is_not(None))
    rows = session.execute(
        select(Project, Membership.role, Deletion)
        .join(Membership, Membership.project_id == Project.id)
        .outerjoin(Deletion, Deletion.id == Project.deletion_id)
        .where(Membership.user_id == user_id, away)
        .order_by(Project.name)
    )
    found = [PutAway(project, Role(role), deletion) for project, role, deletion in rows]
    return [each for each in found if each.deletion is None or each.role is Role.admin]


def deletions(session: Session, project_id: int) -> list[Deletion]:
    """Batches and photos that were deleted from a project, the newest first."""
    own = (Deletion.project_id == project_id, Deletion.kind != PROJECT)
    return list(session.scalars(select(Deletion).where(*own).order_by(Deletion.id.desc()).limit(100)))


def deletion_of(session: Session, project_id: int, deletion_id: int) -> Deletion:
    """Raises NotYours when it is of another project, or of a photo."""
    found = session.get(Deletion, deletion_id)
    if found is None or found.project_id != project_id or found.kind == PHOTO:
        raise NotYours(say("This page does not exist, or is not yours to see."))
    return found


def batch_to_delete(session: Session, project_id: int, batch_id: int) -> Batch:
    """Raises NotYours."""
    found = session.get(Batch, batch_id)
    if found is None or found.project_id != project_id:
        raise NotYours(say("This page does not exist, or is not yours to see."))
    return found


def photo_to_erase(session: Session, image_id: int) -> Image:
    """Raises NotYours when there is none any more."""
    found = session.get(Image, image_id)
    if found is None or found.state in GONE:
        raise NotYours(say("This photo does not exist, or is not yours to see."))
    return found


def admin_in(session: Session, user_id: int) -> set[int]:
    """The projects whose administrator the person is."""
    own = (Membership.user_id == user_id, Membership.role == Role.admin.value)
    return set(session.scalars(select(Membership.project_id).where(*own)))
