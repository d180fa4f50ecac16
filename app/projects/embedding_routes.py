"""The embedding on the settings page: fine-tunes, embedders, and what they hold on the disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Path
from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import Access, ActingAdmin, Admin, InHouse
from app.forms import go, tried
from app.pages import page
from app.projects import embedding_changes as changes
from app.projects.settings_page import settings_page
from models import embedders

router = APIRouter(prefix="/embedding")
Text = Annotated[str, Form()]
JobId = Annotated[str, Path(pattern="^[0-9A-Za-z-]{1,36}$")]


@router.post("")
def save_step(request: Request, access: ActingAdmin, version: Text = "", every: Text = "", loss: Text = "") -> Response:
    """When a fine-tune comes by itself, and how it teaches."""
    typed = {"version": version, "every": every, "loss": loss}
    return shown(request, access, lambda: changes.change_step(access, typed), typed)


@router.post("/fine-tune")
def fine_tune_now(request: Request, access: ActingAdmin) -> Response:
    """One more, now."""
    return shown(request, access, lambda: changes.fine_tune_now(access))


@router.post("/jobs/{job_id}/pause")
def pause(request: Request, access: ActingAdmin, job_id: JobId) -> Response:
    """Lie still, with all it has."""
    return shown(request, access, lambda: changes.pause(access, job_id))


@router.post("/jobs/{job_id}/go-on")
def go_on(request: Request, access: ActingAdmin, job_id: JobId) -> Response:
    """Go on from there."""
    return shown(request, access, lambda: changes.go_on(access, job_id))


@router.post("/jobs/{job_id}/stop")
def stop(request: Request, access: ActingAdmin, job_id: JobId) -> Response:
    """For good."""
    return shown(request, access, lambda: changes.stop(access, job_id))


@router.post("/{checkpoint_id}/use")
def use(request: Request, access: ActingAdmin, checkpoint_id: int, version: Text = "") -> Response:
    """Back to this embedder."""
    return shown(request, access, lambda: changes.use(access, checkpoint_id, version))


@router.get("/{checkpoint_id}/remove")
def ask_remove(request: Request, access: Admin, house: InHouse, checkpoint_id: int) -> Response:
    """What goes, and that it does not come back."""
    found = embedders.embedder(access.session, access.project, checkpoint_id)
    held = embedders.held(access.session, house.store, access.project, found)
    return page(request, "settings/remove_embedder.html", project=access.project, tab="Settings", held=held)


@router.post("/{checkpoint_id}/remove")
def remove(request: Request, access: ActingAdmin, checkpoint_id: int) -> Response:
    """Let the files go."""
    return shown(request, access, lambda: changes.remove(access, checkpoint_id))


def shown(
    request: Request, access: Access, do: Callable[[], None], typed: dict[str, str] | None = None
) -> Response:  # fmt: skip
    """Back to the section; where a rule says no, the page with its words."""
    refused = tried(request, access.session, do, "embedding", typed or {}, "form")
    if refused:
        return settings_page(request, access, refused)
    return go(f"/projects/{access.project.id}/settings?saved=embedding#embedding")
