"""One person of each kind around a project, and what each is answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx

from models.base import utc_now
from models.membership import Role
from tests import make
from tests.conftest import Site

KINDS = ("admin", "expert", "annotator", "viewer", "stranger", "other_admin", "site_admin", "disabled", "nobody")


@contextmanager
def around(site: Site) -> Iterator[tuple[int, dict[str, httpx.Client]]]:
    """(project id, kind -> signed-in client). other_admin administers another project; site_admin is in none."""
    with site.database.writing() as session:
        people = {kind: make.user(session, is_admin=kind == "site_admin") for kind in KINDS[:-1]}
        roles = [(people[role.value], role) for role in Role]
        project = make.project(session, *roles, (people["disabled"], Role.admin))
        make.project(session, (people["other_admin"], Role.admin))
        tokens = {kind: make.token(session, person) for kind, person in people.items()}
        people["disabled"].disabled_at = utc_now()
        project_id = project.id
    with ExitStack() as stack:
        clients = {kind: stack.enter_context(site.client(token)) for kind, token in tokens.items()}
        yield project_id, clients | {"nobody": stack.enter_context(site.client())}


def answered(
    clients: dict[str, httpx.Client], method: str, path: str, data: dict[str, str] | None = None
) -> dict[str, int]:
    """kind -> status number."""
    return {kind: client.request(method, path, data=data).status_code for kind, client in clients.items()}


def expected(least: Role, status: int) -> dict[str, int]:
    """What a route for members from a role on must answer: the status, 403 to lesser members, 404 to strangers, 401 to nobody."""
    members = {role.value: status if role.rank >= least.rank else 403 for role in Role}
    return members | {"stranger": 404, "other_admin": 404, "site_admin": 404, "disabled": 401, "nobody": 401}
