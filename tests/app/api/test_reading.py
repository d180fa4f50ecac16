"""What scripts read: every list and every single thing, in the shapes that the document promises."""

from __future__ import annotations

import datetime as dt

import pytest

from models.box import Box
from models.estimate import Estimate
from models.image import Image
from tests import make
from tests.app.api.study import Study, key

LISTS = (
    "members", "batches", "photos", "boxes", "rounds", "species", "deployments", "sites", "events", "jobs", "exports",
    "learning-curve",
)  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_every_list_has_items_and_a_next(study: Study, name: str) -> None:
    with study.calling("viewer") as client:
        answer = client.get(f"{study.here}/{name}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["next"] is None
    assert len(answer.json()["items"]) > 0 or name == "learning-curve"


def test_me_says_whose_token_it_is(study: Study) -> None:
    with study.calling("viewer", "label") as client:
        me = client.get("/me").json()
    assert (me["user_id"], me["scopes"], me["token"]) == (study.people["viewer"], ["label"], "a script")


def test_projects_are_those_of_the_person(study: Study) -> None:
    with study.calling("expert") as client:
        items = client.get("/projects").json()["items"]
        one = client.get(study.here)
    assert [item["id"] for item in items] == [study.project_id]
    assert (one.json()["role"], one.json()["photos"], one.headers["etag"]) == ("expert", 6, '"1"')


def test_a_photo_tells_its_boxes_and_both_clocks(study: Study) -> None:
    with study.calling("viewer") as client:
        photo = client.get(f"/photos/{study.photos[0]}").json()
    assert (photo["captured_at"], photo["taken_at"], photo["zone"]) == (
        "2026-03-01T06:00:00",
        "2026-03-01T06:00:00",
        "UTC",
    )
    assert photo["created_at"].endswith("Z")
    assert [box["id"] for box in photo["boxes"]] == [study.boxes[0]]
    assert photo["boxes"][0]["box"] == [0.2, 0.3, 0.6, 0.8]
    assert photo["preview"] == f"/api/v1/photos/{study.photos[0]}/preview.jpg"


@pytest.mark.parametrize(
    "query",
    ["", "state=ready", "batch={batch}", "deployment={camera}", "since=2026-03-01T06:01:00", "until=2026-03-01T06:03:00",
     "deployment={camera}&since=2026-03-01T06:00:30&state=ready"],
)  # fmt: skip
def test_photos_page_without_a_gap_or_a_repetition(study: Study, query: str) -> None:
    with study.site.database.reading() as session:
        camera = session.get_one(Image, study.photos[1]).deployment_id
    query = query.format(batch=study.batch_id, camera=camera)
    with study.calling("viewer") as client:
        whole = client.get(f"{study.here}/photos?{query}").json()["items"]
        pages, after = [], ""
        while True:
            page = client.get(
                f"{study.here}/photos?{query}", params={"limit": 1, "after": after} | dict_of(query)
            ).json()
            pages += page["items"]
            after = page["next"]
            if after is None:
                break
    assert [each["id"] for each in pages] == [each["id"] for each in whole]
    assert len({each["id"] for each in whole}) == len(whole) > 0


def dict_of(query: str) -> dict[str, str]:
    """The parameters of a query."""
    return dict(part.split("=") for part in query.split("&")) if query else {}


def test_photos_of_a_camera_come_by_its_clock_and_those_without_a_time_last(study: Study) -> None:
    with study.site.database.reading() as session:
        camera = session.get_one(Image, study.photos[-1]).deployment_id
    with study.calling("viewer") as client:
        items = client.get(f"{study.here}/photos", params={"deployment": camera}).json()["items"]
    assert [item["id"] for item in items] == [study.photos[1], study.photos[3], study.photos[5]]
    assert items[-1]["taken_at"] is None


def test_boxes_filter_by_name_state_and_score(study: Study) -> None:
    with study.calling("expert") as client:
        for box_id in study.boxes[:3]:
            said = {"species": "Ocelot", "idempotency_key": key()}
            assert client.post(f"/boxes/{box_id}/labels", json=said).status_code == 200
        ids = lambda **query: [box["id"] for box in client.get(f"{study.here}/boxes", params=query).json()["items"]]  # noqa: E731
        assert ids(species=study.species["Ocelot"]) == study.boxes[:3]
        assert ids(state="named") == study.boxes[:3]
        assert ids(state="unnamed") == study.boxes[3:]
        assert ids(score=0.9465) == study.boxes[:4]
        first = client.get(f"{study.here}/boxes", params={"state": "named", "limit": 2}).json()
        assert ids(state="named", limit=2, after=first["next"]) == study.boxes[2:3]


def test_deleted_boxes_are_not_there_and_moved_ones_lead_to_their_place(study: Study) -> None:
    with study.site.database.writing() as session:
        gone, moved, new = (session.get_one(Box, each) for each in study.boxes[:3])
        gone.deleted_at = moved.deleted_at = dt.datetime.now(dt.UTC)
        moved.replaced_by_id = new.id
    with study.calling("viewer") as client:
        listed = [box["id"] for box in client.get(f"{study.here}/boxes").json()["items"]]
        assert listed == study.boxes[2:]
        assert client.get(f"/boxes/{study.boxes[0]}").status_code == 404
        assert client.get(f"/boxes/{study.boxes[1]}").json()["id"] == study.boxes[2]
        assert client.get(f"/photos/{study.photos[0]}").json()["boxes"] == []


def test_the_learning_curve_has_no_infinity(study: Study) -> None:
    with study.site.database.writing() as session:
        checkpoint = make.embedder(session).id
        session.add(
            Estimate(
                project_id=study.project_id, round_number=1, look=1, planned=9, classifier_id=checkpoint, labels=100, audited=40,
                rest=500, estimate=0.9, low=0.8, high=0.95, always_low=0.7, always_high=0.97, target=0.95, more=float("inf"),
                more_low=10.0, more_high=float("inf"),
            )
        )  # fmt: skip
    with study.calling("viewer") as client:
        look = client.get(f"{study.here}/learning-curve").json()["items"][0]
        told = client.get(f"{study.here}/estimate").json()
        figures = client.get(f"{study.here}/figures").json()
    assert (look["more"], look["more_low"], look["estimate"]) == (None, 10.0, 0.9)
    assert told["says"] and told["verdict"].startswith("Go on") and not told["reaches_target"]
    assert (figures["photos"], figures["cameras"]) == (6, 2)


def test_an_address_or_a_method_that_there_is_not_is_a_problem(study: Study) -> None:
    with study.calling() as client:
        for method, path, status in (
            ("GET", "/nowhere", 404),
            ("DELETE", "/projects", 405),
            ("GET", "/projects/abc", 404),
        ):
            answer = client.request(method, path)
            assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
            assert answer.json()["status"] == status


def test_a_wrong_cursor_and_a_zoned_clock_name_their_field(study: Study) -> None:
    with study.calling() as client:
        for query in ({"after": "nonsense"}, {"since": "2026-03-01T06:00:00Z"}, {"limit": 0}, {"limit": 1001}):
            answer = client.get(f"{study.here}/photos", params=query)
            assert (answer.status_code, answer.json()["field"]) == (422, next(iter(query)))
