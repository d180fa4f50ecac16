"""What scripts write: answers, batches, species, members, settings. The rules are those of the pages."""

from __future__ import annotations

import csv
import hashlib
import io
import threading
from collections import Counter

import httpx
import pytest
from sqlalchemy import func, select

from models.audit import AuditEntry
from models.batch import Batch
from models.job import Job
from models.label import Label
from models.membership import Role
from models.queue import ask
from models.round import Pick
from tests import make
from tests.app.api.study import Study, client_of, key, study_on, token_of
from tests.conftest import Site

JSON = {"content-type": "application/json"}
PHOTO = (
    bytes.fromhex("ffd8ffe000104a46494600010100000100010000")
    + b"not a whole photo, but one by its first bytes"
    + b"\xff\xd9"
)


def labels_of(study: Study) -> list[tuple[int, int, int | None]]:
    """(box, person, species) of every row."""
    wanted = select(Label.box_id, Label.user_id, Label.species_id).where(Label.project_id == study.project_id)
    with study.site.database.reading() as session:
        return [tuple(row) for row in session.execute(wanted.order_by(Label.id))]


def test_an_own_client_takes_crops_answers_takes_back_and_says_again(study: Study) -> None:
    with study.calling("annotator") as client:
        desk = client.post(f"{study.here}/leases", json={"count": 2}).json()
        crop = desk["crops"][0]
        assert (len(desk["crops"]), crop["box"]["id"], crop["photo"]["id"]) == (2, study.boxes[0], study.photos[0])
        said = {
            "species": "Ocelot",
            "idempotency_key": key(),
            "lease_token": crop["lease_token"],
            "pick_id": crop["pick_id"],
        }
        first = client.post(f"/boxes/{study.boxes[0]}/labels", json=said)
        assert first.status_code == 200, first.text
        assert (first.json()["species_id"], first.json()["round"]["done"]) == (study.species["Ocelot"], 1)
        history = client.get(f"/boxes/{study.boxes[0]}/labels").json()["items"]
        assert [(row["kind"], row["species_id"]) for row in history] == [("answer", study.species["Ocelot"])]
        assert client.post(f"{study.here}/undo", json={"idempotency_key": key()}).json()["kind"] == "undo"
        assert client.get(f"/boxes/{study.boxes[0]}").json()["species_id"] is None
        assert client.post(f"{study.here}/redo", json={"idempotency_key": key()}).json()["nothing"] is False
        assert client.get(f"/boxes/{study.boxes[0]}").json()["species_id"] == study.species["Ocelot"]
        again = client.post(f"{study.here}/leases", json={"have": [desk["crops"][1]["pick_id"]]}).json()
        assert desk["crops"][1]["pick_id"] in again["on_hand"]
        assert desk["crops"][1]["pick_id"] not in [each["pick_id"] for each in again["crops"]]
        skipped = client.post(f"/boxes/{study.boxes[1]}/skip", json={"idempotency_key": key()}).json()
        assert skipped["kind"] == "skip"


def test_the_same_key_is_one_answer_and_another_body_is_refused(study: Study) -> None:
    said = {"species": study.species["Jaguar"], "idempotency_key": key()}
    with study.calling("annotator") as client:
        address = f"/boxes/{study.boxes[0]}/labels"
        first, second = client.post(address, json=said), client.post(address, json=said)
        other = client.post(address, json=said | {"species": study.species["Ocelot"]})
    assert first.json() == second.json()
    assert (other.status_code, other.json()["code"], other.json()["field"]) == (422, "key_reused", "idempotency_key")
    assert len(labels_of(study)) == 1


