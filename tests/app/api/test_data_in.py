"""Places, clocks, imports and checks through the API: what is sent, what is refused, and that nothing of it is lost."""

from __future__ import annotations

import datetime as dt

import httpx
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.projects.history import lines
from models.audit import AuditEntry
from models.base import utc_now
from models.batch import BatchFile
from models.box import Box
from models.deployment import Deployment
from models.event import EventCount
from models.image import Image
from models.imported import Import
from models.project import Project
from models.site import Site
from tests.app.api.study import Study, key
from tests.app.api.test_matrix import assert_problem

TABLE = "deployment,site,start,end,latitude,longitude\nCamera A,River,2026-03-01,2026-03-31,5.5,-59.2\nCamera B,,2026-13-01,,,\n"


def sent(client: httpx.Client, method: str, path: str, status: int = 200, **more: object) -> dict:
    answer = client.request(method, path, **more)
    assert answer.status_code == status, answer.text
    return answer.json()


def deployment(session: Session, study: Study, name: str) -> Deployment | None:
    here = Deployment.project_id == study.project_id, Deployment.name == name
    return session.scalars(select(Deployment).where(*here)).one_or_none()


def test_a_deployment_is_added_changed_and_keeps_what_is_left_out(study: Study) -> None:
    with study.calling("expert") as client:
        made = sent(
            client, "POST", f"{study.here}/deployments", 201,
            json={"name": "Camera Z", "site": "River", "latitude": 5.5, "longitude": -59, "starts_at": "2026-03-01T06:00:00"},
        )  # fmt: skip
        there = f"{study.here}/deployments/{made['id']}"
        problems = [{"kind": "knocked_down", "from_at": "2026-03-05T00:00:00", "to_at": "2026-03-06T00:00:00"}]
        changed = sent(
            client,
            "PATCH",
            there,
            headers={"if-match": f'"{made["version"]}"'},
            json={"camera": "7", "problems": problems},
        )
        assert (changed["camera"], changed["latitude"], changed["starts_at"]) == ("7", 5.5, "2026-03-01T06:00:00")
        assert [each["kind"] for each in changed["problems"]] == ["knocked_down"]
        cleared = sent(
            client,
            "PATCH",
            there,
            headers={"if-match": f'"{changed["version"]}"'},
            json={"latitude": None, "longitude": None},
        )
        assert (cleared["latitude"], cleared["camera"]) == (None, "7")
        old = client.patch(there, headers={"if-match": f'"{made["version"]}"'}, json={"camera": "8"})
        assert_problem(old, 412, "changed")
        assert_problem(client.patch(there, json={"camera": "8"}), 428, "version_missing")
        assert_problem(client.post(f"{study.here}/deployments", json={"name": "Camera Z"}), 409, "conflict")


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"latitude": 91, "longitude": 0}, "latitude"), ({"latitude": 5}, "longitude"), ({"zone": "Nowhere/None"}, "zone"),
        ({"starts_at": "2026-03-02T00:00:00", "ends_at": "2026-03-01T00:00:00"}, "ends_at"),
        ({"starts_at": "2026-03-02T00:00:00Z"}, "starts_at"), ({"id": 7}, "id"), ({"project_id": 2}, "project_id"),
    ],
)  # fmt: skip
def test_a_fact_that_makes_no_sense_is_refused_at_its_field_and_nothing_is_kept(
    sqlite_study: Study, said: dict, field: str
) -> None:
    study = sqlite_study
    with study.calling("expert") as client:
        answer = client.post(f"{study.here}/deployments", json={"name": "Camera Z"} | said)
    assert_problem(answer, 422, "invalid")
    assert answer.json()["field"] == field
    with study.site.database.reading() as session:
        assert deployment(session, study, "Camera Z") is None


