"""Archive a project, delete a project or a batch, bring it back. Administrators of the project; deleting asks for the name."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi import Path as InPath
from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import (
    LARGEST_ID,
    Access,
    ActingAdmin,
    Admin,
    House,
    InHouse,
    KeepingAdmin,
    KeptAdmin,
    Reading,
    ReadingUser,
)
from app.forms import Refusal, go, tried
from app.keeping import disk_routes, erase_routes, photo_routes
from app.keeping.queries import batch_to_delete, deletion_of, deletions, price, put_away
from app.pages import page
from models.audit import note
from models.base import utc_now
from models.batch import Batch
from models.deletion import go_now, mark_batch, mark_project, resume_work, stop_work, take_back
from models.errors import Conflict
from models.words import say

router = APIRouter()
router.include_router(erase_routes.router)
router.include_router(disk_routes.router)
router.include_router(photo_routes.router)
Text = Annotated[str, Form()]
Id = Annotated[int, InPath(ge=1, le=LARGEST_ID)]
NOW = "now"


@router.get("/projects/archived")
def show_archived(request: Request, session: Reading, user: ReadingUser) -> Response:
    """The archived projects, and the deleted ones that can still be brought back."""
    return page(request, "keeping/archived.html", away=put_away(session, user.id))


@router.get("/projects/{project_id}/keeping")
def show_keeping(request: Request, access: KeptAdmin, house: InHouse, saved: str = "") -> Response:
    """Archive, delete, and what was deleted."""
    return keeping_page(request, access, house, None, saved)


@router.post("/projects/{project_id}/keeping/archive")
def archive(access: ActingAdmin) -> Response:
    """Read-only for everybody from now on; the worker stops."""
    access.project.archived_at = utc_now()
    stop_work(access.session, access.project.id)
    note(access.session, "project.archived", user=access.user, project_id=access.project.id)
    return go("/projects/archived")


@router.post("/projects/{project_id}/keeping/unarchive")
def unarchive(access: KeepingAdmin) -> Response:
    """In use again, and what waits is worked on."""
    if access.project.archived_at is not None and access.project.deletion_id is None:
        access.project.archived_at = None
        resume_work(access.session, access.project)
        note(access.session, "project.unarchived", user=access.user, project_id=access.project.id)
    return go(f"/projects/{access.project.id}")


@router.post("/projects/{project_id}/keeping/delete")
def delete_project(
    request: Request, access: KeepingAdmin, house: InHouse, name: Text = "", when: Text = "later"
) -> Response:
    """Hidden at once; its files go after some days, or now."""

    def delete() -> None:
        days = house.settings.deleted_kept_days
        made = mark_project(access.session, access.project, access.user, name, days)
        if when == NOW:
            go_now(access.session, made, access.user)

    refused = tried(request, access.session, delete, "delete", {"name": name, "when": when}, "name")
    return keeping_page(request, access, house, refused) if refused else go("/projects/archived")


@router.get("/projects/{project_id}/batches/{batch_id}/delete")
def ask_delete_batch(request: Request, access: Admin, house: InHouse, batch_id: Id) -> Response:
    """What goes, and what stays."""
    return batch_page(request, access, house, batch_to_delete(access.session, access.project.id, batch_id), None)


@router.post("/projects/{project_id}/batches/{batch_id}/delete")
def delete_batch(
    request: Request, access: ActingAdmin, house: InHouse, batch_id: Id, name: Text = "", when: Text = "later"
) -> Response:
    """The same for one batch."""
    batch = batch_to_delete(access.session, access.project.id, batch_id)

    def delete() -> None:
        made = mark_batch(access.session, batch, access.user, name, house.settings.deleted_kept_days)
        if when == NOW:
            go_now(access.session, made, access.user)

    refused = tried(request, access.session, delete, "delete", {"name": name, "when": when}, "name")
    if refused:
        return batch_page(request, access, house, batch, refused)
    return go(f"/projects/{access.project.id}/keeping?saved=deleted#deleted")


@router.post("/projects/{project_id}/keeping/deletions/{deletion_id}/take-back")
def bring_back(access: KeepingAdmin, deletion_id: Id) -> Response:
    """As it was, while there is time."""
    deletion = deletion_of(access.session, access.project.id, deletion_id)
    if access.project.deletion_id not in (None, deletion.id):
        raise Conflict(say("Bring the project back first."))
    take_back(access.session, deletion, access.user)
    return go(f"/projects/{access.project.id}/keeping?saved=back#deleted")


@router.post("/projects/{project_id}/keeping/deletions/{deletion_id}/now")
def delete_now(access: KeepingAdmin, deletion_id: Id) -> Response:
    """Do not wait for the day."""
    deletion = deletion_of(access.session, access.project.id, deletion_id)
    go_now(access.session, deletion, access.user)
    if access.project.deletion_id is not None:
        return go("/projects/archived")
    return go(f"/projects/{access.project.id}/keeping#deleted")


def keeping_page(request: Request, access: Access, house: House, refused: Refusal | None, saved: str = "") -> Response:
    """Everything below one h1."""
    mine = deletions(access.session, access.project.id)
    return page(
        request, "keeping/keeping.html", status_code=refused.status if refused else 200, project=access.project,
        tab="Settings", refused=refused, price=price(access.session, access.project.id), saved=saved,
        days=house.settings.deleted_kept_days, deletions=mine,
    )  # fmt: skip


def batch_page(request: Request, access: Access, house: House, batch: Batch, refused: Refusal | None) -> Response:
    """One question."""
    return page(
        request, "keeping/batch.html", status_code=refused.status if refused else 200, project=access.project,
        tab="Batches", batch=batch, refused=refused, price=price(access.session, access.project.id, batch.id),
        days=house.settings.deleted_kept_days,
    )  # fmt: skip
