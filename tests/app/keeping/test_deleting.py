"""Archive, delete, bring back: who may, what the pages say, and what is closed meanwhile."""

from __future__ import annotations

import datetime as dt
import time
import uuid

import httpx
from sqlalchemy import select

from models.audit import AuditEntry
from models.batch import Batch, BatchFile
from models.box import Box
from models.deletion import REMOVE, DeletedPhoto, Deletion
from models.image import Image
from models.job import Job
from models.membership import Role
from models.project import Project
from models.queue import ask
from tests import make
from tests.conftest import Site
from tests.worker.conftest import until

PHOTO = b"\xff\xd8\xff\xe0" + b"\0" * 60


class Farm:
    """A project with a batch of two photos, an administrator and an annotator."""

    def __init__(self, site: Site, name: str = "Tambopata") -> None:
        self.site = site
        with site.database.writing() as session:
            admin, annotator = make.user(session), make.user(session)
            project = make.project(session, (admin, Role.admin), (annotator, Role.annotator), name=name)
            batch = Batch.start(session, project.id, "March", admin.id)
            for number in range(2):
                received = site.store.receive([PHOTO + bytes([number])])
                file = batch.receive(session, f"A/{number}.jpg", received)
                image = session.get_one(Image, file.image_id)
                image.state = "ready"
                self.box_id = make.box(session, image).id
                self.image_id = image.id
            batch.finished_at = batch.created_at
            self.project_id, self.batch_id = project.id, batch.id
            self.admin, self.annotator = make.token(session, admin), make.token(session, annotator)
        self.here = f"/projects/{self.project_id}"

    def client(self, token: str | None = None, *, page: bool = True) -> httpx.Client:
        return self.site.client(token or self.admin, accept="text/html" if page else "application/json")

    def deletion(self) -> Deletion:
        with self.site.database.reading() as session:
            return session.scalars(select(Deletion).order_by(Deletion.id.desc())).first()  # type: ignore[return-value]


def test_only_administrators_archive_and_delete(sqlite_site: Site) -> None:
    farm = Farm(sqlite_site)
    addresses = [
        f"{farm.here}/keeping/archive",
        f"{farm.here}/keeping/delete",
        f"{farm.here}/batches/{farm.batch_id}/delete",
    ]
    with farm.client(farm.annotator) as client:
        assert [client.post(each).status_code for each in addresses] == [403] * 3
        assert client.get(f"{farm.here}/keeping").status_code == 403
        assert client.get(f"{farm.here}/batches/{farm.batch_id}/delete").status_code == 403


def test_a_batch_goes_when_its_name_is_typed_and_comes_back(site: Site) -> None:
    farm = Farm(site)
    there = f"{farm.here}/batches/{farm.batch_id}/delete"
    with farm.client() as client:
        asked = client.get(there).text
        assert "Type the name: March" in asked and "<dd>2, " in asked
        refused = client.post(there, data={"name": "April"})
        assert refused.status_code == 422 and "type March to delete it" in refused.text.lower().replace(
            "march", "March"
        )
        assert (
            client.get(f"/images/{farm.image_id}/thumbnail.jpg").status_code == 404
        )  # its picture is not made in this test
        gone = client.post(there, data={"name": "March"})
        assert gone.status_code == 303
        assert client.get(f"{farm.here}/batches/{farm.batch_id}").status_code == 404
        assert "March" not in client.get(f"{farm.here}/batches").text
        listed = client.get(gone.headers["location"].partition("#")[0]).text
        assert "its files go on" in listed and "Bring back" in listed
        deletion = farm.deletion()
        assert (deletion.photos, deletion.kind) == (2, "batch")
        assert deletion.due_at - deletion.marked_at == dt.timedelta(days=7)
        back = client.post(f"{farm.here}/keeping/deletions/{deletion.id}/take-back")
        assert back.status_code == 303
        assert client.get(f"{farm.here}/batches/{farm.batch_id}").status_code == 200
        assert client.post(f"{farm.here}/keeping/deletions/{deletion.id}/now").status_code == 409
    with site.database.reading() as session:
        acts = set(session.scalars(select(AuditEntry.act)))
        kinds = list(session.scalars(select(Job.kind)))
    assert {"batch.deleted", "batch.taken_back"} <= acts and kinds.count(REMOVE) == 2


