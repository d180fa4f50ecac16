"""api_over: the API as an application of its own below /api/v1, with its own words for what goes wrong."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.api import (
    batches_routes,
    checks_routes,
    clocks_routes,
    deployments_routes,
    exports_routes,
    figures_routes,
    imports_routes,
    jobs_routes,
    labels_routes,
    members_routes,
    photos_routes,
    places_routes,
    projects_routes,
    rounds_routes,
    settings_routes,
    species_routes,
)
from app.api.described import document
from app.api.docs_page import docs_page
from app.api.problems import OneShape, answer_problems
from app.dependencies import House

ROUTERS: list[Any] = [
    each.router
    for each in (
        projects_routes, members_routes, batches_routes, photos_routes, labels_routes, rounds_routes, species_routes,
        places_routes, deployments_routes, clocks_routes, checks_routes, imports_routes,
        jobs_routes, exports_routes, figures_routes, settings_routes,
    )
]  # fmt: skip
MOST_BODY = 1 << 20  # of JSON; a file's own route takes more


def operation_id(route: APIRoute) -> str:
    """The name of its function."""
    return route.name


def api_over(house: House) -> OneShape:
    """Give it the house of the pages, and mount it."""
    api = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=operation_id,
        max_body_size=MOST_BODY,
    )
    api.state.house = house
    answer_problems(api)
    for router in ROUTERS:
        api.include_router(router)
    told = document(api, ROUTERS)

    def show_document(_request: Request) -> Response:
        return JSONResponse(told)

    def show_docs(request: Request) -> Response:
        return docs_page(request, told)

    api.add_route("/openapi.json", show_document, include_in_schema=False)
    api.add_route("/docs", show_docs, include_in_schema=False)
    return OneShape(api)
