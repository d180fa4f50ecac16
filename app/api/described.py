"""The OpenAPI document of the API, and which scope and role each route needs, read off its dependencies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from app.api.access import Needs
from app.api.problems import Problem
from models.api_token import SCOPES

TITLE, VERSION = "Waterhole", "1"
PROBLEMS = {
    "401": "No token, or one that does not work", "403": "The scope is missing, or the role does not suffice",
    "404": "It does not exist, or is not yours to see", "422": "Something sent makes no sense; `field` says where",
    "429": "Too many tokens that do not work",
}  # fmt: skip
ABOUT = """Everything that a script or R may do, under a token of the account page.

* `Authorization: Bearer wh_...`. A token does what its scopes say, where its person may. {scopes}.
* Lists come as `items` and `next`; send `next` as `after` for the next page, at most 1,000 at a time.
* Moments of the server are UTC and end with Z. A camera's clock has no zone; `zone` beside it names the one that it showed.
* Problems come as application/problem+json (RFC 9457) with `code`, `detail` and, where it is one, `field`.
* What is written carries an `idempotency_key` of yours: sent again with the same body it changes nothing.
* People on photos are blurred in every picture.
"""
ORDER = (
    "Projects", "Members", "Batches", "Photos and boxes", "Answers", "Rounds", "Species", "Places and events", "Clocks",
    "Checks", "Imports", "Jobs", "Exports", "Figures", "Settings",
)  # fmt: skip


def needs_of(dependant: Dependant) -> Needs | None:
    """What a route asks of the token and its person."""
    for each in dependant.dependencies:
        if isinstance(each.call, Needs):
            return each.call
        found = needs_of(each)
        if found is not None:
            return found
    return None


def routes_of(routers: list[Any]) -> Iterator[APIRoute]:
    """Every route of these routers."""
    for router in routers:
        yield from (route for route in router.routes if isinstance(route, APIRoute))


def document(api: FastAPI, routers: list[Any]) -> dict[str, Any]:
    """OpenAPI 3.1. Raises AssertionError for a route that names no scope and role: it would be open to everybody."""
    about = ABOUT.format(
        scopes="; ".join(
            f"`{scope}`: {words[0].lower()}{words[1:].replace('; ', ', ')}" for scope, words in SCOPES.items()
        )
    )
    made = get_openapi(
        title=TITLE, version=VERSION, routes=api.routes, description=about, tags=[{"name": name} for name in ORDER],
        servers=[{"url": "/api/v1"}],
    )  # fmt: skip
    for name in (
        "HTTPValidationError",
        "ValidationError",
    ):  # the framework's own shape of a 422, which is never sent here
        made["components"]["schemas"].pop(name, None)
    made["components"]["schemas"]["Problem"] = Problem.model_json_schema()
    made["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "bearerFormat": "wh_ and 64 hexadecimal digits"}
    }
    for route in routes_of(routers):
        needs = needs_of(route.dependant)
        assert needs is not None, f"{route.path} asks for no token"
        for method in route.methods or ():
            describe(made["paths"][route.path_format][method.lower()], needs)
    return made


def describe(operation: dict[str, Any], needs: Needs) -> None:
    """Add what a token must have, and what goes wrong."""
    scope = needs.scope.value if needs.scope else ""
    role = needs.least.value if needs.least else ""
    words = f"Scope: {scope or 'any'}." + (f" Role in the project: {role} or above." if role else "")
    operation["description"] = f"{operation.get('description', '')}\n\n{words}".strip()
    operation["security"] = [{"token": []}]
    operation["x-scope"], operation["x-role"] = scope, role
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, meaning in PROBLEMS.items():
        operation["responses"][status] = {"description": meaning, "content": content}
