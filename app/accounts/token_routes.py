"""The tokens of one's own scripts: make one, see when it was used last, revoke it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import Reading, ReadingUser, Writing, WritingUser
from app.forms import Refusal, go, tried, whole
from app.pages import page
from models.api_token import LIVES_DAYS, SCOPES, ApiToken, Scope
from models.audit import note
from models.user import User

router = APIRouter(prefix="/account/tokens")
Text = Annotated[str, Form()]
USUAL_DAYS = 90


@router.get("")
def show_tokens(request: Request, user: ReadingUser, session: Reading) -> Response:
    """The list and the form."""
    return tokens_page(request, session, user)


@router.post("")
def make_token(
    request: Request, user: WritingUser, session: Writing, name: Text = "", days: Text = "",
    scopes: Annotated[list[str] | None, Form()] = None,
) -> Response:  # fmt: skip
    """A new token; its text is on this one answer only, the table keeps its hash."""
    made: list[tuple[ApiToken, str]] = []
    typed = {"name": name, "days": days, "scopes": ""} | dict.fromkeys(scopes or [], "on")
    make = lambda: made.append(ApiToken.make(session, user, name, scopes or [], whole("days", days)))  # noqa: E731
    refused = tried(request, session, make, "token", typed, "name")
    if refused:
        return tokens_page(request, session, user, refused)
    token, text = made[0]
    note(session, "account.token_made", user=user, name=token.name, scopes=token.scopes)
    return tokens_page(request, session, user, made=token, text=text)


@router.post("/{token_id}/revoke")
def revoke_token(token_id: int, user: WritingUser, session: Writing) -> Response:
    """It works no more."""
    token = ApiToken.own(session, user.id, token_id)
    if token.revoked_at is None:
        token.revoke()
        note(session, "account.token_revoked", user=user, name=token.name)
    return go("/account/tokens")


def tokens_page(
    request: Request, session: Reading, user: User, refused: Refusal | None = None, *, made: ApiToken | None = None,
    text: str = "",
) -> Response:  # fmt: skip
    """Those that work, the new one with its text, and the form."""
    alive = [token for token in ApiToken.of(session, user.id) if token.is_alive]
    return page(
        request, "accounts/tokens.html", status_code=refused.status if refused else 200, refused=refused, tokens=alive,
        made=made, text=text, scopes=SCOPES, usual=Scope.read, lives=LIVES_DAYS, usual_days=USUAL_DAYS,
    )  # fmt: skip
