"""The stream of progress: one poller, only changes, an end when the server ends, and nobody's business but the members'."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import uvicorn

from app.jobs import progress as progress_module
from app.jobs.progress import Progress
from app.main import create_app
from app.now import Now
from app.server import Server
from models.base import utc_now
from models.job import RUNNING, Job, WorkerBeat
from models.membership import Membership, Role
from models.queue import ask
from models.session import UserSession
from tests import make
from tests.conftest import Site, free_port


def line(number: int) -> Now:
    return Now("on", f"line {number}")


class Desk:
    """A fake database: what stands there, how often it was asked, and for whom."""

    def __init__(self) -> None:
        self.lines: dict[int, Now] = {}
        self.asked: list[list[int]] = []
        self.broken = False

    def read(self, project_ids: list[int]) -> dict[int, Now]:
        self.asked.append(sorted(project_ids))
        if self.broken:
            raise ConnectionError("gone")
        return {project_id: self.lines.get(project_id, line(0)) for project_id in project_ids}


async def next_of(stream: AsyncIterator[Now | None]) -> Now | None:
    return await asyncio.wait_for(anext(stream), 2)


async def settle(condition: Any) -> None:
    for _try in range(200):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never happened")


def test_many_streams_are_fed_by_one_poller_that_stops_when_they_leave() -> None:
    async def story() -> None:
        desk = Desk()
        progress = Progress(desk.read, every_s=0.02)
        streams = [progress.follow(1 + number % 2, line(0)) for number in range(50)]
        assert {await next_of(stream) for stream in streams} == {line(0)}
        await settle(lambda: len(desk.asked) >= 3)
        assert desk.asked[-1] == [1, 2]
        desk.lines[2] = line(7)
        assert await next_of(streams[1]) == line(7)
        for stream in streams:
            await stream.aclose()  # type: ignore[attr-defined]
        await settle(lambda: not progress.is_polling)
        asked = len(desk.asked)
        await asyncio.sleep(0.1)
        assert len(desk.asked) == asked
        again = progress.follow(1, line(0))
        await next_of(again)
        await settle(lambda: len(desk.asked) > asked)
        await again.aclose()  # type: ignore[attr-defined]

    asyncio.run(story())


def test_only_changes_are_sent_and_a_heartbeat_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_module, "HEARTBEAT_S", 0.1)

    async def story() -> None:
        desk = Desk()
        stream = Progress(desk.read, every_s=0.01).follow(1, line(0))
        assert await next_of(stream) == line(0)
        assert await next_of(stream) is None
        assert len(desk.asked) > 3
        desk.lines[1] = line(1)
        assert await next_of(stream) == line(1)
        assert await next_of(stream) is None
        await stream.aclose()  # type: ignore[attr-defined]

    asyncio.run(story())


def test_a_change_that_came_before_the_stream_was_open_is_not_lost() -> None:
    async def story() -> None:
        desk = Desk()
        desk.lines[1] = line(5)
        progress = Progress(desk.read, every_s=0.01)
        early = progress.follow(1, line(0))
        assert [await next_of(early), await next_of(early)] == [line(0), line(5)]
        late = progress.follow(1, line(0))  # its first line was read before the change
        assert [await next_of(late), await next_of(late)] == [line(0), line(5)]
        await early.aclose()  # type: ignore[attr-defined]
        await late.aclose()  # type: ignore[attr-defined]

    asyncio.run(story())


def test_a_database_that_is_gone_for_a_while_ends_no_stream() -> None:
    async def story() -> None:
        desk = Desk()
        desk.broken = True
        stream = Progress(desk.read, every_s=0.01).follow(1, line(0))
        await next_of(stream)
        await settle(lambda: len(desk.asked) > 3)
        desk.lines[1] = line(2)
        desk.broken = False
        assert await next_of(stream) == line(2)
        await stream.aclose()  # type: ignore[attr-defined]

    asyncio.run(story())


def test_a_stream_ends_after_a_while_so_that_the_right_is_checked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_module, "LIFE_S", 0.05)
    monkeypatch.setattr(progress_module, "HEARTBEAT_S", 0.02)

    async def story() -> list[Now | None]:
        return [now async for now in Progress(Desk().read, every_s=0.01).follow(1, line(0))]

    assert asyncio.run(asyncio.wait_for(story(), 2))[0] == line(0)


@pytest.fixture
def watched(sqlite_site: Site) -> Iterator[tuple[Site, int, httpx.Client]]:
    """A site with a worker, a running job, and a viewer's client."""
    with sqlite_site.database.writing() as session:
        viewer = make.user(session)
        project = make.project(session, (viewer, Role.viewer))
        session.add(WorkerBeat(name="w", device="CPU", beat_at=utc_now()))
        job = ask(session, "ingest", project.id, {}, total=100, line="Finding animals in card 1")
        job.state = RUNNING
        token, project_id = make.token(session, viewer), project.id
    with sqlite_site.client(token) as client:
        yield sqlite_site, project_id, client