def test_pictures_of_a_deleted_batch_are_closed_at_once(sqlite_site: Site) -> None:
    farm = Farm(sqlite_site)
    with sqlite_site.database.reading() as session:
        sha256 = session.get_one(Image, farm.image_id).sha256
    sqlite_site.store.write_cheaply(sqlite_site.store.thumbnail(sha256), b"\xff\xd8\xff small")
    picture = f"/images/{farm.image_id}/thumbnail.jpg"
    with farm.client() as client:
        assert client.get(picture).status_code == 200
        client.post(f"{farm.here}/batches/{farm.batch_id}/delete", data={"name": "March", "when": "now"})
        assert client.get(picture).status_code == 404
    assert farm.deletion().asked_at is not None


def test_nothing_comes_into_a_deleted_batch(sqlite_site: Site) -> None:
    farm = Farm(sqlite_site)
    with farm.client(page=False) as client:
        client.post(f"{farm.here}/batches/{farm.batch_id}/delete", data={"name": "March"})
        there = f"{farm.here}/batches/{farm.batch_id}"
        assert client.put(f"{there}/files?path=A/9.jpg", content=PHOTO).status_code == 409
        assert client.post(f"{there}/finish").status_code == 409
        new = client.post(f"{farm.here}/batches", json={"name": "March", "idempotency_key": uuid.uuid4().hex}).json()
        assert new["id"] != farm.batch_id  # another batch of that name begins


def test_a_batch_says_which_of_its_photos_were_deleted_before(sqlite_site: Site) -> None:
    farm = Farm(sqlite_site)
    with sqlite_site.database.writing() as session:
        sha256 = session.get_one(Image, farm.image_id).sha256
        old = Deletion(
            kind="batch", project_id=farm.project_id, target_id=99, name="February", by_name="Maria",
            due_at=dt.datetime.now(dt.UTC),
        )  # fmt: skip
        session.add(old)
        session.flush()
        session.add(DeletedPhoto(deletion_id=old.id, project_id=farm.project_id, sha256=sha256, files_gone=True))
    with farm.client() as client:
        said = client.get(f"{farm.here}/batches/{farm.batch_id}").text
    assert "1 photo of this batch was deleted before" in said and "February" in said


def test_an_archived_project_is_read_and_not_changed(site: Site) -> None:
    farm = Farm(site)
    with site.database.writing() as session:
        job_id = ask(session, "learn", farm.project_id, {}).id
    with farm.client() as client:
        assert client.post(f"{farm.here}/keeping/archive").status_code == 303
        assert "Tambopata" not in client.get("/projects").text
        assert "Tambopata" in client.get("/projects/archived").text
        for address in ("", "/settings", "/batches", "/species", "/export", "/review", "/keeping"):
            assert client.get(farm.here + address).status_code == 200, address
        assert client.post(f"{farm.here}/settings/rounds", data={}).status_code == 409
    with farm.client(farm.annotator, page=False) as client:
        answer = {"species_id": 1, "idempotency_key": uuid.uuid4().hex}
        assert client.post(f"/boxes/{farm.box_id}/labels", json=answer).status_code == 409
    with farm.client(page=False) as client:
        new = {"name": "more", "idempotency_key": uuid.uuid4().hex}
        assert client.post(f"{farm.here}/batches", json=new).status_code == 409
        there = f"{farm.here}/batches/{farm.batch_id}/files?path=A/9.jpg"
        assert client.put(there, content=PHOTO).status_code == 409
        assert client.post(f"{farm.here}/keeping/unarchive").status_code == 303
        assert client.post(f"{farm.here}/batches", json=new).status_code == 200
    with site.database.reading() as session:
        assert session.get_one(Job, job_id).state == "cancelled"
        assert session.get_one(Project, farm.project_id).archived_at is None


