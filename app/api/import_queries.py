"""Imports and their rows in pages."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.imported import Import, ImportRow


def imports(session: Session, project_id: int, after: int, limit: int) -> list[Import]:
    """The next by rising id."""
    wanted = select(Import).where(Import.project_id == project_id, Import.id > after)
    return list(session.scalars(wanted.order_by(Import.id).limit(limit)))


def rows(session: Session, import_id: int, verdict: str | None, after: int, limit: int) -> list[ImportRow]:
    """The next in the order of the file, of one verdict or of all."""
    wanted = select(ImportRow).where(ImportRow.import_id == import_id, ImportRow.number > after)
    if verdict is not None:
        wanted = wanted.where(ImportRow.verdict == verdict)
    return list(session.scalars(wanted.order_by(ImportRow.number).limit(limit)))
