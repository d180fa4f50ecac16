"""What goes wrong, in the one shape of RFC 9457: application/problem+json."""

from __future__ import annotations

import re

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import status_of
from app.security.headers import loggable
from models.api_token import ScopeMissing
from models.errors import (
    Busy,
    Changed,
    Conflict,
    DomainError,
    Invalid,
    KeyReused,
    NoSpace,
    NotAllowed,
    NotSignedIn,
    NotYours,
    TooLarge,
    TooManyTries,
)
from models.storage import NotAPhoto
from models.words import say, translated

NOT_FOUND = "This does not exist, or is not yours to see."
RETRY_AFTER_S = {429: "60", 503: "2"}
FIELD = re.compile(r"([a-z][a-z _-]{0,40}): (.+)", re.DOTALL)
# the nearest class counts
CODES: dict[type[DomainError], str] = {
    NotSignedIn: "no_token",
    ScopeMissing: "scope_missing",
    NotAllowed: "not_allowed",
    NotYours: "not_found",
    Conflict: "conflict",
    Changed: "changed",
    TooLarge: "too_large",
    NotAPhoto: "not_a_photo",
    KeyReused: "key_reused",
    Invalid: "invalid",
    TooManyTries: "too_many_tries",
    Busy: "busy",
    NoSpace: "no_space",
}
# status -> code, for what the framework says itself
OTHERS = {
    404: "not_found",
    405: "no_such_method",
    413: "too_large",
    422: "invalid",
    428: "version_missing",
    500: "broken",
}
TITLES = {
    "no_token": "A token is needed",
    "scope_missing": "The token has not the scope",
    "not_allowed": "The role does not suffice",
    "not_found": "Not found",
    "conflict": "Somebody was faster",
    "changed": "Changed meanwhile",
    "too_large": "Too large",
    "not_a_photo": "No photo",
    "key_reused": "The key was used for something else",
    "invalid": "Something sent makes no sense here",
    "too_many_tries": "Too many tries",
    "busy": "Busy",
    "no_space": "The disk is full",
    "no_such_method": "No such method",
    "version_missing": "The version is missing",
    "broken": "Something broke on our side",
}
log = structlog.get_logger("web")


class Problem(BaseModel):
    """What went wrong. `code` is for programs, `detail` for people."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "about:blank", "title": "Something sent makes no sense here", "status": 422, "code": "invalid",
                "detail": "name: there is already a project called Serengeti", "field": "name", "request_id": "5f0c6f1e2a3b",
            }
        }
    )  # fmt: skip

    type: str = Field("about:blank", description="Always about:blank: `code` says which problem it is.")
    title: str = Field(description="The code in words; the same for the same code.")
    status: int = Field(description="The HTTP status, once more.")
    code: str = Field(description=f"One of {', '.join(TITLES)}.")
    detail: str = Field(description="What is wrong with this very request.")
    field: str | None = Field(
        None, description="Which field of the body, the path or the query is wrong, where it is one."
    )
    request_id: str = Field(description="Under this the server's log tells more.")


def answer_problems(api: FastAPI) -> None:
    """Wire the translations."""
    api.add_exception_handler(DomainError, domain_error)
    api.add_exception_handler(RequestValidationError, bad_request)
    api.add_exception_handler(HTTPException, http_error)
    api.add_exception_handler(Exception, our_fault)


def domain_error(request: Request, error: Exception) -> Response:
    """A rule said no."""
    assert isinstance(error, DomainError)
    return refusal(request, error)


def refusal(request: Request, error: DomainError) -> Response:
    """The rules say "field: what is wrong"."""
    code = next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), "broken")
    named = FIELD.fullmatch(str(error)) if isinstance(error, Invalid | Conflict) else None
    field = re.sub("[ -]", "_", named[1]) if named else None
    return problem(request, status_of(error), code, str(error), field)


def bad_request(request: Request, error: Exception) -> Response:
    """A field is missing or of the wrong kind. An id that cannot be is one that is not there."""
    assert isinstance(error, RequestValidationError)
    if any(each["loc"][0] == "path" for each in error.errors()):
        return problem(request, 404, "not_found", say(NOT_FOUND))
    places = [".".join(str(part) for part in each["loc"][1:]) or "body" for each in error.errors()[:5]]
    said = "; ".join(f"{place}: {each['msg']}" for place, each in zip(places, error.errors(), strict=False))
    return problem(request, 422, "invalid", said, places[0])


def http_error(request: Request, error: Exception) -> Response:
    """The framework's own: no such address, no such method, a body that is no JSON or too large."""
    assert isinstance(error, HTTPException)
    words = say(NOT_FOUND) if error.status_code == 404 else str(error.detail)
    return problem(request, error.status_code, OTHERS.get(error.status_code, "invalid"), words)


def our_fault(request: Request, error: Exception) -> Response:
    """A bug or a broken machine."""
    log.error("request failed", id=request.state.request_id, path=loggable(request.url.path), exc_info=error)
    return problem(
        request, 500, "broken", say("Something broke on our side. The log has the story under the request id.")
    )


class OneShape:
    """Around the API: the framework answers a body that is too large by itself, in plain text."""

    def __init__(self, api: ASGIApp) -> None:
        """api: what is mounted."""
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        replaced = False

        async def send_problem(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and is_plain_refusal(message):
                replaced = True
                words = say("The body is larger than this route takes.")
                await problem(Request(scope), message["status"], "too_large", words)(scope, receive, send)
            elif not replaced:
                await send(message)

        await self._api(scope, receive, send_problem)


def is_plain_refusal(message: Message) -> bool:
    """Whether the answer is a 413 that is no problem yet."""
    return message["status"] == 413 and Headers(raw=message["headers"]).get("content-type", "").startswith("text/plain")


def problem(request: Request, status: int, code: str, detail: str, field: str | None = None) -> Response:
    """One answer of this file."""
    told = Problem(
        title=translated(TITLES[code]), status=status, code=code, detail=detail.encode(errors="replace").decode(), field=field,
        request_id=request.state.request_id,
    )  # fmt: skip
    headers = {"retry-after": RETRY_AFTER_S[status]} if status in RETRY_AFTER_S else {}
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="Waterhole"'
    return Response(told.model_dump_json(), status, headers, media_type="application/problem+json")
