"""A folder of this machine comes in: in order, resumable, with a reason for every file that does not."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from models import importing
from models.batch import Batch, BatchFile
from models.database import Database
from models.errors import Invalid, NoSpace, NotYours
from models.image import Image
from models.importing import ImportResult, Progress, import_folder
from models.invariants import examine
from models.job import Job
from models.storage import Store
from tests import make

ROOT = Path(__file__).resolve().parent.parent.parent


def jpeg(text: str) -> bytes:
    return b"\xff\xd8\xff\xe0" + text.encode() * 50


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A camera's card: two cameras with the same file names, and what else lies there."""
    folder = tmp_path / "card"
    for camera in ("Camera A", "Camera B"):
        (folder / camera / "100MEDIA").mkdir(parents=True)
        for number in range(3):
            (folder / camera / "100MEDIA" / f"IMG_{number}.JPG").write_bytes(jpeg(f"{camera}{number}"))
    (folder / "Camera B" / "copy.JPG").write_bytes(jpeg("Camera A0"))
    (folder / "Camera A" / "zero.jpg").touch()
    (folder / "Camera A" / "clip.avi").write_bytes(b"RIFF\x00\x00\x00\x00AVI LIST" + b"\x00" * 99)
    (folder / "Camera A" / "Thumbs.db").write_bytes(b"x")
    (folder / ".Trash").mkdir()
    (folder / ".Trash" / "old.jpg").write_bytes(jpeg("old"))
    return folder


def bring(database: Database, store: Store, folder: Path, project_id: int = 0, **more: object) -> ImportResult:
    given = {"name": "card", "by": None, "progress": lambda _progress: None} | more
    return import_folder(database, store, project_id or project(database), folder, **given)  # type: ignore[arg-type]


def project(database: Database) -> int:
    with database.writing() as session:
        return make.project(session).id


def test_a_folder_comes_in_with_its_cameras_its_twice_and_its_refused(
    database: Database, store: Store, card: Path
) -> None:
    told: list[Progress] = []
    result = bring(database, store, card, progress=told.append)
    assert (result.here, result.duplicates, result.known) == (6, 1, 0)
    assert result.refused == [
        ("Camera A/clip.avi", "this is an AVI video, neither a JPEG nor a PNG photo"),
        ("Camera A/zero.jpg", "the file is empty"),
    ]
    assert [progress.done for progress in told] == list(range(1, 10))
    assert told[-1].total == 9
    assert told[-1].bytes_done == told[-1].bytes_total == 6 * 454 + 454 + 115
    with database.reading() as session:
        assert session.scalars(select(Job)).one().total == 6
        assert len(session.scalars(select(Image)).all()) == 6
        assert set(session.scalars(select(BatchFile.path).where(BatchFile.state == "refused"))) == {
            "Camera A/clip.avi", "Camera A/zero.jpg"
        }  # fmt: skip
    assert examine(database, store, deep=True) == []


def test_the_words_for_the_terminal_name_every_refused_file(
    sqlite_database: Database, store: Store, card: Path
) -> None:
    assert bring(sqlite_database, store, card).words == (
        "card: 6 photos are here, 1 were here already and count once\n"
        "2 files could not be taken, the others are fine:\n"
        "  Camera A/clip.avi: this is an AVI video, neither a JPEG nor a PNG photo\n"
        "  Camera A/zero.jpg: the file is empty"
    )