def test_a_table_says_first_what_each_line_would_do_and_then_takes_the_good_ones(study: Study) -> None:
    with study.calling("expert") as client:
        dry = sent(client, "POST", f"{study.here}/deployments/table", json={"text": TABLE})
        assert [(each["line"], each["deployment"], each["is_new"]) for each in dry["lines"]] == [(2, "Camera A", False)]
        assert [(each["line"], each["field"]) for each in dry["bad"]] == [(3, "start")]
        assert (dry["new"], dry["changed"]) == (0, 0)
        with study.site.database.reading() as session:
            found = deployment(session, study, "Camera A")
            assert found is not None
            assert found.starts_at is None
        done = sent(client, "POST", f"{study.here}/deployments/table", json={"text": TABLE, "dry_run": False})
        assert (done["new"], done["changed"]) == (0, 1)
        again = sent(client, "POST", f"{study.here}/deployments/table", json={"text": TABLE, "dry_run": False})
        assert (again["new"], again["changed"]) == (0, 0)


def test_a_pattern_is_looked_at_applied_and_taken_back(study: Study) -> None:
    with study.calling("expert") as client:
        seen = sent(client, "GET", f"{study.here}/folders", params={"pattern": "{site}"})
        assert {each["site"] for each in seen["folders"]} == {"Camera A", "Camera B"}
        made = sent(client, "POST", f"{study.here}/folders", json={"pattern": "{site}"})
        assert made["pattern"] == "{site}"
        back = sent(client, "POST", f"{study.here}/folders/take-back", json={"pattern_id": made["id"]})
        assert back == {"id": None, "pattern": None}


def test_a_site_gets_coordinates_and_the_history_says_who_gave_them(study: Study) -> None:
    with study.calling("expert") as client:
        made = sent(
            client, "POST", f"{study.here}/sites", 201, json={"name": "River", "latitude": 5, "longitude": -59.5}
        )
        there = f"{study.here}/sites/{made['id']}"
        assert sent(client, "PATCH", there, json={"uncertainty_m": 30})["latitude"] == 5
        assert_problem(client.patch(there, json={"latitude": None}), 422, "invalid")
        assert_problem(client.post(f"{study.here}/sites", json={"name": "River"}), 409, "conflict")
    with study.site.database.reading() as session:
        site = session.get_one(Site, made["id"])
        assert (site.latitude, site.longitude, site.uncertainty_m) == (5, -59.5, 30)
        entries = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.act == "site.saved", AuditEntry.project_id == study.project_id)
            .order_by(AuditEntry.id)
        ).all()
        assert [entry.details["changes"] for entry in entries][1] == {"uncertainty_m": [None, 30]}
        assert {entry.user_id for entry in entries} == {study.people["expert"]}
        (name,) = {line.who for line in lines(list(entries))}
        assert name.endswith(", token a script")


def test_a_clock_is_looked_at_corrected_and_set_back(study: Study) -> None:
    there = f"{study.here}/deployments/{study.others['deployment_id']}"
    shift = {"way": "shift", "shown_1": "2026-03-01 06:00:00", "true_1": "2026-03-01 07:00:00"}
    with study.calling("expert") as client:
        seen = sent(client, "POST", f"{there}/corrections/preview", json=shift)
        assert (seen["photos"], seen["refused"]) == (3, 0)
        assert (seen["examples"][0]["now"], seen["examples"][0]["then"]) == (
            "2026-03-01T06:00:00",
            "2026-03-01T07:00:00",
        )
        assert taken(study) == dt.datetime(2026, 3, 1, 6)
        made = sent(client, "POST", f"{there}/corrections", 201, json=shift)
        assert taken(study) == dt.datetime(2026, 3, 1, 7)
        assert_problem(client.post(f"{there}/corrections", json=shift), 409, "conflict")
        for _ in range(2):
            back = sent(client, "POST", f"{there}/corrections/{made['id']}/take-back")
            assert back["taken_back_at"]
        assert taken(study) == dt.datetime(2026, 3, 1, 6)
        assert [each["kind"] for each in sent(client, "GET", f"{there}/corrections")["items"]] == ["shift", "shift"]
        assert_problem(client.post(f"{there}/corrections", json={"way": "shift", "shown_1": "noon"}), 422, "invalid")


def taken(study: Study) -> dt.datetime | None:
    with study.site.database.reading() as session:
        return session.get_one(Image, study.photos[0]).taken_at


