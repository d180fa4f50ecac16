"""An upload begins, or goes on where it broke off; for the page's script and for the API."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from app.dependencies import Access
from app.uploads import queries
from app.uploads.queries import Announced
from models.act import Act
from models.batch import Batch


class NewBatch(BaseModel):
    """What a script says when an upload begins or goes on. files, bytes: what the folder holds."""

    name: str
    idempotency_key: str
    files: int = Field(0, ge=0, lt=1 << 40)
    bytes: int = Field(0, ge=0, lt=1 << 60)


def begin(at: Access, new: NewBatch) -> dict[str, Any]:
    """id, name and address of the person's unfinished batch of this name, else of a new one. Raises Invalid, KeyReused."""
    act, fresh = Act.once(at.session, at.user.id, new.idempotency_key, "form", {"batch": new.name}, at.project.id)
    if fresh:
        batch = Batch.resume_or_start(at.session, at.project.id, new.name, at.user.id)
        queries.announce(at.session, batch, at.user.id, Announced(new.files, new.bytes))
        act.answer = {"id": batch.id, "name": batch.name, "address": address(at.project.id, batch.id)}
    return act.answer


def address(project_id: int, batch_id: int) -> str:
    """The page of a batch."""
    return f"/projects/{project_id}/batches/{batch_id}"