def test_a_deleted_project_is_nobodys_until_it_is_back(site: Site) -> None:
    farm = Farm(site)
    with farm.client() as client:
        assert client.post(f"{farm.here}/keeping/delete", data={"name": "nonsense"}).status_code == 422
        assert client.post(f"{farm.here}/keeping/delete", data={"name": "Tambopata"}).status_code == 303
        assert client.get(farm.here).status_code == 404
        assert client.get(f"/images/{farm.image_id}/thumbnail.jpg").status_code == 404
        assert "Tambopata" not in client.get("/projects").text
        assert "Bring back" in client.get("/projects/archived").text
    with farm.client(farm.annotator) as client:
        assert "Tambopata" not in client.get("/projects/archived").text
        assert client.get(f"{farm.here}/label").status_code == 404
    with farm.client() as client:
        deletion = farm.deletion()
        client.post(f"{farm.here}/keeping/deletions/{deletion.id}/take-back")
        assert client.get(farm.here).status_code == 200


def test_an_erased_photo_is_gone_at_once_and_is_not_taken_again(site: Site) -> None:
    farm = Farm(site)
    with site.database.reading() as session:
        sha256 = session.get_one(Image, farm.image_id).sha256
    store = site.store
    for path in (store.thumbnail(sha256), store.preview(sha256), store.crop(sha256, farm.box_id)):
        store.write_cheaply(path, b"\xff\xd8\xff small")
    with farm.client(farm.annotator) as client:
        assert client.get(f"/photos/{farm.image_id}/erase").status_code == 403
        assert client.post(f"/photos/{farm.image_id}/erase").status_code == 403
    with farm.client() as client:
        assert "Erase this photo" in client.get(f"/photos/{farm.image_id}/erase").text
        assert store.original(sha256).is_file()  # asking changes nothing
        assert client.post(f"/photos/{farm.image_id}/erase").status_code == 303
        paths = (store.original(sha256), store.thumbnail(sha256), store.preview(sha256), store.crops(sha256))
        until(lambda: not any(path.exists() for path in paths))  # right behind the answer
        assert client.get(f"/images/{farm.image_id}/preview.jpg").status_code == 404
        assert client.post(f"/photos/{farm.image_id}/erase").status_code == 404
        assert "Erased a photo on request" in client.get(f"{farm.here}/settings").text
        sent = client.put(f"{farm.here}/batches/{farm.batch_id}/files?path=B/again.jpg", content=PHOTO + b"\1")
        assert sent.json()["state"] == "refused" and "erased on" in sent.json()["reason"]
    assert not store.original(sha256).exists()
    with site.database.reading() as session:
        assert session.get_one(Image, farm.image_id).state == "erased"
        assert session.get_one(Box, farm.box_id).deleted_at is not None
        assert session.scalars(select(BatchFile).where(BatchFile.path == "B/again.jpg")).one().image_id is None


def test_a_photo_that_another_project_has_is_erased_there_only_when_asked(sqlite_site: Site) -> None:
    farm, other = Farm(sqlite_site), Farm(sqlite_site, "Other")
    with sqlite_site.database.reading() as session:
        sha256 = session.get_one(Image, farm.image_id).sha256
        assert session.get_one(Image, other.image_id).sha256 == sha256
    with farm.client() as client:
        asked = client.get(f"/photos/{farm.image_id}/erase").text
        assert "1 other project has the same photo. Its file stays" in asked
        assert client.post(f"/photos/{farm.image_id}/erase", data={"everywhere": "1"}).status_code == 403
        assert client.post(f"/photos/{farm.image_id}/erase").status_code == 303
    time.sleep(0.3)
    assert sqlite_site.store.original(sha256).is_file()
    with other.client() as client:
        assert client.post(f"/photos/{other.image_id}/erase").status_code == 303
    until(lambda: not sqlite_site.store.original(sha256).exists())


def test_the_button_beside_show_leads_to_the_question(sqlite_site: Site) -> None:
    farm = Farm(sqlite_site)
    with farm.client() as client:
        asked = client.post(f"/images/{farm.image_id}/open", data={"erase": "1"})
        assert asked.headers["location"] == f"/photos/{farm.image_id}/erase"
        assert sqlite_site.store.has(sha256_of(farm))


def sha256_of(farm: Farm) -> str:
    with farm.site.database.reading() as session:
        return session.get_one(Image, farm.image_id).sha256
