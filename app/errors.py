"""From the domain's words to status numbers: the only place that knows both."""

from __future__ import annotations

from urllib.parse import quote

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.pages import page, wants_page
from app.security.headers import loggable
from models.errors import (
    Busy,
    Changed,
    Conflict,
    DomainError,
    Invalid,
    NoSpace,
    NotAllowed,
    NotSignedIn,
    NotYours,
    TooLarge,
    TooManyTries,
)
from models.words import retold, say

STATUS: dict[type[DomainError], int] = {
    NotSignedIn: 401,
    NotAllowed: 403,
    NotYours: 404,
    Conflict: 409,
    Changed: 412,
    TooLarge: 413,
    Invalid: 422,
    TooManyTries: 429,
    Busy: 503,
    NoSpace: 507,
}
log = structlog.get_logger("web")


def status_of(error: DomainError) -> int:
    """The number of the nearest class in the table."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def answer_errors(app: FastAPI) -> None:
    """Wire the translations."""
    app.add_exception_handler(DomainError, domain_error)
    app.add_exception_handler(RequestValidationError, bad_request)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(Exception, our_fault)


async def domain_error(request: Request, error: Exception) -> Response:
    """A rule said no."""
    assert isinstance(error, DomainError)
    status = status_of(error)
    if status == 401 and wants_page(request) and request.method == "GET":
        wanted = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        return RedirectResponse(f"/sign-in?next={quote(wanted, safe='/')}", status_code=303)
    return error_answer(request, status, retold(str(error)))


async def bad_request(request: Request, error: Exception) -> Response:
    """A field is missing or of the wrong kind."""
    assert isinstance(error, RequestValidationError)
    if any(each["loc"][0] == "path" for each in error.errors()):  # /projects/abc: no such page
        return error_answer(request, 404, say("This page does not exist, or is not yours to see."))
    said = "; ".join(f"{'.'.join(str(part) for part in each['loc'][1:])}: {each['msg']}" for each in error.errors()[:5])
    return error_answer(request, 422, said)


async def http_error(request: Request, error: Exception) -> Response:
    """Starlette's own: no such address, no such method."""
    assert isinstance(error, HTTPException)
    words = say("This page does not exist, or is not yours to see.") if error.status_code == 404 else str(error.detail)
    return error_answer(request, error.status_code, words)


async def our_fault(request: Request, error: Exception) -> Response:
    """A bug or a broken machine: the log has the story, the page has the request id."""
    log.error("request failed", id=request.state.request_id, path=loggable(request.url.path), exc_info=error)
    return error_answer(
        request, 500, say("Something broke on our side. Your last answer is safe; this page could not be made.")
    )


def error_answer(request: Request, status: int, words: str) -> Response:
    """A page for people, JSON for scripts."""
    headers = {"retry-after": "2"} if status == 503 else {}
    if wants_page(request):
        return page(request, "error.html", status_code=status, headers=headers, status=status, words=words)
    return JSONResponse({"error": words, "request_id": request.state.request_id}, status_code=status, headers=headers)
