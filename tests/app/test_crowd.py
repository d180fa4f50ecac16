"""Many people at the same moment: whoever holds a connection gets on, so nobody waits for ever."""

from __future__ import annotations

import asyncio
import collections

import httpx
import pytest

from app.security.sessions import COOKIE
from models.membership import Role
from tests import make
from tests.conftest import Site


async def load(site: Site, token: str, path: str, times: int) -> collections.Counter[int]:
    headers = {"cookie": f"{COOKIE}={token}", "accept": "text/html", "origin": site.address}
    limits = httpx.Limits(max_connections=times)
    async with httpx.AsyncClient(base_url=site.address, headers=headers, timeout=60, limits=limits) as client:
        answers = await asyncio.gather(*[client.get(path) for _ in range(times)])
    return collections.Counter(answer.status_code for answer in answers)


@pytest.mark.parametrize("page", ["/batches", "/label", ""])
def test_a_hundred_page_loads_at_once_are_all_answered(site: Site, page: str) -> None:
    with site.database.writing() as session:
        user = make.user(session)
        project = make.project(session, (user, Role.admin))
        token, path = make.token(session, user), f"/projects/{project.id}{page}"
    assert asyncio.run(load(site, token, path, 100)) == {200: 100}
