"""A camera at a site for a period; until the data issue it is the first folder below the batch (DECISIONS 14)."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, insert_once


class Deployment(Base):
    """One camera's stay, known by the name of its folder."""

    __tablename__ = "deployment"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))

    @classmethod
    def of_folder(cls, session: Session, project_id: int, name: str) -> Deployment:
        """The deployment of this folder name, made when it is new."""
        insert_once(session, cls, project_id=project_id, name=name)
        return session.scalars(select(cls).where(cls.project_id == project_id, cls.name == name)).one()


def folder_of(path: str, otherwise: str) -> str:
    """The first folder of a batch-relative path; a photo outside every folder belongs to `otherwise` (the batch's name)."""
    first, _slash, rest = path.partition("/")
    return first if rest else otherwise
