"""The pages of imports over HTTP: who may, what is shown, what a bad file does, a table that is asked about."""

from __future__ import annotations

import json

import httpx
from sqlalchemy import func, select

from models.batch import BatchFile
from models.box import Box
from models.imported import Import, ImportRow
from models.job import Job
from models.membership import Role
from tests import make
from tests.conftest import Site

PAGE = {"accept": "text/html"}
GOOD = json.dumps(
    {
        "info": {"format_version": "1.6"}, "detection_categories": {"1": "animal"},
        "images": [
            {"file": "Creek/IMG_1.JPG", "detections": [{"category": "1", "conf": 0.9, "bbox": [0.7, 0.1, 0.2, 0.2]}]},
            {"file": "<script>alert(1)</script>.jpg", "detections": "none"},
        ],
    }
).encode()  # fmt: skip


def scene(site: Site, role: Role = Role.admin) -> tuple[httpx.Client, int]:
    """A member's client, and a project with one photo."""
    with site.database.writing() as session:
        who = make.user(session)
        project = make.project(session, (who, role))
        photo = make.image(session, make.batch(session, project), "Creek/IMG_1.JPG")
        batch = photo.batch_id
        session.add(
            BatchFile(batch_id=batch, path=photo.path, size=1, sha256=photo.sha256, state="here", image_id=photo.id)
        )
        make.box(session, photo)
        return site.client(make.token(session, who)), project.id


def send(
    client: httpx.Client, project_id: int, content: bytes, name: str = "results.json", **fields: str
) -> httpx.Response:
    """The first form."""
    return client.post(f"/projects/{project_id}/imports", files={"files": (name, content)}, data=fields, headers=PAGE)


def test_a_dry_run_writes_nothing_and_taking_it_asks_the_worker_once(site: Site) -> None:
    client, project_id = scene(site)
    answer = send(client, project_id, GOOD)
    assert answer.status_code == 303
    there = answer.headers["location"]
    shown = client.get(there, headers=PAGE).text
    assert "1 new box" in shown
    assert "missing, and no failure says why" in shown
    assert "<script>alert" not in shown
    with site.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Box)) == 1
    assert client.post(f"{there}/take", headers=PAGE).status_code == 303
    assert client.post(f"{there}/take", headers=PAGE).status_code == 409
    with site.database.reading() as session:
        assert [job.kind for job in session.scalars(select(Job))] == ["take"]


def test_only_administrators_bring_files_in_and_members_may_look(sqlite_site: Site) -> None:
    client, project_id = scene(sqlite_site, Role.annotator)
    assert send(client, project_id, GOOD).status_code == 403
    assert client.get(f"/projects/{project_id}/imports", headers=PAGE).status_code == 200


def test_a_file_that_cannot_be_read_says_why_and_nothing_is_kept_of_it(sqlite_site: Site) -> None:
    client, project_id = scene(sqlite_site)
    there = send(client, project_id, b"{}", format="megadetector").headers["location"]
    assert "info: missing, or not an object" in client.get(there, headers=PAGE).text
    assert client.post(f"{there}/take", headers=PAGE).status_code == 409
    assert send(client, project_id, b"hello", name="notes.doc").status_code == 422
    assert send(client, project_id, GOOD, format="xml").status_code == 422
    assert client.post(f"/projects/{project_id}/imports", data={}, headers=PAGE).status_code == 422


def test_a_table_is_read_only_after_its_first_rows_were_seen(site: Site) -> None:
    client, project_id = scene(site)
    content = "Archivo;especie;N\nCreek/IMG_1.JPG;Gato andino;2\nCreek/IMG_9.JPG;Gato andino;x\n".encode("latin-1")
    there = send(client, project_id, content, name="t.csv").headers["location"]
    assert "Is this right?" in client.get(there, headers=PAGE).text
    with site.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ImportRow)) == 0
    said = {
        "encoding": "windows-1252", "delimiter": "semicolon", "decimal": ".", "confirmed": "yes", "column-file": "Archivo",
        "column-species": "especie", "column-count": "N",
    }  # fmt: skip
    assert client.post(f"{there}/read", data=said, headers=PAGE).status_code == 303
    shown = client.get(there, headers=PAGE).text
    assert "1 crop gets a name that a person gave" in shown
    assert "New species: Gato andino." in shown
    with site.database.reading() as session:
        bad = session.scalars(select(ImportRow).where(ImportRow.verdict == "bad")).one()
        assert (bad.place, bad.field) == ("line 3", "N")


def test_an_import_of_another_project_is_not_there(sqlite_site: Site) -> None:
    client, project_id = scene(sqlite_site)
    there = send(client, project_id, GOOD).headers["location"]
    other, other_id = scene(sqlite_site)
    number = there.rsplit("/", 1)[1]
    assert other.get(f"/projects/{other_id}/imports/{number}", headers=PAGE).status_code == 404
    assert other.post(f"/projects/{other_id}/imports/{number}/read", data={}, headers=PAGE).status_code == 404
    with sqlite_site.database.reading() as session:
        assert session.scalars(select(Import)).one().project_id == project_id