def test_a_finding_is_dismissed_and_stays_away(study: Study) -> None:
    with study.calling("expert") as client:
        (found,) = sent(client, "GET", f"{study.here}/clock-findings")["items"]
        assert "later than now" in found["words"]
        there = f"{study.here}/deployments/{found['deployment_id']}/findings/{found['id']}"
        assert_problem(client.post(f"{there}/mend"), 422, "invalid")
        sent(client, "POST", f"{there}/dismiss")
        assert sent(client, "GET", f"{study.here}/clock-findings")["items"] == []


def test_a_file_is_sent_judged_row_by_row_and_asked_for(study: Study) -> None:
    lines = (
        "file,species,count",
        "Camera A/IMG_0000.JPG,Ocelot,1",
        "Camera A/no.JPG,Ocelot,1",
        "Camera B/IMG_0001.JPG,Puma,many",
    )
    content = {"files": ("labels.csv", "\n".join(lines).encode())}
    with study.site.database.writing() as session:
        photo = session.get_one(Image, study.photos[0])
        here = {"batch_id": study.batch_id, "path": photo.path, "sha256": photo.sha256, "image_id": photo.id}
        session.add(BatchFile(size=1, state="here", **here))
    with study.calling() as client:
        asks = sent(
            client,
            "POST",
            f"{study.here}/imports",
            201,
            files=content,
            data={"format": "csv"},
        )
        assert asks["state"] == "asks"
        columns = {"file": "file", "species": "species", "count": "count"}
        there = f"{study.here}/imports/{asks['id']}"
        read = sent(client, "POST", f"{there}/read", json={"columns": columns, "delimiter": ",", "encoding": "utf-8"})
        assert (read["state"], read["rows"]) == ("checked", {"bad": 1, "good": 1, "known": 1, "lacking": 2}), read[
            "rows"
        ]
        (bad,) = sent(client, "GET", f"{there}/rows", params={"verdict": "bad"})["items"]
        assert (bad["place"], bad["field"]) == ("line 4", "count")
        first = sent(client, "GET", f"{there}/rows", params={"limit": 1})
        assert len(first["items"]) == 1
        assert (
            sent(client, "GET", f"{there}/rows", params={"limit": 1, "after": first["next"]})["items"][0]["number"] == 2
        )
        took = sent(client, "POST", f"{there}/take")
        assert took["state"] == "taking"
        assert took["job_id"]
        assert_problem(client.post(f"{there}/take"), 409, "conflict")
        assert_problem(client.post(f"{there}/take-back"), 409, "conflict")
        assert asks["id"] in [each["id"] for each in sent(client, "GET", f"{study.here}/imports")["items"]]


@pytest.mark.parametrize(
    "data", [{"format": "xlsx"}, {"said_by": "nobody"}, {"absent": "perhaps"}, {"strip_prefix": "\0"}]
)
def test_a_file_with_odd_fields_beside_it_is_refused(sqlite_study: Study, data: dict) -> None:
    with sqlite_study.calling() as client:
        answer = client.post(f"{sqlite_study.here}/imports", files={"files": ("a.csv", b"file\n")}, data=data)
        assert_problem(answer, 422, "invalid")
        assert_problem(client.post(f"{sqlite_study.here}/imports", json={}), 422, "invalid")


def test_the_bytes_of_a_stranger_are_not_read(sqlite_study: Study) -> None:
    with sqlite_study.calling("stranger") as client:
        answer = client.post(f"{sqlite_study.here}/imports", files={"files": ("a.csv", b"file\n" * 100_000)})
        assert_problem(answer, 404, "not_found")
    with sqlite_study.site.database.reading() as session:
        here = select(Import.id).where(Import.project_id == sqlite_study.project_id)
        assert list(session.scalars(here)) == [sqlite_study.others["import_id"]]


