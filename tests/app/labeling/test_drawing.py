"""Boxes moved, added and deleted: what counts follows, what was said stays with the animal, and undo puts everything back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.exports.queries import boxes_of as exported_boxes
from app.projects.overview_queries import figures
from app.projects.settings_queries import price
from app.species.queries import rows as species_rows
from models.box import Box
from models.invariants import settled_names
from models.job import Job
from models.label import Label
from models.membership import Role
from models.note import Note
from models.project import Project
from models.round import Pick
from tests.app.labeling.conftest import Person, Study, new_key

MakeStudy = Callable[..., Study]
HERE, THERE = [0.1, 0.2, 0.3, 0.4], [0.5, 0.5, 0.9, 0.75]


def draw(person: Person, box_id: int, key: str = "", **body: Any) -> httpx.Response:
    """An act of drawing. moved: box id -> corners."""
    moved = [{"box_id": each, "corners": corners} for each, corners in body.pop("moved", {}).items()]
    sent = {"idempotency_key": key or new_key(), "moved": moved, **body}
    return person.client.post(f"/boxes/{box_id}/drawing", json=sent)


def drew(person: Person, box_id: int, **body: Any) -> dict[str, Any]:
    """The same, which must go well."""
    answer = draw(person, box_id, **body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def boxes(study: Study) -> dict[int, list[float]]:
    """The standing boxes of the project and where they lie."""
    standing = select(Box).where(Box.project_id == study.project_id, Box.deleted_at.is_(None)).order_by(Box.id)
    with study.site.database.reading() as session:
        return {box.id: [box.x_min, box.y_min, box.x_max, box.y_max] for box in session.scalars(standing)}


def row(study: Study, box_id: int) -> Box:
    """A box as it is."""
    with study.site.database.reading() as session:
        return session.get_one(Box, box_id)


def cuts(study: Study) -> list[list[int]]:
    """The boxes of each job that cuts drawn ones out."""
    asked = select(Job.arguments).where(Job.project_id == study.project_id, Job.kind == "cut").order_by(Job.asked_at)
    with study.site.database.reading() as session:
        return [arguments["boxes"] for arguments in session.scalars(asked)]


def counted(study: Study) -> tuple[int, int, int]:
    """(boxes that count, named by people, boxes of an export)."""
    with study.site.database.reading() as session:
        project = session.get_one(Project, study.project_id)
        photos = list(session.scalars(select(Box.image_id).where(Box.project_id == project.id).distinct()))
        shown = figures(session, project)
        return shown.boxes, shown.people, len(session.execute(exported_boxes(project, photos)).all())


def listed(study: Study) -> tuple[dict[str, int], int]:
    """(answers of the species page for Ocelot, boxes that the settings page counts at the lowest threshold)."""
    with study.site.database.reading() as session:
        answers = {each.species.name: each.answers for each in species_rows(session, study.project_id)}
        return {"Ocelot": answers["Ocelot"]}, price(session, session.get_one(Project, study.project_id))[0][1]


def agree(study: Study) -> bool:
    """Whether doctor finds the settled names right."""
    with study.site.database.reading() as session:
        return not list(settled_names(type("Scene", (), {"session": session})()))


def test_a_moved_box_takes_its_name_its_place_in_the_round_and_its_notes_along(make_study: MakeStudy) -> None:
    study = make_study(2)
    person, old = study.person(), study.boxes[0]
    crop = next(each for each in person.crops() if each["box_id"] == old)
    person.say(crop, study.species["Ocelot"])
    person.client.post(f"/boxes/{old}/flag", json={"idempotency_key": new_key()})
    told = drew(person, old, moved={old: HERE})
    (new,) = [now for was, now in told["drawn"]["moved"] if was == old]
    assert told["box_id"] == new and told["words"] == "1 box moved."
    assert boxes(study) == {study.boxes[1]: [0.2, 0.3, 0.6, 0.8], new: HERE}
    assert study.settled(new) == study.species["Ocelot"] and study.settled(old) is None
    assert row(study, new).ordinal == 1 and row(study, old).score == 0.95
    shown = next(each for each in told["crops"] if each["box_id"] == new)
    assert shown["box"] == HERE and shown["flagged"] and shown["said"]["species_id"] == study.species["Ocelot"]
    with study.site.database.reading() as session:
        for table in (Label, Pick, Note):
            assert session.scalar(select(table.id).where(table.box_id == new)) is not None
            assert session.scalar(select(table.id).where(table.box_id == old)) is None
    assert counted(study) == (2, 1, 2) and agree(study)


def test_the_vector_of_the_old_outline_is_not_the_new_ones(make_study: MakeStudy) -> None:
    study = make_study(1)
    person, old = study.person(), study.boxes[0]
    new = drew(person, old, moved={old: HERE})["box_id"]
    assert (row(study, new).vector_file, row(study, new).embedder_id) == (None, None)
    assert row(study, old).vector_file == "none" and cuts(study) == [[new]]


def test_undo_and_redo_of_a_move_know_the_same_two_boxes(make_study: MakeStudy) -> None:
    study = make_study(1)
    person, old = study.person(), study.boxes[0]
    new = drew(person, old, moved={old: HERE})["box_id"]
    person.say(person.crops()[0] | {"box_id": new}, study.species["Jaguar"])
    person.undo()
    back = person.undo()
    assert back["box_id"] == old and back["words"] == "1 box moved, taken back"
    assert back["drawn"]["moved"] == [[new, old]] and boxes(study) == {old: [0.2, 0.3, 0.6, 0.8]}
    assert row(study, old).ordinal == 1 and study.picks() == {"open": 1}
    again = person.redo()
    assert again["box_id"] == new and boxes(study) == {new: HERE}
    assert cuts(study) == [[new], [new]] and agree(study)


def test_an_added_box_counts_at_once_and_another_species_can_be_said_of_it(make_study: MakeStudy) -> None:
    study = make_study(1, count_above=0.99)
    person, first = study.person(), study.boxes[0]
    person.say(person.crops()[0], study.species["Ocelot"])
    told = drew(person, first, added=[THERE])
    (added,) = told["drawn"]["added"]
    crop = next(each for each in told["crops"] if each["box_id"] == added)
    assert (crop["number"], crop["of"], crop["box"], crop["drawn"]) == (2, 2, THERE, True)
    assert crop["picture"] == f"/images/{told['image_id']}/thumbnail.jpg"
    assert counted(study) == (2, 1, 2) and cuts(study) == [[added]]
    assert person.say(crop, study.species["Jaguar"]).status_code == 200
    assert (study.settled(first), study.settled(added)) == (study.species["Ocelot"], study.species["Jaguar"])
    assert counted(study) == (2, 2, 2)
    person.undo()
    person.undo()
    assert list(boxes(study)) == [first] and counted(study) == (1, 1, 1)
    person.redo()
    assert list(boxes(study)) == [first, added] and agree(study)


def test_a_deleted_box_counts_no_more_is_not_asked_and_comes_back(make_study: MakeStudy) -> None:
    study = make_study(3)
    person, gone = study.person(), study.boxes[0]
    person.say(person.crops()[0], study.species["Ocelot"])
    waiting = study.boxes[1]
    told = drew(person, waiting, deleted=[waiting])
    assert told["words"] == "1 box deleted." and told["round"]["done"] == 2
    drew(person, gone, deleted=[gone])
    assert list(boxes(study)) == [study.boxes[2]] and counted(study) == (1, 0, 1)
    assert study.picks() == {"answered": 1, "skipped": 1, "open": 1}
    assert [crop["box_id"] for crop in person.crops()] == [study.boxes[2]] and study.labels(gone)
    assert agree(study) and listed(study) == ({"Ocelot": 0}, 1)
    assert person.undo()["box_id"] == gone and study.settled(gone) == study.species["Ocelot"]
    assert person.undo()["crop"]["pick_id"] is not None and study.picks() == {"answered": 1, "open": 2}
    assert counted(study) == (3, 1, 3)
    person.redo()
    assert study.picks() == {"answered": 1, "skipped": 1, "open": 1} and waiting not in boxes(study)


def test_what_one_act_does_is_done_once_and_taken_back_as_one(make_study: MakeStudy) -> None:
    study = make_study(2, boxes_a_photo=2)
    person, (one, two), key = study.person(), study.boxes, new_key()
    before = boxes(study)
    body = {"moved": {one: HERE}, "added": [THERE], "deleted": [two]}
    first, second = (draw(person, one, key, **body).json() for _ in range(2))
    assert first["drawn"] == second["drawn"] and first["name"] == "1 box moved, 1 box added, 1 box deleted"
    assert sorted(boxes(study).values()) == sorted([HERE, THERE])
    assert person.undo()["name"] == first["name"] and boxes(study) == before


def test_who_draws_on_what_somebody_else_moved_is_told_so_and_nothing_is_changed(make_study: MakeStudy) -> None:
    study = make_study(2, boxes_a_photo=2)
    maria, jonas = study.person(name=f"Maria {new_key()}"), study.person()
    one, two = study.boxes
    new = drew(maria, one, moved={one: HERE})["box_id"]
    late = draw(jonas, two, moved={one: THERE}, deleted=[two])
    assert late.status_code == 412
    assert "Maria" in late.json()["error"] and "moved this box meanwhile" in late.json()["error"]
    assert boxes(study) == {two: [0.2, 0.3, 0.6, 0.8], new: HERE}
    now = jonas.client.get(f"/boxes/{two}/photo", params={"seen": [one, two]}).json()
    assert now["drawn"]["moved"] == [[one, new]] and {crop["box_id"] for crop in now["crops"]} == {two, new}
    assert drew(jonas, two, moved={new: THERE})["words"] == "1 box moved."
    words = maria.undo()["words"]
    assert "has worked on this box since" in words and THERE in boxes(study).values()


def test_an_answer_on_its_way_finds_the_moved_box(make_study: MakeStudy) -> None:
    study = make_study(2)
    maria, jonas = study.person(), study.person()
    crop, key = jonas.crops(1)[0], new_key()
    old = crop["box_id"]
    new = drew(maria, old, moved={old: HERE})["box_id"]
    assert jonas.say(crop, study.species["Jaguar"], key).json()["late"] is False
    assert study.settled(new) == study.species["Jaguar"] and study.picks() == {"answered": 1, "open": 1}
    drew(maria, new, moved={new: THERE})
    assert jonas.say(crop, study.species["Jaguar"], key).status_code == 200
    assert len(study.labels()) == 1
    assert jonas.undo()["words"] == "Jaguar, taken back" and study.picks() == {"open": 2}


def test_an_answer_to_a_box_that_was_deleted_meanwhile_stays_in_its_history(make_study: MakeStudy) -> None:
    study = make_study(2)
    maria, jonas = study.person(), study.person()
    crop = jonas.crops(1)[0]
    drew(maria, crop["box_id"], deleted=[crop["box_id"]])
    told = jonas.say(crop, study.species["Jaguar"]).json()
    assert told["gone"] and "deleted this box meanwhile" in told["words"]
    assert study.settled(crop["box_id"]) is None and len(study.labels()) == 1
    maria.undo()
    assert study.settled(crop["box_id"]) == study.species["Jaguar"] and agree(study)


def test_the_added_box_that_somebody_else_named_stays(make_study: MakeStudy) -> None:
    study = make_study(1)
    maria, jonas = study.person(), study.person(name=f"Jonas {new_key()}")
    told = drew(maria, study.boxes[0], added=[THERE])
    (added,) = told["drawn"]["added"]
    jonas.say({"box_id": added, "lease_token": "", "pick_id": None}, study.species["Jaguar"])
    assert maria.undo()["words"].startswith("Jonas") and added in boxes(study)
    assert study.settled(added) == study.species["Jaguar"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "nothing was drawn"),
        ({"added": [[0.1, 0.1, 0.1005, 0.9]]}, "each side is at least"),
        ({"added": [[0.9, 0.1, 0.2, 0.9]]}, "each side is at least"),
        ({"added": [[-0.1, 0.1, 0.2, 0.9]]}, "added"),
        ({"added": [[0.1, 0.1, 0.2, "0.9"]]}, "added"),
        ({"added": [[0.1, 0.1, 0.2]]}, "added"),
        ({"added": [HERE] * 101}, "added"),
        ({"deleted": [1, 1]}, "named twice"),
        ({"deleted": [999_999]}, "999999 is not in this photo"),
    ],
)
def test_what_makes_no_box_is_refused_and_named(make_sqlite_study: MakeStudy, body: Any, words: str) -> None:
    study = make_sqlite_study(1)
    person = study.person()
    refused = draw(person, study.boxes[0], **body)
    assert refused.status_code == 422 and words in refused.json()["error"]
    assert len(boxes(study)) == 1 and study.acts() == 0


def test_boxes_of_another_photo_are_not_in_reach(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(2)
    other = make_sqlite_study(1)
    person = study.person()
    for box_id in (study.boxes[1], other.boxes[0]):
        assert draw(person, study.boxes[0], deleted=[box_id]).status_code == 422
    assert draw(person, other.boxes[0], deleted=[other.boxes[0]]).status_code == 404
    viewer = study.person(Role.viewer)
    assert draw(viewer, study.boxes[0], deleted=[study.boxes[0]]).status_code == 403
    assert viewer.client.get(f"/boxes/{study.boxes[0]}/photo").status_code == 403
    assert len(boxes(study)) == 2 and len(boxes(other)) == 1


def test_a_photo_takes_only_so_many_boxes(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(1)
    person = study.person()
    drew(person, study.boxes[0], added=[HERE] * 100)
    assert "at most 100" in draw(person, study.boxes[0], added=[HERE]).json()["error"]


def test_two_people_who_move_one_box_at_once_leave_one_box(make_study: MakeStudy) -> None:
    study = make_study(1)
    people = [study.person() for _ in range(4)]
    codes: list[int] = []

    def move(person: Person) -> None:
        codes.append(draw(person, study.boxes[0], moved={study.boxes[0]: HERE}).status_code)

    threads = [threading.Thread(target=move, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200, 412, 412, 412] and len(boxes(study)) == 1


def test_old_addresses_lead_to_the_box_as_it_is_now(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(1)
    person, old = study.person(name=f"Vera {new_key()}"), study.boxes[0]
    new = drew(person, old, moved={old: HERE})["box_id"]
    new = drew(person, new, moved={new: THERE})["box_id"]
    for address in (f"label?box={old}", f"review?box={old}"):
        page = person.client.get(f"/projects/{study.project_id}/{address}", headers={"accept": "text/html"})
        assert page.status_code == 200 and f"/boxes/{new}/labels" in page.text
    assert page.text.count("moved the box") == 2
