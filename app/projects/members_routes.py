"""Members: who is in the project, and what each may do."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import ActingAdmin, Admin, InHouse
from app.forms import Refusal, go, tried
from app.links import link_address
from app.pages import page
from app.projects.members_changes import add_member, change_role, remove_member
from app.projects.members_queries import member
from app.projects.settings_page import settings_page
from models.membership import Membership
from models.session import OneTimeLink
from models.user import User

router = APIRouter(prefix="/members")
Text = Annotated[str, Form()]


@router.post("")
def add(
    request: Request, access: ActingAdmin, house: InHouse, email: Text = "", name: Text = "", role: Text = "",
    idempotency_key: Text = "",
) -> Response:  # fmt: skip
    """Let somebody in; an unknown address gets an account, and its join link is on the answer, once."""
    typed = {"email": email, "name": name, "role": role, "idempotency_key": idempotency_key}
    made: list[User] = []
    refused = tried(request, access.session, lambda: made.extend(add_member(access, typed)), "add", typed, "email")
    if refused:
        return settings_page(request, access, refused)
    return hand_over(request, access, house, made[0]) if made else members_of(access)


@router.post("/{user_id}/role")
def set_role(request: Request, access: ActingAdmin, user_id: int, role: Text = "", was: Text = "") -> Response:
    """Another role."""
    found = member(access.session, access.project.id, user_id)
    typed = {"role": role}
    refused = tried(
        request, access.session, lambda: change_role(access, found, role, was), f"m{user_id}", typed, "role"
    )
    return settings_page(request, access, refused) if refused else members_of(access)


@router.get("/{user_id}/remove")
def ask_remove(request: Request, access: Admin, user_id: int) -> Response:
    """What leaving somebody out means; the name must be typed."""
    return remove_page(request, access, member(access.session, access.project.id, user_id), None)


@router.post("/{user_id}/remove")
def remove(request: Request, access: ActingAdmin, user_id: int, name: Text = "") -> Response:
    """Out of the project; what the person said stays."""
    found = member(access.session, access.project.id, user_id)
    typed = {"name": name}
    refused = tried(request, access.session, lambda: remove_member(access, found, name), "remove", typed, "name")
    if refused:
        return remove_page(request, access, found, refused)
    return go("/projects") if user_id == access.user.id else members_of(access)


def members_of(access: ActingAdmin) -> Response:
    """Back to the list."""
    return go(f"/projects/{access.project.id}/settings?saved=members#members")


def remove_page(request: Request, access: Admin, found: Membership, refused: Refusal | None) -> Response:
    """One question."""
    status_code = refused.status if refused else 200
    return page(
        request, "settings/remove.html", status_code=status_code, project=access.project, tab="Settings", person=found.user,
        refused=refused,
    )  # fmt: skip


def hand_over(request: Request, access: ActingAdmin, house: InHouse, person: User) -> Response:
    """The join link in clear, on this one answer only."""
    token = OneTimeLink.make(access.session, person, "join", by=access.user)
    address = link_address(request, house.settings, "join", token)
    back = f"/projects/{access.project.id}/settings#members"
    return page(
        request, "settings/hand_over.html", project=access.project, tab="Settings", person=person, kind="join", address=address,
        back=back,
    )  # fmt: skip
