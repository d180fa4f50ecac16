"""Every route, found by itself: nothing is there for who is signed out, nothing of a project for who is no member."""

from __future__ import annotations

import re
from pathlib import Path

from starlette.routing import BaseRoute, Route

from app.main import create_app
from models.membership import Role
from models.settings import Settings
from tests import make
from tests.conftest import Site

FOR_EVERYBODY = {"/", "/healthz", "/openapi.json", "/sign-in", "/sign-out", "/join/{token}", "/reset/{token}"}
OF_THE_INSTALLATION = ("/people", "/account", "/projects", "/projects/new", "/disk")


def every_route(url: str, home: Path) -> list[tuple[str, str]]:
    """(method, path with its parameters) of each route that the program wires."""
    app = create_app(Settings(home=home, database_url=url, free_space_floor_mb=1, _env_file=None))
    return [
        (method, path)
        for path, route in flat(app.routes)
        if path not in FOR_EVERYBODY
        for method in (route.methods or set()) - {"HEAD", "OPTIONS"}
    ]


def flat(routes: list[BaseRoute], prefix: str = "") -> list[tuple[str, Route]]:
    """(whole path, route) of routers within routers."""
    found: list[tuple[str, Route]] = []
    for route in routes:
        router = getattr(route, "original_router", None)
        if router is not None:
            found += flat(router.routes, prefix + route.include_context.prefix)  # type: ignore[attr-defined]
        elif isinstance(route, Route):
            found.append((prefix + route.path, route))
    return found


def filled(path: str) -> str:
    """The same address with 1 for every parameter."""
    return re.sub(r"\{[^}]*\}", "1", path)


def test_who_is_signed_out_gets_nothing(sqlite_site: Site, sqlite_url: str, tmp_path: Path) -> None:
    routes = every_route(sqlite_url, tmp_path)
    assert len(routes) > 50  # the routers within routers are found
    with sqlite_site.client() as client:
        for method, path in routes:
            assert client.request(method, filled(path)).status_code == 401, f"{method} {path}"


def test_who_is_no_member_does_not_learn_that_a_project_exists(
    sqlite_site: Site, sqlite_url: str, tmp_path: Path
) -> None:
    with sqlite_site.database.writing() as session:
        owner, stranger = make.user(session), make.user(session)
        project = make.project(session, (owner, Role.admin))
        box = make.box(session, make.image(session, make.batch(session, project)))
        assert (project.id, box.id, box.image_id) == (1, 1, 1)
        token = make.token(session, stranger)
    with sqlite_site.client(token) as client:
        for method, path in every_route(sqlite_url, tmp_path):
            if path.startswith(OF_THE_INSTALLATION) and "{project_id}" not in path:
                continue
            assert client.request(method, filled(path)).status_code == 404, f"{method} {path}"
