"""Every route x every scope and every role. The routes are found by themselves, so a new one cannot be forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from app.api.access import Needs
from app.api.api import ROUTERS
from app.api.described import needs_of, routes_of
from models.api_token import Scope
from models.membership import Role
from models.user import User
from tests import make
from tests.app.api.study import Study, client_of

Route = tuple[str, str, Needs]
BODY = {"json": {}}


def every_route() -> Iterator[Route]:
    """(method, path, what it needs)."""
    for route in routes_of(ROUTERS):
        needs = needs_of(route.dependant)
        assert needs is not None, f"{route.path} asks for no token"
        for method in route.methods or ():
            yield method, route.path, needs


ROUTES = list(every_route())
SAME = pytest.mark.parametrize(
    ("method", "path", "needs"), ROUTES, ids=[f"{method} {path}" for method, path, _ in ROUTES]
)


def filled(study: Study, path: str) -> str:
    """The path with ids that there are."""
    values = {
        "project_id": study.project_id, "photo_id": study.photos[0], "box_id": study.boxes[0], "batch_id": study.batch_id,
        "species_id": study.species["Ocelot"], "user_id": study.people["viewer"], "job_id": "none", "name": "counts.csv",
    } | study.others  # fmt: skip
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: str(values[found[1]]), path)


def asked(client: httpx.Client, method: str, path: str) -> httpx.Response:
    """The request with an empty body: whoever may ask it is told that it makes no sense, unless it does."""
    return client.request(
        method, path, params={"path": "Camera A/none.jpg", "pattern": "{site}"}, **({} if method == "GET" else BODY)
    )  # type: ignore[arg-type]


def test_there_are_as_many_routes_as_the_document_has() -> None:
    assert len(ROUTES) > 40
    assert {needs.scope for _method, _path, needs in ROUTES} == {None, *Scope}


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _needs in ROUTES])
def test_nobody_gets_in_without_a_token(sqlite_study: Study, method: str, path: str) -> None:
    study = sqlite_study
    with study.site.database.writing() as session:
        cookie = make.token(session, session.get_one(User, study.people["admin"]))
    with client_of(study.site, None) as client:
        assert_problem(asked(client, method, filled(study, path)), 401, "no_token")
        client.headers["cookie"] = f"__Host-waterhole={cookie}"
        client.headers["origin"] = study.site.address
        assert_problem(asked(client, method, filled(study, path)), 401, "no_token")


@SAME
def test_a_token_without_the_scope_is_told_which(sqlite_study: Study, method: str, path: str, needs: Needs) -> None:
    others = [scope for scope in Scope if scope is not needs.scope]
    with sqlite_study.calling("admin", *others) as client:
        answer = asked(client, method, filled(sqlite_study, path))
    if needs.scope is None:
        assert answer.status_code == 200
    else:
        assert_problem(answer, 403, "scope_missing")
        assert f"scope {needs.scope};" in answer.json()["detail"]


@SAME
def test_a_token_does_no_more_than_its_person_may(sqlite_study: Study, method: str, path: str, needs: Needs) -> None:
    study = sqlite_study
    for who in ("stranger", "site_admin", "viewer", "annotator", "expert", "admin"):
        with study.calling(who) as client:
            answer = asked(client, method, filled(study, path))
        assert answer.status_code < 500, answer.text
        if needs.least is None:
            only_admins = (method, path) == ("POST", "/projects")
            assert (answer.status_code == 403) == (only_admins and who != "site_admin"), (who, answer.text)
        elif who in ("stranger", "site_admin"):
            assert_problem(answer, 404, "not_found")
        elif Role(who).rank < needs.least.rank:
            assert_problem(answer, 403, "not_allowed")
        else:
            assert answer.status_code not in (401, 403), (who, answer.text)


def assert_problem(answer: httpx.Response, status: int, code: str) -> None:
    """In the one shape."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert answer.json()["code"] == code