def test_a_second_run_reads_nothing_again_and_asks_no_job(
    sqlite_database: Database, store: Store, card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project_id = project(sqlite_database)
    bring(sqlite_database, store, card, project_id)
    read: list[Path] = []
    real = importing.file_chunks
    monkeypatch.setattr(importing, "file_chunks", lambda path: read.append(path) or real(path))
    again = bring(sqlite_database, store, card, project_id)
    assert (again.here, again.duplicates, again.known, again.job_id) == (0, 0, 7, None)
    assert {path.name for path in read} == {"zero.jpg", "clip.avi"}
    (card / "Camera A" / "new.jpg").write_bytes(jpeg("new"))
    (card / "Camera B" / "copy.JPG").write_bytes(jpeg("grown") * 2)
    third = bring(sqlite_database, store, card, project_id)
    assert (third.here, third.known) == (2, 6)
    assert third.job_id is not None
    assert third.batch_id == again.batch_id
    assert examine(sqlite_database, store) == []


def test_ctrl_c_keeps_what_came_so_far_and_the_next_run_goes_on(
    sqlite_database: Database, store: Store, card: Path
) -> None:
    project_id = project(sqlite_database)

    def stop(progress: Progress) -> None:
        if progress.done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring(sqlite_database, store, card, project_id, progress=stop)
    with sqlite_database.reading() as session:
        batch = session.scalars(select(Batch)).one()
        assert batch.finished_at is None
        assert len(session.scalars(select(BatchFile)).all()) == 5
        assert session.scalars(select(Job)).all() == []
    result = bring(sqlite_database, store, card, project_id)
    assert result.known == 3
    assert result.here + result.duplicates == 4
    with sqlite_database.reading() as session:
        assert session.scalars(select(Job)).one().total == 6


KILLED = """
import os, sys
from pathlib import Path
from models.batch import Batch
from models.database import Database
from models.importing import import_folder
from models.storage import Store

real, calls = Batch.receive, []
def receive(self, *arguments):
    calls.append(1)
    if len(calls) == 4:
        os.kill(os.getpid(), 9)
    return real(self, *arguments)
Batch.receive = receive
import_folder(Database(sys.argv[1]), Store(Path(sys.argv[2])), int(sys.argv[3]), Path(sys.argv[4]), name="card", by=None,
              progress=lambda progress: None)
"""


def test_killed_between_files_and_rows_it_leaves_files_that_harm_nobody(
    sqlite_database: Database, store: Store, card: Path
) -> None:
    project_id = project(sqlite_database)
    command = [sys.executable, "-c", KILLED, sqlite_database.url, str(store.root), str(project_id), str(card)]
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == -9
    stored = list((store.root / "originals").glob("*/*"))
    assert len(stored) == 6
    with sqlite_database.reading() as session:
        assert session.scalars(select(Image)).all() == []
    result = bring(sqlite_database, store, card, project_id)
    assert (result.here, result.duplicates) == (6, 1)
    assert examine(sqlite_database, store, deep=True) == []


def test_a_disk_that_is_too_small_is_said_before_anything_is_copied(
    sqlite_database: Database, card: Path, tmp_path: Path
) -> None:
    full = Store(tmp_path / "store", free_floor_bytes=1 << 60)
    with pytest.raises(NoSpace, match="The disk is nearly full"):
        bring(sqlite_database, full, card)
    assert list((full.root / "originals").glob("*/*")) == []


def test_links_are_not_followed_and_are_listed(sqlite_database: Database, store: Store, card: Path) -> None:
    secret = card.parent / "secret.jpg"
    secret.write_bytes(jpeg("secret"))
    (card / "link.jpg").symlink_to(secret)
    (card / "loop").symlink_to(card)
    os.mkfifo(card / "pipe.jpg")
    refused = dict(bring(sqlite_database, store, card).refused)
    assert "links are not followed" in refused["link.jpg"]
    assert "links are not followed" in refused["loop"]
    assert refused["pipe.jpg"] == "this is no ordinary file"
    assert not store.original(hashlib.sha256(jpeg("secret")).hexdigest()).exists()


def test_a_file_that_cannot_be_read_is_listed_and_tried_again(
    sqlite_database: Database, store: Store, card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importing.file_chunks

    def sometimes(path: Path) -> Iterator[bytes]:
        if path.name == "IMG_1.JPG":
            raise PermissionError(13, "Permission denied")
        yield from real(path)

    project_id = project(sqlite_database)
    with monkeypatch.context() as patch:
        patch.setattr(importing, "file_chunks", sometimes)
        result = bring(sqlite_database, store, card, project_id)
    unread = [path for path, reason in result.refused if reason == "the file cannot be read: Permission denied"]
    assert unread == ["Camera A/100MEDIA/IMG_1.JPG", "Camera B/100MEDIA/IMG_1.JPG"]
    assert bring(sqlite_database, store, card, project_id).here == 2


def test_names_that_are_no_text_are_listed_in_letters_that_can_be_shown(
    database: Database, store: Store, card: Path
) -> None:
    (card / os.fsdecode(b"bad\xff.jpg")).write_bytes(jpeg("bytes"))
    (card / "line\nbreak.jpg").write_bytes(jpeg("line"))
    refused = dict(bring(database, store, card).refused)
    assert {"bad\ufffd.jpg", "line\ufffdbreak.jpg"} <= set(refused)
    assert "cannot be shown" in refused["line\ufffdbreak.jpg"]


def test_our_own_store_is_never_brought_in(sqlite_database: Database, card: Path) -> None:
    store = Store(card / "store")
    project_id = project(sqlite_database)
    assert bring(sqlite_database, store, card, project_id).here == 6
    assert bring(sqlite_database, store, card, project_id).here == 0
    with pytest.raises(Invalid, match="own store"):
        bring(sqlite_database, store, store.root / "originals", project_id)


@pytest.mark.parametrize("what", ["nowhere", "Camera A/zero.jpg"])
def test_a_folder_that_is_none_is_refused_in_one_line(
    sqlite_database: Database, store: Store, card: Path, what: str
) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        bring(sqlite_database, store, card / what)


def test_a_project_that_is_none_is_refused(sqlite_database: Database, store: Store, card: Path) -> None:
    with pytest.raises(NotYours):
        bring(sqlite_database, store, card, project_id=99)


def test_a_megadetector_file_is_kept_beside_the_photos_under_its_hash(
    sqlite_database: Database, store: Store, card: Path, tmp_path: Path
) -> None:
    boxes = tmp_path / "md.json"
    boxes.write_text(json.dumps({"images": [], "info": {"format_version": "1.6"}}))
    project_id = project(sqlite_database)
    result = bring(sqlite_database, store, card, project_id, boxes_file=boxes)
    with sqlite_database.reading() as session:
        kept = session.get_one(Batch, result.batch_id).boxes_file
    assert kept == f"boxes/{hashlib.sha256(boxes.read_bytes()).hexdigest()}.json"
    assert (store.root / kept).read_bytes() == boxes.read_bytes()
    bring(sqlite_database, store, card, project_id)
    with sqlite_database.reading() as session:
        assert session.get_one(Batch, result.batch_id).boxes_file == kept
    with pytest.raises(Invalid, match="boxes: "):
        bring(sqlite_database, store, card, boxes_file=tmp_path / "missing.json")


@pytest.mark.photos
def test_the_bad_files_are_sorted_by_content_as_their_list_says(
    sqlite_database: Database, store: Store, shared_data: Path
) -> None:
    folder = shared_data / "bad-files"
    result = bring(sqlite_database, store, folder)
    refused = {path for path, _reason in result.refused}
    with (folder / "expected.csv").open(newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    later = ("megapixel", "animated", "metadata bomb")  # the worker says so: it needs the header or the decoder
    for name, row in rows.items():
        at_once = row["expected"] == "refuse" and not any(word in row["reason"] for word in later)
        is_photo = (folder / name).read_bytes().startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))
        assert (name in refused) == at_once == (not is_photo), (name, row["reason"])
    others = {path for path in refused if path not in rows}
    assert others == {"expected.csv"} & {path.name for path in folder.iterdir()}
    assert result.here + result.duplicates + len(refused) == len(list(folder.iterdir()))