def test_a_static_group_is_decided_once_for_all_and_opened_again(study: Study) -> None:
    with study.calling("annotator") as client:
        (group,) = sent(client, "GET", f"{study.here}/static-groups")["items"]
        there = f"{study.here}/static-groups/{group['id']}"
        said = {"verdict": "not_animal", "idempotency_key": key()}
        bad = client.post(there, json={"verdict": "stone", "idempotency_key": key()})
        assert_problem(bad, 422, "invalid")
        words = bad.json()["detail"].rsplit("one of ", 1)[1].split(", ")
        said["verdict"] = words[0]
        for _ in range(2):
            assert sent(client, "POST", there, json=said)["verdict"] == words[0]
        assert sent(client, "GET", f"{study.here}/static-groups")["items"] == []
        labels = sent(client, "GET", f"/boxes/{study.boxes[0]}/labels")["items"]
        assert [each["species_id"] for each in labels] == [study.species["not_animal"]]
        assert sent(client, "POST", f"{there}/undo", json={"idempotency_key": key()})["verdict"] == ""


def test_photos_that_count_as_empty_are_drawn_looked_at_and_taken_back(study: Study) -> None:
    with study.site.database.writing() as session:
        session.execute(update(Box).where(Box.id.in_(study.boxes[:2])).values(score=0.06))
    with study.calling("annotator") as client:
        drawn = sent(client, "POST", f"{study.here}/empties/sample")
        assert (drawn["size"], drawn["looked"], drawn["low"]) == (2, 0, None)
        photo = drawn["next_photo_id"]
        said = {"verdict": "empty", "idempotency_key": key()}
        for _ in range(2):
            assert sent(client, "POST", f"/photos/{photo}/empty-check", json=said)["verdict"] == "empty"
        looked = sent(client, "GET", f"{study.here}/empties")
        assert (looked["looked"], looked["animals"]) == (1, 0)
        assert looked["next_photo_id"] != photo
        assert sent(client, "POST", f"{study.here}/empties/undo")["looked"] == 0


def test_a_visit_is_counted_and_older_figures_stay(study: Study) -> None:
    there = f"{study.here}/events/{study.others['event_id']}/count"
    with study.calling("annotator") as client:
        for count, unseen in ((3, 0), (4, 1)):
            told = sent(client, "POST", there, json={"count": count, "unseen": unseen, "idempotency_key": key()})
            assert (told["count"], told["unseen"]) == (count, unseen)
        assert_problem(client.post(there, json={"count": -1, "idempotency_key": key()}), 422, "invalid")
    with study.site.database.reading() as session:
        assert [
            each.count
            for each in session.scalars(
                select(EventCount).where(EventCount.project_id == study.project_id).order_by(EventCount.id)
            )
        ] == [3, 4]


def test_flags_and_comments_stand_beside_a_box(study: Study) -> None:
    there = f"/boxes/{study.boxes[0]}"
    with study.calling("annotator") as client:
        sent(client, "POST", f"{there}/flag", json={"idempotency_key": key()})
        said = {"text": "  two  heads? ", "idempotency_key": key()}
        for _ in range(2):
            notes = sent(client, "POST", f"{there}/comments", json=said)["items"]
        assert [(each["kind"], each["text"]) for each in notes] == [("flag", ""), ("comment", "two heads?")]
        assert sent(client, "GET", f"{there}/notes")["items"] == notes
        used = client.post(f"{there}/comments", json=said | {"text": "other"})
        assert_problem(used, 422, "key_reused")


def test_in_an_archived_project_nothing_changes_through_the_api(study: Study) -> None:
    with study.site.database.writing() as session:
        session.get_one(Project, study.project_id).archived_at = utc_now()
    with study.calling() as client:
        for path, body in (
            (f"{study.here}/deployments", {"name": "Camera Z"}), (f"{study.here}/sites", {"name": "River"}),
            (f"/boxes/{study.boxes[0]}/labels", {"species": "Ocelot", "idempotency_key": key()}),
            (f"/boxes/{study.boxes[0]}/flag", {"idempotency_key": key()}),
            (f"{study.here}/species", {"name": "Puma", "idempotency_key": key()}),
            (f"/photos/{study.photos[0]}/empty-check", {"verdict": "empty", "idempotency_key": key()}),
        ):  # fmt: skip
            answer = client.post(path, json=body)
            assert_problem(answer, 409, "conflict")
            assert "archived" in answer.json()["detail"]
        answer = client.post(f"{study.here}/imports", files={"files": ("a.csv", b"file\n")})
        assert_problem(answer, 409, "conflict")
        assert client.get(f"{study.here}/species").status_code == 200
