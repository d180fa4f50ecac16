"""The cookie that carries a sign-in: random, HttpOnly, Secure, of this host only (DECISIONS 18, 19)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from models.session import ABSOLUTE

COOKIE = "__Host-waterhole"


def token_of(request: Request) -> str | None:
    """The token in the request's cookie."""
    token = request.cookies.get(COOKIE)
    return token if token and len(token) < 200 else None


def give(response: Response, token: str) -> None:
    """Set the cookie. Browsers keep a Secure cookie on https and on localhost."""
    response.set_cookie(
        COOKIE, token, max_age=int(ABSOLUTE.total_seconds()), path="/", secure=True, httponly=True, samesite="lax"
    )


def take_away(response: Response) -> None:
    """Remove the cookie and every picture the browser keeps."""
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    response.headers["clear-site-data"] = '"cache"'
