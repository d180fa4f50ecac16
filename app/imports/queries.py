"""What the pages of imports ask."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.batch import Batch
from models.imported import Import, ImportRow
from models.job import Job
from models.user import User

IMPORTS_A_PAGE = 30
ROWS_A_PAGE = 50


class ImportLine(NamedTuple):
    """One import of the list, and who brought it."""

    import_: Import
    by: str


def imports(session: Session, project_id: int, before: int | None) -> list[ImportLine]:
    """The project's imports, newest first, one more than a page."""
    wanted = select(Import, User.name).join(User, User.id == Import.by_id).where(Import.project_id == project_id)
    if before is not None:
        wanted = wanted.where(Import.id < before)
    rows = session.execute(wanted.order_by(Import.id.desc()).limit(IMPORTS_A_PAGE + 1))
    return [ImportLine(*row) for row in rows]


def rows(session: Session, import_id: int, verdict: str, after: int) -> list[ImportRow]:
    """Rows of one verdict in the order of the file, one more than a page."""
    wanted = (
        select(ImportRow)
        .where(ImportRow.import_id == import_id, ImportRow.verdict == verdict, ImportRow.number > after)
        .order_by(ImportRow.number)
        .limit(ROWS_A_PAGE + 1)
    )
    return list(session.scalars(wanted))


def job_of(session: Session, import_: Import) -> Job | None:
    """The job that takes it or took it."""
    return session.get(Job, import_.job_id) if import_.job_id else None


def batch_named(session: Session, project_id: int, batch_id: int) -> Batch | None:
    """The batch whose photos wait for boxes from a file."""
    found = session.get(Batch, batch_id)
    return found if found is not None and found.project_id == project_id else None
