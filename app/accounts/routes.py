"""The doors: sign in, sign out, and the one-time links."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Form
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from app.accounts import account_routes, people_routes, token_routes
from app.accounts.credentials import CheckedChoice, CheckedSignIn
from app.dependencies import Reading, Writing
from app.forms import Refusal, go
from app.pages import page, wants_page
from app.security.sessions import give, take_away, token_of
from models.audit import note
from models.session import OneTimeLink, UserSession
from models.user import User

router = APIRouter()
router.include_router(account_routes.router)
router.include_router(people_routes.router)
router.include_router(token_routes.router)

LOCAL_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


@router.get("/sign-in")
def show_sign_in(request: Request, session: Reading, next: str = "") -> Response:
    """The form; somebody who is signed in goes on."""
    token = token_of(request)
    if token and UserSession.alive(session, token):
        return go(local(next))
    return page(request, "accounts/sign_in.html", next=local(next), refused=None)


@router.post("/sign-in")
def sign_in(request: Request, checked: CheckedSignIn, session: Writing, next: Annotated[str, Form()] = "") -> Response:
    """Let the person in with a new token, and go where the person wanted to."""
    if checked.error is None:
        return let_in(request, session, session.get_one(User, checked.user_id), local(next))
    if not wants_page(request):
        raise checked.error
    refused = Refusal.of(checked.error, "sign-in", {"email": checked.email}, "password")
    return page(request, "accounts/sign_in.html", status_code=refused.status, next=local(next), refused=refused)


@router.post("/sign-out")
def sign_out(request: Request, session: Writing) -> Response:
    """End this browser's sign-in; its pictures go too."""
    UserSession.end(session, token_of(request) or "")
    answer = go("/sign-in")
    take_away(answer)
    return answer


@router.get("/join/{token}")
@router.get("/reset/{token}")
def show_link(request: Request, token: str, session: Reading) -> Response:
    """Choose a password; looking does not use the link up."""
    return link_page(request, OneTimeLink.usable(session, token), None)


@router.post("/join/{token}")
@router.post("/reset/{token}")
def use_link(request: Request, token: str, chosen: CheckedChoice, session: Writing) -> Response:
    """Set the password, once, and let the person in."""
    link = OneTimeLink.usable(session, token)
    if chosen.error is not None:
        return link_page(request, link, Refusal.of(chosen.error, "link", {}, "password"))
    link.use(session, chosen.hash)
    note(session, f"account.{link.kind}", user=link.user)
    return let_in(request, session, link.user, "/projects")


def link_page(request: Request, link: OneTimeLink, refused: Refusal | None) -> Response:
    """The one field."""
    status_code = refused.status if refused else 200
    return page(
        request,
        "accounts/link.html",
        status_code=status_code,
        user=None,
        person=link.user,
        kind=link.kind,
        refused=refused,
    )


def let_in(request: Request, session: Session, user: User, where: str) -> Response:
    """A new token each time, so that one planted before is worth nothing; the browser's old sign-in ends."""
    UserSession.end(session, token_of(request) or "")
    answer = go(where)
    give(answer, UserSession.start(session, user))
    return answer


def local(address: str) -> str:
    """A path of this site, or the list of projects: never another site."""
    return address if len(address) < 2000 and LOCAL_PATH.fullmatch(address) else "/projects"