def test_many_boxes_are_named_as_one_act_or_not_at_all(study: Study) -> None:
    names = [{"box_id": box_id, "species_id": study.species["Jaguar"]} for box_id in study.boxes]
    with study.calling("expert") as client:
        bad = [*names, {"box_id": 2**31 - 1, "species_id": study.species["Jaguar"]}]
        assert client.post(f"{study.here}/labels", json={"answers": bad, "idempotency_key": key()}).status_code == 422
        assert labels_of(study) == []
        done = client.post(f"{study.here}/labels", json={"answers": names, "idempotency_key": key()}).json()
    assert done["boxes"] == study.boxes
    assert len(labels_of(study)) == len(study.boxes)


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "idempotency_key"), ({"species": "Unicorn"}, "species"), ({"species": "Ocelot", "sex": "both"}, "sex"),
     ({"species": "Ocelot", "count": -1}, "count"), ({"species": "Ocelot", "by": 3}, "by"), ({"species": True}, "species")],
)  # fmt: skip
def test_an_answer_that_makes_no_sense_names_its_field(
    sqlite_study: Study, body: dict[str, object], field: str
) -> None:
    sent = body | ({"idempotency_key": key()} if body else {"species": "Ocelot"})
    with sqlite_study.calling("annotator") as client:
        answer = client.post(f"/boxes/{sqlite_study.boxes[0]}/labels", json=sent)
    assert answer.status_code == 422
    assert answer.json()["field"].split(".")[0] == field
    assert labels_of(sqlite_study) == []


