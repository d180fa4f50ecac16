"""Deployments from the folders of the photos: what a pattern would make of each folder, and only then the change."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import Access, ActingExpert, Expert
from app.deployments import folders
from app.forms import Refusal, go, tried
from app.pages import page, wants_page
from models.errors import Invalid
from models.folders import FolderPattern

router = APIRouter(prefix="/folders")
Text = Annotated[str, Form()]


@router.get("")
def show_folders(request: Request, access: Expert, pattern: str = "") -> Response:
    """What each folder would become. Changes nothing."""
    return folders_page(request, access, pattern)


@router.post("")
def apply(request: Request, access: ActingExpert, pattern: Text = "") -> Response:
    """Photos go where the pattern says."""
    typed = {"pattern": pattern}
    refused = tried(request, access.session, lambda: folders.apply(access, pattern), "pattern", typed, "pattern")
    if refused:
        return folders_page(request, access, "", refused)
    return go(f"/projects/{access.project.id}/deployments")


@router.post("/take-back")
def take_back(access: ActingExpert, pattern_id: Text = "") -> Response:
    """Photos go back to where they were before the pattern that counts."""
    folders.take_back(access, pattern_id)
    return go(f"/projects/{access.project.id}/deployments")


def folders_page(request: Request, access: Access, pattern: str, refused: Refusal | None = None) -> Response:
    """The form, and below it the folders."""
    standing = FolderPattern.standing(access.session, access.project.id)
    rows = None
    if pattern.strip() and refused is None:
        try:
            rows = folders.preview(access.session, access.project.id, pattern)
        except Invalid as error:
            if not wants_page(request):
                raise
            refused = Refusal.of(error, "pattern", {"pattern": pattern}, "pattern")
    return page(
        request, "deployments/folders.html", status_code=refused.status if refused else 200, project=access.project,
        tab="Deployments", refused=refused, pattern=pattern, standing=standing, rows=rows, shown=folders.SHOWN,
    )  # fmt: skip
