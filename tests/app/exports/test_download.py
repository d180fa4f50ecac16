"""The export page and its downloads over HTTP; a download that breaks never looks like a whole file."""

from __future__ import annotations

import asyncio
import csv
import io
import time
from collections.abc import Iterator

import httpx
import pytest

from app.exports import spool
from app.exports.sinks import ByteSink
from app.exports.spool import Spool
from models.membership import Role
from models.storage import Store
from tests import make
from tests.app.exports.scene import scene, snapshot_text
from tests.conftest import Site


@pytest.fixture
def study(sqlite_site: Site) -> Iterator[tuple[Site, int, httpx.Client]]:
    """A site with one project of one photo, and a viewer's client."""
    with sqlite_site.database.writing() as session:
        here = scene(session, sqlite_site.store, name="Río Tambopata")
        here.box(here.photo("Cam 1/=1.jpg"), here.jaguar)
        viewer = make.user(session)
        make.Membership.grant(session, here.project.id, viewer.id, Role.viewer)
        token, project_id = make.token(session, viewer), here.project.id
    with sqlite_site.client(token, accept="text/html") as client:
        yield sqlite_site, project_id, client


def test_a_viewer_gets_the_files(study: tuple[Site, int, httpx.Client]) -> None:
    site, project_id, client = study
    for table in ("species.csv", "counts.csv"):
        answer = client.get(f"/projects/{project_id}/export/{table}")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"].startswith(f'attachment; filename="{table}"')
        assert f"R%C3%ADo%20Tambopata%20{table}" in answer.headers["content-disposition"]
        assert answer.text == snapshot_text(site.database, site.store, project_id, table)
    assert {row["file"] for row in csv.DictReader(io.StringIO(answer.text))} == {"Cam 1/=1.jpg"}


def test_strangers_find_nothing(study: tuple[Site, int, httpx.Client]) -> None:
    site, project_id, _client = study
    with site.database.writing() as session:
        token = make.token(session, make.user(session))
    with site.client(token) as client:
        for address in ("export", "export/species.csv", "export/counts.csv"):
            assert client.get(f"/projects/{project_id}/{address}").status_code == 404
    with site.client() as client:
        assert client.get(f"/projects/{project_id}/export/species.csv").status_code == 401


def test_there_is_no_other_table(study: tuple[Site, int, httpx.Client]) -> None:
    _site, project_id, client = study
    assert client.get(f"/projects/{project_id}/export/passwords.csv").status_code == 404
    assert client.get(f"/projects/{project_id}/export?table=passwords.csv").status_code == 404


def test_the_page_shows_each_column_with_the_first_row(study: tuple[Site, int, httpx.Client]) -> None:
    _site, project_id, client = study
    text = client.get(f"/projects/{project_id}/export").text
    assert "Jaguar" in text
    assert "Download species.csv" in text
    assert "Path of the photo as it was uploaded" in text
    assert "Download counts.csv" in client.get(f"/projects/{project_id}/export?table=counts.csv").text


def test_the_page_of_a_project_without_photos_says_so(study: tuple[Site, int, httpx.Client]) -> None:
    site, _project_id, _client = study
    with site.database.writing() as session:
        here = scene(session, site.store)
        here.photo(state="waiting")
        token, project_id = make.token(session, here.user), here.project.id
    with site.client(token, accept="text/html") as client:
        text = client.get(f"/projects/{project_id}/export").text
    assert "Nothing to export yet: no photo has been looked at." in text
    assert "Download" not in text


def test_damage_that_shows_before_the_first_byte_is_an_error_and_no_file(study: tuple[Site, int, httpx.Client]) -> None:
    site, _project_id, _client = study
    with site.database.writing() as session:
        here = scene(session, site.store)
        box = here.box(here.photo())
        classifier = here.classifier_says({box.id: {here.jaguar: 0.5}})
        part = next(site.store.predictions(classifier.id).iterdir())
        part.write_bytes(part.read_bytes()[:-1])
        token, project_id = make.token(session, here.user), here.project.id
    with site.client(token) as client:
        answer = client.get(f"/projects/{project_id}/export/species.csv")
    assert answer.status_code == 500
    assert "content-disposition" not in answer.headers


def test_a_fifth_export_at_once_is_told_to_come_back(study: tuple[Site, int, httpx.Client]) -> None:
    _site, project_id, client = study
    for _seat in range(spool.AT_ONCE):
        assert spool.seats.acquire(blocking=False)
    try:
        assert client.get(f"/projects/{project_id}/export/species.csv").status_code == 503
    finally:
        for _seat in range(spool.AT_ONCE):
            spool.seats.release()
    assert client.get(f"/projects/{project_id}/export/species.csv").status_code == 200


def lines(count: int, sink: ByteSink) -> None:
    for number in range(count):
        sink.write(f"{number}\n".encode())


async def collected(spooled: Spool) -> bytes:
    return b"".join([block async for block in spooled])


def test_a_spool_gives_back_what_was_written(store: Store) -> None:
    wanted = "".join(f"{number}\n" for number in range(100_000)).encode()
    assert asyncio.run(collected(Spool(store, lambda sink: lines(100_000, sink)))) == wanted
    assert asyncio.run(collected(Spool(store, lambda _sink: None))) == b""


def test_an_error_on_the_way_breaks_the_download_off(store: Store) -> None:
    def write(sink: ByteSink) -> None:
        lines(100_000, sink)
        raise ConnectionError("the database went away")

    with pytest.raises(ConnectionError):
        asyncio.run(collected(Spool(store, write)))


def test_the_writing_ends_although_nobody_reads(store: Store) -> None:
    ended = []
    Spool(store, lambda sink: ended.append(lines(100_000, sink)))
    wait_until(lambda: bool(ended))


def test_the_writing_stops_when_the_reader_goes_away(store: Store) -> None:
    stopped = []

    def write(sink: ByteSink) -> None:
        try:
            while True:
                sink.write(b"x" * 1000)
        except Exception as error:
            stopped.append(error)
            raise

    async def read_a_little() -> None:
        blocks = aiter(Spool(store, write))
        await anext(blocks)
        await blocks.aclose()  # type: ignore[attr-defined]

    asyncio.run(read_a_little())
    wait_until(lambda: bool(stopped))
    assert isinstance(stopped[0], spool.Abandoned)


def test_a_spool_leaves_no_file_behind(store: Store) -> None:
    asyncio.run(collected(Spool(store, lambda sink: lines(100_000, sink))))
    assert list((store.root / "staging").iterdir()) == []


def wait_until(condition) -> None:  # type: ignore[no-untyped-def]
    for _try in range(500):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never happened")
