"""The people of this installation, for its administrators: accounts, links to hand over, disable, sign out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import Response

from app.accounts import queries
from app.dependencies import InHouse, Reading, SiteAdmin, Writing, reading_site_admin
from app.forms import Refusal, go, tried
from app.links import link_address
from app.pages import page
from models.api_token import ApiToken
from models.audit import note
from models.session import OneTimeLink, UserSession
from models.user import User

router = APIRouter()
Text = Annotated[str, Form()]


@router.get("/people", dependencies=[Depends(reading_site_admin)])
def show_people(request: Request, session: Reading, find: str = "") -> Response:
    """Every account, or those whose name or address has the word in it."""
    return people_page(request, session, find=find)


@router.post("/people")
def make_account(
    request: Request,
    admin: SiteAdmin,
    session: Writing,
    house: InHouse,
    email: Text = "",
    name: Text = "",
    is_admin: Text = "",
) -> Response:
    """A new account; its join link is on the answer, once."""
    typed = {"email": email, "name": name, "is_admin": is_admin}
    refused = tried(
        request, session, lambda: User.register(session, email, name, is_admin=bool(is_admin)), "make", typed, "email"
    )
    if refused:
        return people_page(request, session, refused)
    person = queries.account(session, email)
    note(session, "account.made", user=admin, email=person.email, is_admin=person.is_admin)
    return hand_over(request, session, house, admin, person)


@router.post("/people/{user_id}/link")
def make_link(request: Request, user_id: int, admin: SiteAdmin, session: Writing, house: InHouse) -> Response:
    """A new join link, or a reset link for somebody who has a password; older links stop working."""
    person = queries.person(session, user_id)
    note(session, "account.link", user=admin, email=person.email)
    return hand_over(request, session, house, admin, person)


@router.post("/people/{user_id}/disable")
def disable(request: Request, user_id: int, admin: SiteAdmin, session: Writing) -> Response:
    """Out at once, everywhere; the person's answers stay."""
    person = queries.person(session, user_id)
    refused = tried(request, session, lambda: person.disable(by=admin), f"person-{user_id}", {}, "account")
    if refused:
        return people_page(request, session, refused)
    UserSession.end_all(session, person.id)
    ApiToken.revoke_all(session, person.id)
    queries.release_leases(session, person.id)
    note(session, "account.disabled", user=admin, email=person.email)
    return go("/people")


@router.post("/people/{user_id}/enable")
def enable(user_id: int, admin: SiteAdmin, session: Writing) -> Response:
    """The way back."""
    person = queries.person(session, user_id)
    person.enable()
    note(session, "account.enabled", user=admin, email=person.email)
    return go("/people")


@router.post("/people/{user_id}/sign-out")
def sign_out(user_id: int, admin: SiteAdmin, session: Writing) -> Response:
    """Sign somebody out of every browser."""
    person = queries.person(session, user_id)
    UserSession.end_all(session, person.id)
    note(session, "account.signed_out", user=admin, email=person.email)
    return go("/people")


def people_page(request: Request, session: Reading, refused: Refusal | None = None, find: str = "") -> Response:
    """The list and the form."""
    people = queries.people(session, find)
    return page(
        request, "accounts/people.html", status_code=refused.status if refused else 200, people=people, find=find,
        shown=queries.SHOWN, refused=refused,
    )  # fmt: skip


def hand_over(request: Request, session: Writing, house: InHouse, admin: User, person: User) -> Response:
    """The link in clear, on this one answer only: the table keeps its hash."""
    kind = "reset" if person.password_hash else "join"
    token = OneTimeLink.make(session, person, kind, by=admin)
    address = link_address(request, house.settings, kind, token)
    return page(request, "accounts/hand_over.html", person=person, kind=kind, address=address, back="/people")
