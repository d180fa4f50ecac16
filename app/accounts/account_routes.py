"""One's own account: name, colours, keys, light, password, and the way out of every browser."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.accounts.credentials import CheckedChange
from app.dependencies import InHouse, Writing, WritingUser, get_house, reading_user
from app.forms import Refusal, go, tried, whole
from app.pages import page, wants_page
from app.security.sessions import give, take_away
from models.api_token import ApiToken
from models.audit import note
from models.session import UserSession
from models.user import THEMES

router = APIRouter()
Text = Annotated[str, Form()]


@router.get("/account", dependencies=[Depends(reading_user)])
def show_account(request: Request, saved: str = "") -> Response:
    """The person's own page."""
    return account_page(request, None, saved)


@router.post("/account/name")
def rename(request: Request, user: WritingUser, session: Writing, name: Text = "") -> Response:
    """Another name; answers keep the person."""
    refused = tried(request, session, lambda: user.rename(name), "name", {"name": name}, "name")
    return account_page(request, refused) if refused else go("/account?saved=name#name")


@router.post("/account/theme")
def choose_theme(request: Request, user: WritingUser, session: Writing, theme: Text = "") -> Response:
    """Light, dark, or as the system."""
    refused = tried(request, session, lambda: user.set_theme(theme), "theme", {"theme": theme}, "theme")
    return account_page(request, refused) if refused else go("/account?saved=theme#theme")


@router.post("/account/language")
def choose_language(
    request: Request, user: WritingUser, session: Writing, house: InHouse, language: Text = ""
) -> Response:
    """That of the pages; the next one is in it."""
    change = lambda: user.set_language(language, house.languages.by_code)  # noqa: E731
    refused = tried(request, session, change, "language", {"language": language}, "language")
    return account_page(request, refused) if refused else go("/account?saved=language#language")


@router.post("/account/keys")
def choose_keys(request: Request, user: WritingUser, letters: Text = "") -> Response:
    """Whether letters and digits answer. The label page's own switch sends the same."""
    user.letters = bool(letters)
    return kept(request, "keys")


@router.post("/account/light")
def choose_light(
    request: Request, user: WritingUser, session: Writing, bright: Text = "0", contrast: Text = "0"
) -> Response:
    """Brightness and contrast of photos. The label page's sliders send the same."""
    typed = {"bright": bright, "contrast": contrast}
    change = lambda: user.set_light(whole("bright", bright), whole("contrast", contrast))  # noqa: E731
    refused = tried(request, session, change, "light", typed, "bright")
    return account_page(request, refused) if refused else kept(request, "light")


@router.post("/account/password")
def change_password(request: Request, change: CheckedChange, user: WritingUser, session: Writing) -> Response:
    """The old one opens the change; every other sign-in ends, this one goes on under a new token."""
    if change.error is not None:
        if not wants_page(request):
            raise change.error
        return account_page(request, Refusal.of(change.error, "password", {"old_password": ""}, "password"))
    user.password_hash = change.hash
    UserSession.end_all(session, user.id)
    note(session, "account.password", user=user)
    answer = go("/account?saved=password#password")
    give(answer, UserSession.start(session, user))
    return answer


@router.post("/account/sign-out-everywhere")
def sign_out_everywhere(user: WritingUser, session: Writing, tokens: Text = "") -> Response:
    """In case a laptop was lost. tokens: anything in it revokes those of the person's scripts too."""
    UserSession.end_all(session, user.id)
    revoked = ApiToken.revoke_all(session, user.id) if tokens else 0
    note(session, "account.signed_out", user=user, **({"tokens": revoked} if revoked else {}))
    answer = go("/sign-in")
    take_away(answer)
    return answer


def kept(request: Request, form: str) -> Response:
    """A form leads back to itself; a script only learns that it is kept."""
    return go(f"/account?saved={form}#{form}") if wants_page(request) else JSONResponse({})


def account_page(request: Request, refused: Refusal | None, saved: str = "") -> Response:
    """The forms."""
    status_code = refused.status if refused else 200
    languages = get_house(request).languages.choices()
    return page(
        request, "accounts/account.html", status_code=status_code, refused=refused, saved=saved, themes=THEMES,
        languages=languages,
    )  # fmt: skip