def data_of(lines: Iterator[str]) -> dict[str, Any]:
    """The next event."""
    text = next(line for line in lines if line.startswith("data: "))
    said: dict[str, Any] = json.loads(text.removeprefix("data: "))
    return said


def test_the_browser_hears_of_a_change(watched: tuple[Site, int, httpx.Client]) -> None:
    site, project_id, client = watched
    with client.stream("GET", f"/projects/{project_id}/progress") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        assert data_of(lines)["done"] == 0
        with site.database.writing() as session:
            session.query(Job).one().done = 32
        said = data_of(lines)
    assert (said["what"], said["done"], said["total"]) == ("Finding animals in card 1", 32, 100)
    assert client.get(f"/projects/{project_id}/progress.json").json() == said


def test_only_members_hear(watched: tuple[Site, int, httpx.Client]) -> None:
    site, project_id, _client = watched
    with site.database.writing() as session:
        token = make.token(session, make.user(session))
    for address in ("progress", "progress.json"):
        with site.client(token) as stranger:
            assert stranger.get(f"/projects/{project_id}/{address}").status_code == 404
        with site.client() as nobody:
            assert nobody.get(f"/projects/{project_id}/{address}").status_code == 401


def test_an_open_page_keeps_no_sign_in_alive(watched: tuple[Site, int, httpx.Client]) -> None:
    site, project_id, client = watched
    long_ago = utc_now().replace(microsecond=0) - 2 * make.dt.timedelta(hours=1)
    with site.database.writing() as session:
        session.query(UserSession).one().last_seen_at = long_ago
    assert client.get(f"/projects/{project_id}/progress.json").status_code == 200
    with site.database.reading() as session:
        assert session.query(UserSession).one().last_seen_at == long_ago


def test_streams_take_no_thread_and_no_database_session(watched: tuple[Site, int, httpx.Client]) -> None:
    _site, project_id, client = watched

    async def story() -> None:
        limits = httpx.Limits(max_connections=None)
        headers = dict(client.headers)
        async with httpx.AsyncClient(base_url=str(client.base_url), headers=headers, limits=limits, timeout=10) as many:
            opened = [many.build_request("GET", f"/projects/{project_id}/progress") for _ in range(120)]
            answers = await asyncio.gather(*(many.send(request, stream=True) for request in opened))
            assert {answer.status_code for answer in answers} == {200}
            began = time.perf_counter()
            page = await many.get(f"/projects/{project_id}/progress.json")
            assert page.status_code == 200
            assert time.perf_counter() - began < 2
            for answer in answers:
                await answer.aclose()

    asyncio.run(story())  # the pool holds 100 database connections and 40 threads


def test_too_many_streams_are_told_to_poll(
    watched: tuple[Site, int, httpx.Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    _site, project_id, client = watched
    monkeypatch.setattr(progress_module, "MAX_STREAMS", 0)
    assert client.get(f"/projects/{project_id}/progress").status_code == 503


def test_the_server_stops_at_once_with_streams_open(watched: tuple[Site, int, httpx.Client]) -> None:
    site, project_id, client = watched
    port = free_port()
    server = Server(uvicorn.Config(create_app(site.settings), port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=dict(client.headers), timeout=10) as other:
        with other.stream("GET", f"/projects/{project_id}/progress") as answer:
            lines = answer.iter_lines()
            data_of(lines)
            began = time.perf_counter()
            server.should_exit = True
            assert not [line for line in lines if line.startswith("data: ")]
        thread.join(5)
    assert not thread.is_alive()
    assert time.perf_counter() - began < 2


def test_an_administrator_stops_a_job_and_nobody_else(watched: tuple[Site, int, httpx.Client]) -> None:
    site, project_id, viewer = watched
    with site.database.writing() as session:
        admin = make.user(session)
        Membership.grant(session, project_id, admin.id, Role.admin)
        other = make.project(session, (admin, Role.admin))
        token, other_id, job_id = make.token(session, admin), other.id, session.query(Job).one().id
    address = f"/projects/{project_id}/jobs/{job_id}/cancel"
    assert viewer.post(address).status_code == 403
    with site.client(token) as client:
        assert client.post(f"/projects/{other_id}/jobs/{job_id}/cancel").status_code == 404
        assert client.post(f"/projects/{project_id}/jobs/nothing/cancel").status_code == 404
        with site.database.reading() as session:
            assert not session.get_one(Job, job_id).cancel_requested
        answer = client.post(address)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/projects/{project_id}")
        assert client.post(address).status_code == 303
    with site.database.reading() as session:
        assert session.get_one(Job, job_id).cancel_requested
