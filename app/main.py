"""create_app: the wiring, nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy import text
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from app.accounts.routes import router as accounts
from app.api.api import api_over
from app.checks.empties import router as empties
from app.checks.statics import router as statics
from app.dependencies import House, InHouse
from app.deployments.routes import router as deployments
from app.errors import answer_errors
from app.exports.routes import router as exports
from app.images.routes import router as images
from app.imports.routes import router as imports
from app.jobs.progress import progress_over
from app.jobs.routes import router as jobs
from app.keeping.routes import router as keeping
from app.labeling.grid import router as grid
from app.labeling.references import router as references
from app.labeling.review import router as review
from app.labeling.routes import router as labeling
from app.languages import Languages, Spoken
from app.pages import STATIC
from app.projects.routes import router as projects
from app.projects.settings_routes import router as settings_pages
from app.security.headers import Guard
from app.security.passwords import SignInLimit
from app.species.routes import router as species
from app.uploads.routes import router as uploads
from app.visits.routes import router as visits
from models.database import Database
from models.schema import check_schema
from models.settings import Settings
from models.storage import Store


def create_app(settings: Settings) -> FastAPI:
    """The whole web server. Raises SchemaMismatch for a database of another schema, Invalid for a broken translation."""
    languages = Languages(settings.home)
    database = Database(settings.url)
    check_schema(database)
    store = Store(
        settings.store,
        free_floor_bytes=settings.free_space_floor_mb << 20,
        max_photo_bytes=settings.max_photo_mb << 20,
    )
    store.sweep_staging()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        database.dispose()

    app = FastAPI(title="Waterhole", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.house = House(settings, database, store, SignInLimit(), languages)
    app.state.progress = progress_over(database)
    answer_errors(app)
    for router in (images, accounts, keeping, projects, settings_pages, jobs, species, uploads, deployments):
        app.include_router(router)
    for router in (labeling, grid, review, references, exports, imports, visits, statics, empties):
        app.include_router(router)
    app.add_api_route("/", to_projects, include_in_schema=False)
    app.add_api_route("/healthz", healthz)
    app.mount("/api/v1", api_over(app.state.house), name="api")
    app.mount("/static", CachedStatic(directory=STATIC), name="static")
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=settings.hosts)
    app.add_middleware(Spoken, languages=languages)
    app.add_middleware(Guard, https=settings.is_https)
    return app


def to_projects() -> Response:
    """The front door."""
    return RedirectResponse("/projects", status_code=303)


def healthz(house: InHouse) -> JSONResponse:
    """200 while the database answers and the store has room."""
    with house.database.engine.connect() as connection:
        connection.execute(text("select 1"))
    return JSONResponse({"status": "ok"})


class CachedStatic(StaticFiles):
    """Static files carry their content's hash in the address, so browsers may keep them for a year."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Add the header."""
        response = await super().get_response(path, scope)
        kept = Request(scope).query_params.get("v") is not None
        response.headers["cache-control"] = "public, max-age=31536000, immutable" if kept else "no-cache"
        return response