def test_twenty_scripts_at_once_lose_no_answer_and_say_none_twice(house: Site) -> None:
    study = study_on(house, photos=200)
    with house.database.writing() as session:
        people = [make.user(session) for _ in range(20)]
        for person in people:
            make.Membership.grant(session, study.project_id, person.id, Role.annotator)
        tokens = [token_of(session, person) for person in people]
    refused: list[str] = []

    def work(token: str) -> None:
        with client_of(house, token) as client:
            while True:
                crops = client.post(f"{study.here}/leases", json={"count": 5}).json()["crops"]
                if not crops:
                    return
                for crop in crops:
                    said = {"species": "Ocelot", "idempotency_key": key(), "lease_token": crop["lease_token"]}
                    for _again in range(2):  # as after an answer that was lost on its way
                        answer = client.post(f"/boxes/{crop['box']['id']}/labels", json=said)
                        if answer.status_code != 200:
                            refused.append(answer.text)

    threads = [threading.Thread(target=work, args=(token,)) for token in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert refused == []
    assert Counter(box_id for box_id, _who, _species in labels_of(study)) == dict.fromkeys(study.boxes, 1)
    with house.database.reading() as session:
        answered = session.scalar(select(func.count()).where(Pick.round_id == study.round_id, Pick.state == "answered"))
    assert answered == 200


def test_a_folder_is_uploaded_goes_on_and_is_finished(study: Study) -> None:
    other = PHOTO + b"another"
    with study.calling("admin", "upload", "read") as client:
        new = {"name": "March", "idempotency_key": key(), "files": 2, "bytes": len(PHOTO) + len(other)}
        batch = client.post(f"{study.here}/batches", json=new)
        assert batch.status_code == 201, batch.text
        here = f"{study.here}/batches/{batch.json()['id']}"
        first = client.put(f"{here}/files", params={"path": "Camera C/1.jpg"}, content=PHOTO)
        assert (first.status_code, first.json()["state"]) == (200, "here"), first.text
        sizes = {"Camera C/1.jpg": len(PHOTO), "Camera C/2.jpg": len(other)}
        files = [{"path": path, "size": size} for path, size in sizes.items()]
        missing = client.post(f"{here}/missing", json={"files": files}).json()
        assert (missing["needed"], missing["known"]) == (["Camera C/2.jpg"], 1)
        digest = hashlib.sha256(PHOTO).hexdigest()
        headers = {"x-content-sha256": digest}
        wrong = client.put(f"{here}/files", params={"path": "Camera C/2.jpg"}, content=other, headers=headers)
        assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid")
        text = client.put(f"{here}/files", params={"path": "Camera C/notes.txt"}, content=b"no photo at all")
        assert (text.status_code, text.json()["code"]) == (422, "not_a_photo")
        away = client.put(f"{here}/files", params={"path": "../../etc/passwd"}, content=PHOTO)
        assert (away.status_code, away.json()["field"]) == (422, "path")
        client.put(f"{here}/files", params={"path": "Camera C/2.jpg"}, content=other)
        client.put(f"{here}/files", params={"path": "Camera D/same.jpg"}, content=PHOTO)
        told = client.get(here).json()
        assert (told["here"], told["duplicates"], told["refused"], told["announced"]) == (2, 1, 1, 2)
        refused = client.get(f"{here}/files", params={"state": "refused"}).json()["items"]
        assert [each["path"] for each in refused] == ["Camera C/notes.txt"]
        job_id = client.post(f"{here}/finish").json()["job_id"]
        assert client.get(f"{study.here}/jobs/{job_id}").json()["kind"] == "ingest"
        assert client.post(f"{study.here}/jobs/{job_id}/cancel").status_code == 403  # another scope


def test_a_job_is_stopped_and_that_is_noted(study: Study) -> None:
    with study.site.database.writing() as session:
        job_id = ask(session, "ingest", study.project_id, {"batch_id": study.batch_id}, total=5).id
    with study.calling("admin") as client:
        assert client.post(f"{study.here}/jobs/{job_id}/cancel").json()["state"] == "cancelled"
        first = client.get(f"{study.here}/jobs", params={"limit": 1}).json()
        rest = client.get(f"{study.here}/jobs", params={"limit": 5, "after": first["next"]}).json()
    assert {each["id"] for each in first["items"]}.isdisjoint(each["id"] for each in rest["items"])
    with study.site.database.reading() as session:
        every = session.scalar(select(func.count()).where(Job.project_id == study.project_id))
        noted = session.scalars(select(AuditEntry).where(AuditEntry.project_id == study.project_id)).all()
    assert 1 + len(rest["items"]) == every
    assert [(entry.act, entry.user_id) for entry in noted] == [("job.stopped", study.people["admin"])]


def test_tables_are_those_of_the_page(study: Study) -> None:
    with study.calling("viewer", "export", "read") as client:
        tables = {each["name"]: each for each in client.get(f"{study.here}/exports").json()["items"]}
        answer = client.get(f"{study.here}/exports/counts.csv")
        assert client.get(f"{study.here}/exports/passwords.csv").status_code == 404
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert list(rows[0]) == [column["name"] for column in tables["counts.csv"]["columns"]]
    assert answer.headers["content-type"].startswith("text/csv")
    assert [row["count"] for row in rows] == ["1"] * 6


def test_settings_change_against_the_version_that_was_read(study: Study) -> None:
    with study.calling("admin") as client:
        here = f"{study.here}/settings"
        tag = client.get(here).headers["etag"]
        assert client.patch(here, json={"round_size": 50}).status_code == 428
        both = {"round_size": 50, "target": 0.9, "asks_sex": True, "behaviours": ["eating", "resting"]}
        done = client.patch(here, json=both, headers={"if-match": tag})
        assert done.status_code == 200, done.text
        assert {name: done.json()[name] for name in both} == both
        late = client.patch(here, json={"round_size": 60}, headers={"if-match": tag})
        assert (late.status_code, late.json()["code"]) == (412, "changed")
        tag = done.headers["etag"]
        half = client.patch(here, json={"round_size": 70, "target": 0.1}, headers={"if-match": tag})
        assert (half.status_code, half.json()["field"]) == (422, "target")
        now = client.get(here)
        assert (now.json()["round_size"], now.headers["etag"]) == (50, tag)
    with study.site.database.reading() as session:
        acts = session.scalars(select(AuditEntry.act).where(AuditEntry.project_id == study.project_id)).all()
    assert acts == ["settings.rounds", "settings.goal", "settings.fields"]


def test_species_are_added_renamed_and_retired(study: Study) -> None:
    with study.calling("expert") as client:
        new = {"name": "Puma", "scientific_name": "Puma concolor", "idempotency_key": key()}
        first, second = (client.post(f"{study.here}/species", json=new) for _ in range(2))
        assert (first.status_code, first.json()) == (201, second.json())
        taken = client.post(f"{study.here}/species", json=new | {"idempotency_key": key()})
        assert (taken.status_code, taken.json()["field"]) == (422, "name")
        here = f"{study.here}/species/{first.json()['id']}"
        assert client.patch(here, json={"name": "Cougar"}).json()["scientific_name"] == "Puma concolor"
        assert client.patch(here, json={"retired": True}).json()["retired_at"].endswith("Z")
        assert client.patch(here, json={"retired": False, "hotkey": "W"}).json()["hotkey"] == "W"
        fixed = f"{study.here}/species/{study.species['person']}"
        assert client.patch(fixed, json={"name": "Ranger"}).status_code == 422


def test_members_come_change_and_go(study: Study) -> None:
    with study.calling("admin") as client, study.calling("viewer") as onlooker:
        new = {"email": "new.person@example.org", "name": "New Person", "role": "annotator", "idempotency_key": key()}
        added = client.post(f"{study.here}/members", json=new)
        assert added.status_code == 201, added.text
        assert f"{study.site.address}/join/" in added.json()["join_link"]
        here = f"{study.here}/members/{added.json()['user_id']}"
        assert client.patch(here, json={"role": "expert", "was": "viewer"}).status_code == 412
        assert client.patch(here, json={"role": "expert", "was": "annotator"}).json()["role"] == "expert"
        assert client.delete(here).status_code == 204
        assert client.delete(here).status_code == 404
        last = client.delete(f"{study.here}/members/{study.people['admin']}")
        assert (last.status_code, last.json()["code"]) == (409, "conflict")
        assert {each["email"] for each in onlooker.get(f"{study.here}/members").json()["items"]} == {None}


def test_an_administrator_starts_a_project_once(study: Study) -> None:
    new = {"name": f"Study {key()}", "species": ["Jaguar; Panthera onca", "Ocelot"], "idempotency_key": key()}
    with study.calling("site_admin") as client:
        first, second = (client.post("/projects", json=new) for _ in range(2))
        assert (first.status_code, first.json()["id"]) == (201, second.json()["id"])
        names = [each["name"] for each in client.get(f"/projects/{first.json()['id']}/species").json()["items"]]
        taken = client.post("/projects", json=new | {"idempotency_key": key()})
    assert names[-2:] == ["Jaguar", "Ocelot"]
    assert (taken.status_code, taken.json()["field"]) == (422, "name")


def test_a_body_that_is_too_large_or_no_json_is_a_problem(sqlite_study: Study) -> None:
    with sqlite_study.calling("admin") as client:
        address = f"{sqlite_study.here}/species"
        large = client.post(address, content=b'{"name": "' + b"x" * (2 << 20) + b'"}', headers=JSON)
        broken = client.post(address, content=b"{", headers=JSON)
        nameless = client.post(address, content=b"{}")
    assert (large.status_code, large.json()["code"]) == (413, "too_large")
    assert broken.status_code == nameless.status_code == 422
    with sqlite_study.site.database.reading() as session:
        assert (
            session.scalar(select(func.count()).select_from(Batch).where(Batch.project_id == sqlite_study.project_id))
            == 1
        )


def test_a_connection_that_breaks_keeps_nothing(sqlite_study: Study) -> None:
    with sqlite_study.calling("admin") as client:
        batch_id = client.post(f"{sqlite_study.here}/batches", json={"name": "cut", "idempotency_key": key()}).json()[
            "id"
        ]
        here = f"{sqlite_study.here}/batches/{batch_id}/files"

        def torn():  # type: ignore[no-untyped-def]
            yield PHOTO[:20]
            raise OSError("the cable was pulled")

        with pytest.raises((OSError, httpx.HTTPError)):
            client.put(here, params={"path": "A/1.jpg"}, content=torn())
        assert client.get(here).json()["items"] == []
