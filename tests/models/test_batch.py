"""A batch: one photo per content, no bytes lost under a name, shards for the worker, and paths that are only data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.batch import PASSED_OVER, SHARD_PHOTOS, Batch, BatchFile, clean_path
from models.database import Database
from models.deployment import Deployment
from models.errors import Invalid
from models.image import QUARANTINED, Image
from models.invariants import examine
from models.job import Job
from models.project import Project
from models.storage import Received, Store
from tests import make


def photo(number: int, size: int = 1000) -> Received:
    return Received(f"{number:064x}", size)


def lines(session: Session, batch: Batch) -> dict[str, str]:
    files = session.scalars(select(BatchFile).where(BatchFile.batch_id == batch.id))
    return {file.path: file.state for file in files}


def begun(session: Session) -> Batch:
    return make.batch(session, make.project(session), "SD 4")


def test_the_same_bytes_are_one_photo_in_a_project_and_two_in_two(database: Database) -> None:
    with database.writing() as session:
        one, other = begun(session), begun(session)
        assert one.receive(session, "a.jpg", photo(1)).state == "here"
        twice = make.batch(session, session.get_one(Project, one.project_id)).receive(session, "b.jpg", photo(1))
        assert (twice.state, twice.reason) == ("duplicate", "the same photo as a.jpg")
        assert other.receive(session, "a.jpg", photo(1)).state == "here"
        assert len(session.scalars(select(Image)).all()) == 2


def test_a_reason_is_kept_however_long_the_name_of_the_first_photo_is(database: Database) -> None:
    with database.writing() as session:
        batch = begun(session)
        batch.receive(session, "/".join(["folder" * 20] * 8), photo(1))
        assert len(batch.receive(session, "b.jpg", photo(1)).reason) == 300


def test_other_bytes_under_a_known_path_keep_the_older_photo_on_a_line_of_its_own(database: Database) -> None:
    with database.writing() as session:
        batch = begun(session)
        for number in (1, 2, 3):
            batch.receive(session, "a.jpg", photo(number))
        assert set(lines(session, batch)) == {"a.jpg", "a.jpg (older, 1)", "a.jpg (older, 2)"}
        now = batch.file(session, "a.jpg")
        assert now is not None
        assert now.sha256 == photo(3).sha256
        batch.receive(session, "a.jpg", photo(1))
        batch.receive(session, "a.jpg", photo(3))
        assert len(session.scalars(select(Image)).all()) == 3
        with_lines = set(session.scalars(select(BatchFile.image_id).where(BatchFile.batch_id == batch.id)))
        assert with_lines == set(session.scalars(select(Image.id)))


def test_a_photo_that_comes_after_a_refused_file_of_its_name_takes_the_line(sqlite_database: Database) -> None:
    with sqlite_database.writing() as session:
        batch = begun(session)
        batch.refuse(session, "a.jpg", 0, "the file is empty")
        batch.receive(session, "a.jpg", photo(1))
        assert lines(session, batch) == {"a.jpg": "here"}


def test_a_file_whose_photo_is_known_to_be_broken_is_listed_as_broken(sqlite_database: Database) -> None:
    with sqlite_database.writing() as session:
        batch = begun(session)
        batch.receive(session, "a.jpg", photo(1))
        image = session.scalars(select(Image)).one()
        image.state, image.reason = QUARANTINED, "ends too early"
        file = batch.receive(session, "again.jpg", photo(1))
        assert (file.state, file.reason) == (QUARANTINED, "ends too early")


def test_the_first_folder_is_the_camera_and_without_one_the_batch_is(sqlite_database: Database) -> None:
    with sqlite_database.writing() as session:
        batch = begun(session)
        for number, path in enumerate(["Camera A/100/1.jpg", "Camera A/101/1.jpg", "Camera B/1.jpg", "loose.jpg"]):
            batch.receive(session, path, photo(number))
        assert set(session.scalars(select(Deployment.name))) == {"Camera A", "Camera B", "SD 4"}


def test_finishing_cuts_the_waiting_photos_into_shards_in_the_order_of_their_paths(database: Database) -> None:
    count = 2 * SHARD_PHOTOS + 5
    with database.writing() as session:
        batch = begun(session)
        project = session.get_one(Project, batch.project_id)
        for number in range(count):
            batch.receive(session, f"IMG_{count - number:04}.JPG", photo(number))
        job = batch.finish(session, project)
        assert job is not None
        assert (job.kind, job.total) == ("ingest", count)
        assert job.arguments == {"batch_id": batch.id, "shards": 3, "shard_photos": SHARD_PHOTOS}
        session.expire_all()
        images = session.scalars(select(Image).order_by(Image.path)).all()
        assert [image.shard for image in images] == [0] * SHARD_PHOTOS + [1] * SHARD_PHOTOS + [2] * 5
        assert {image.job_id for image in images} == {job.id}


def test_finishing_again_asks_only_for_what_came_since(sqlite_database: Database) -> None:
    with sqlite_database.writing() as session:
        batch = begun(session)
        project = session.get_one(Project, batch.project_id)
        batch.receive(session, "a.jpg", photo(1))
        assert batch.finish(session, project) is not None
        assert batch.finish(session, project) is None
        batch.receive(session, "b.jpg", photo(2))
        late = batch.finish(session, project)
        assert late is not None
        assert late.total == 1
        assert len(session.scalars(select(Job)).all()) == 2


def test_a_batch_without_photos_asks_for_nothing(sqlite_database: Database) -> None:
    with sqlite_database.writing() as session:
        batch = begun(session)
        batch.refuse(session, "notes.txt", 5, "not a photo")
        assert batch.finish(session, session.get_one(Project, batch.project_id)) is None
        assert batch.finished_at is not None


def test_a_photo_of_a_batch_that_was_never_finished_does_not_wait_for_it(sqlite_database: Database) -> None:
    with sqlite_database.writing() as session:
        left_alone = begun(session)
        project = session.get_one(Project, left_alone.project_id)
        left_alone.receive(session, "a.jpg", photo(1))
        left_alone.receive(session, "b.jpg", photo(2))
        batch = make.batch(session, project)
        batch.receive(session, "a.jpg", photo(1))
        job = batch.finish(session, project)
        assert job is not None
        assert job.total == 1


def test_whatever_came_in_doctor_finds_every_photo_with_its_file_and_every_file_with_its_photo(
    sqlite_database: Database, store: Store
) -> None:
    contents = [b"\xff\xd8\xff" + bytes([number]) * 50 for number in range(3)]
    with sqlite_database.writing() as session:
        batch = begun(session)
        for path, content in [("a.jpg", 0), ("b.jpg", 0), ("a.jpg", 1), ("a.jpg", 2), ("a.jpg", 0), ("c.jpg", 2)]:
            batch.receive(session, path, store.receive([contents[content]]))
        batch.refuse(session, "d.jpg", 0, "the file is empty")
    assert examine(sqlite_database, store) == []


@given(some.text(max_size=40))
def test_a_path_is_either_refused_or_stays_below_every_folder(text: str) -> None:
    try:
        clean = clean_path(text)
    except Invalid as error:
        assert str(error).startswith("path: ")
        return
    parts = clean.split("/")
    assert parts
    assert not {"", ".", ".."} & set(parts)
    assert not clean.startswith("~")
    assert clean.isprintable() or any(ord(character) > 126 for character in clean)
    assert clean_path(clean) == clean


@pytest.mark.parametrize(
    "path", ["Thumbs.db", "a/thumbs.DB", ".DS_Store", "a/._IMG_1.JPG", "__MACOSX/a.jpg", "desktop.ini"]
)
def test_side_files_of_cameras_and_computers_are_known(path: str) -> None:
    assert PASSED_OVER.search(path)


@pytest.mark.parametrize("path", ["IMG.1.JPG", "a.b/c.jpg", "MyThumbs.db.jpg", "a/desktop.ini.jpg"])
def test_photos_are_never_taken_for_side_files(path: str) -> None:
    assert not PASSED_OVER.search(path)
