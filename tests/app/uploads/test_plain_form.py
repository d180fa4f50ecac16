"""The same without script: one form, many files, the rows are the same in the end."""

from __future__ import annotations

import httpx
from sqlalchemy import select

from models.batch import Batch
from models.job import Job
from tests.app.uploads.sending import Sending, jpeg, sending
from tests.conftest import Site

PAGE = {"accept": "text/html"}


def post(sender: Sending, *files: tuple[str, bytes], key: str = "a-key-of-a-form") -> httpx.Response:
    """What a browser sends for a chosen folder: every file with its path."""
    answer = sender.client.post(
        f"/projects/{sender.project_id}/upload",
        data={"idempotency_key": key},
        files=[("files", file) for file in files],
        headers=PAGE,
    )
    if answer.status_code == 303:
        sender.batch_id = int(answer.headers["location"].rsplit("/", 1)[1])
    return answer


def test_a_form_brings_a_folder_in_and_leads_to_its_batch(site: Site) -> None:
    with sending(site, begin=False) as sender:
        one = jpeg()
        answer = post(
            sender, ("SD 4/A/1.jpg", one), ("SD 4/B/1.jpg", jpeg()), ("SD 4/B/2.jpg", one), ("SD 4/Thumbs.db", b"x"),
            ("SD 4/clip.mov", b"\x00\x00\x00\x14ftypqt  "),
        )  # fmt: skip
        assert answer.status_code == 303
        assert {path: state for path, (state, _reason) in sender.files().items()} == {
            "A/1.jpg": "here", "B/1.jpg": "here", "B/2.jpg": "duplicate", "clip.mov": "refused"
        }  # fmt: skip
        with site.database.reading() as session:
            batch = session.scalars(select(Batch)).one()
            assert batch.name == "SD 4"
            assert batch.finished_at is not None
            assert session.scalars(select(Job)).one().total == 2


def test_sending_the_form_again_makes_no_second_batch(sqlite_site: Site) -> None:
    with sending(sqlite_site, begin=False) as sender:
        file = ("SD 4/A/1.jpg", jpeg())
        first, second = post(sender, file), post(sender, file)
        assert first.headers["location"] == second.headers["location"]
        with sqlite_site.database.reading() as session:
            assert len(session.scalars(select(Batch)).all()) == 1
            assert len(session.scalars(select(Job)).all()) == 1


def test_photos_without_a_folder_get_a_batch_with_the_day_in_its_name(sqlite_site: Site) -> None:
    with sending(sqlite_site, begin=False) as sender:
        post(sender, ("1.jpg", jpeg()), ("2.jpg", jpeg()))
        with sqlite_site.database.reading() as session:
            assert session.scalars(select(Batch)).one().name.startswith("Photos of ")


def test_a_hostile_name_in_a_form_is_written_nowhere(sqlite_site: Site) -> None:
    with sending(sqlite_site, begin=False) as sender:
        post(sender, ("../../etc/passwd", jpeg()), ("/etc/passwd", jpeg()), ("a//b.jpg", jpeg()), ("fine.jpg", jpeg()))
        states = {path: state for path, (state, _reason) in sender.files().items()}
        assert states == {"/etc/passwd": "refused", "a//b.jpg": "refused", "fine.jpg": "here"}
        assert len(sender.stored()) == 1


def test_a_form_without_files_says_what_to_do(sqlite_site: Site) -> None:
    with sending(sqlite_site, begin=False) as sender:
        answer = sender.client.post(
            f"/projects/{sender.project_id}/upload", data={"idempotency_key": "k" * 20}, headers=PAGE
        )
        assert answer.status_code == 422
        assert "Choose a folder or some photos first" in answer.text


def test_more_files_than_a_form_may_hold_are_refused_with_the_way_out(sqlite_site: Site) -> None:
    with sending(sqlite_site, begin=False) as sender:
        answer = post(sender, *((f"{number}.jpg", b"\xff\xd8\xff") for number in range(1001)))
        assert answer.status_code == 422
        assert "at most 1,000 files" in answer.text
        assert "waterhole import" in answer.text
        assert sender.stored() == []


def test_a_stranger_sends_no_form(sqlite_site: Site) -> None:
    with sending(sqlite_site, begin=False) as sender, sqlite_site.client() as nobody:
        files = {"files": ("a.jpg", jpeg())}
        assert nobody.post(f"/projects/{sender.project_id}/upload", files=files).status_code == 401
        assert sender.stored() == []


def test_photos_that_wait_for_a_detections_file_are_not_looked_through(sqlite_site: Site) -> None:
    with sending(sqlite_site, begin=False) as sender:
        answer = sender.client.post(
            f"/projects/{sender.project_id}/upload",
            data={"idempotency_key": "a-key-of-a-form", "hold": "yes"},
            files=[("files", ("SD 4/A/1.jpg", jpeg()))],
            headers=PAGE,
        )
        assert answer.status_code == 303
        assert f"/projects/{sender.project_id}/imports?batch=" in answer.headers["location"]
        with sqlite_site.database.reading() as session:
            assert session.scalars(select(Job)).all() == []
            assert session.scalars(select(Batch)).one().finished_at is not None
