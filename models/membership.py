"""Who may do what in which project (DECISIONS 18)."""

from __future__ import annotations

import datetime as dt
import enum

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models.base import Base, utc_now
from models.errors import Conflict, NotAllowed, NotYours
from models.user import User
from models.words import say


class Role(enum.StrEnum):
    """From the least to the most: look, answer, settle, decide."""

    viewer = "viewer"
    annotator = "annotator"
    expert = "expert"
    admin = "admin"

    @property
    def rank(self) -> int:
        """0 for a viewer up to 3 for an admin."""
        return list(Role).index(self)


class Membership(Base):
    """One user's role in one project."""

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("project_id", "user_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(10))
    joined_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    asked_at: Mapped[dt.datetime | None]  # for crops, last (models/presence.py)
    user: Mapped[User] = relationship(lazy="joined")

    @classmethod
    def of(cls, session: Session, project_id: int, user_id: int) -> Membership | None:
        """The membership of a user, if there is one."""
        return session.scalar(select(cls).where(cls.project_id == project_id, cls.user_id == user_id))

    @classmethod
    def first_admin(cls, session: Session, project_id: int) -> int | None:
        """The user id of the project's oldest administrator."""
        admins = select(cls.user_id).where(cls.project_id == project_id, cls.role == Role.admin.value)
        return session.scalar(admins.order_by(cls.id).limit(1))

    @classmethod
    def require(cls, session: Session, project_id: int, user_id: int, least: Role) -> Membership:
        """The membership, if the role suffices. Raises NotYours for strangers, NotAllowed for members below the role."""
        found = cls.of(session, project_id, user_id)
        if found is None:
            raise NotYours(say("This page does not exist, or is not yours to see."))
        if Role(found.role).rank < least.rank:
            raise NotAllowed(
                say("This needs the role %(least_value)s; yours is %(role)s.", least_value=least.value, role=found.role)
            )
        return found

    @classmethod
    def grant(cls, session: Session, project_id: int, user_id: int, role: Role) -> Membership:
        """Give or change a role; the last admin of a project keeps the role."""
        found = cls.of(session, project_id, user_id)
        if found is None:
            found = cls(project_id=project_id, user_id=user_id, role=role.value)
            session.add(found)
        else:
            if found.role == Role.admin and role != Role.admin:
                found.refuse_if_last_admin(session)
            found.role = role.value
        session.flush()
        return found

    def remove(self, session: Session) -> None:
        """Take the user out of the project; what the user said stays."""
        if self.role == Role.admin:
            self.refuse_if_last_admin(session)
        session.delete(self)
        session.flush()

    def refuse_if_last_admin(self, session: Session) -> None:
        """Raises Conflict when nobody else could decide."""
        admins = select(Membership.id).where(
            Membership.project_id == self.project_id, Membership.role == Role.admin.value
        )
        if len(session.scalars(admins).all()) == 1:
            raise Conflict(say("A project needs an administrator. Make somebody else administrator first."))
