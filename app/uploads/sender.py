"""Who sends, checked before the bytes come and again before their rows are written: receiving takes minutes, and no session
of the database may stay open meanwhile (RELIABILITY rule 4)."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from sqlalchemy.orm import Session
from starlette.requests import Request

from app.dependencies import InHouse, access, not_yours, signed_in, touch
from models.batch import Batch
from models.membership import Membership, Role
from models.project import Project


@dataclass(frozen=True)
class Sender:
    """A person who may bring photos into a project."""

    user_id: int
    project_id: int

    def still_may(self, session: Session) -> None:
        """Raises NotYours or NotAllowed when the right was taken away while the bytes came."""
        Membership.require(session, self.project_id, self.user_id, Role.admin)
        project = session.get_one(Project, self.project_id)
        if project.deletion_id is not None:
            raise not_yours()
        project.expect_open()

    def batch(self, session: Session, batch_id: int) -> Batch:
        """The batch, with the right checked in this very session."""
        self.still_may(session)
        found = batch_of(session, self.project_id, batch_id)
        found.expect_standing()
        return found


def batch_of(session: Session, project_id: int, batch_id: int) -> Batch:
    """The batch of the project. Raises NotYours."""
    found = session.get(Batch, batch_id) if batch_id < 1 << 63 else None
    if found is None or found.project_id != project_id:
        raise not_yours()
    return found


def checked(request: Request, house: InHouse, project_id: int, batch_id: int | None) -> Sender:
    """The signed-in administrator of the project, in a session that ends before the bytes come."""
    with house.database.reading() as session:
        user = signed_in(request, session)
        access(session, user, project_id, Role.admin).project.expect_open()
        if batch_id is not None:
            batch_of(session, project_id, batch_id).expect_standing()
    touch(request, house)
    return Sender(user.id, project_id)


def project_sender(request: Request, house: InHouse, project_id: int) -> Sender:
    """An administrator of the project in the path."""
    return checked(request, house, project_id, None)


def batch_sender(request: Request, house: InHouse, project_id: int, batch_id: int) -> Sender:
    """The same, for a batch of that project."""
    return checked(request, house, project_id, batch_id)


ProjectSender = Annotated[Sender, Depends(project_sender)]
BatchSender = Annotated[Sender, Depends(batch_sender)]
