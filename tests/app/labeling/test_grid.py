"""The grid: which tiles, in what order, and many names as one act."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, select, update

from models.act import Act
from models.audited import audited, untaught
from models.box import Box
from models.deployment import Deployment
from models.image import Image
from models.label import Label
from models.likeness import Likeness
from models.membership import Role
from models.project import Project
from models.round import Pick, Round
from models.sequence import regroup
from tests import make
from tests.app.labeling.conftest import Person, Study, new_key

MakeStudy = Callable[..., Study]
HTML = {"accept": "text/html"}


def alike(study: Study, places: dict[int, float], near: dict[int, int] | None = None) -> None:
    """Put boxes in their places, as a learn job would. near: what their neighbours are called."""
    with study.site.database.writing() as session:
        embedder_id = session.get_one(Project, study.project_id).embedder_id
        for box_id, place in places.items():
            name = (near or {}).get(box_id)
            session.add(
                Likeness(
                    box_id=box_id, project_id=study.project_id, embedder_id=embedder_id, place=place,
                    near_species_id=name, near_share=1.0 if name else None,
                )
            )  # fmt: skip


def tiles(person: Person, query: str = "") -> dict[str, Any]:
    answer = person.client.get(f"/projects/{person.project_id}/grid/tiles{query}")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def name(person: Person, said: dict[int, int], key: str = "", **more: Any) -> httpx.Response:
    body = {"box": next(iter(said)), "said": [list(each) for each in said.items()], "idempotency_key": key or new_key()}
    return person.client.post(f"/projects/{person.project_id}/grid-labels", json=body | more)


def names(study: Study) -> list[int | None]:
    return [study.settled(box_id) for box_id in study.boxes]


def test_tiles_stand_in_groups_by_guess_and_alike_ones_beside_each_other(make_study: MakeStudy) -> None:
    study = make_study(6)
    person = study.person()
    one, two, three, four, five, six = study.boxes
    alike(study, {one: 5.0, two: 1.0, three: 4.0, four: 2.0, five: 3.0})
    before = tiles(person)
    assert before["groups"] == [{"title": "No guess yet", "species": None, "size": 6}]
    assert before["tiles"]["box_id"] == [two, four, five, three, one, six]
    study.guess(
        {box: [0.1, 0.8, 0.1] if box in (one, two, six) else [0.9, 0.05, 0.05] for box in [*study.boxes[:3], six]}
    )
    after = tiles(person)
    assert [(group["species"], group["size"]) for group in after["groups"]] == [
        (study.species["Ocelot"], 3), (None, 2), (study.species["Jaguar"], 1)
    ]  # fmt: skip
    assert after["tiles"]["box_id"] == [two, one, six, four, five, three]
    assert after["tiles"]["p"][:2] == [0.8, 0.8]
    assert tiles(person, "?sort=unsure")["tiles"]["box_id"][:4] == [two, one, six, three]


def test_the_page_stands_without_script(make_study: MakeStudy) -> None:
    study = make_study(5)
    person = study.person()
    study.guess({box: [0.1, 0.8, 0.1] for box in study.boxes})
    page = person.client.get(f"/projects/{study.project_id}/grid?at=75", headers=HTML)
    assert page.status_code == 200, page.text
    assert page.text.count('type="checkbox" name="boxes"') == 5 and page.text.count(" checked") == 5
    assert "Ocelot, 80 percent" in page.text


def test_many_names_are_one_act_that_one_undo_takes_back(make_study: MakeStudy) -> None:
    study = make_study(5)
    person = study.person()
    jaguar, ocelot = study.species["Jaguar"], study.species["Ocelot"]
    one, two, three, *_rest = study.boxes
    key = new_key()
    told = name(person, {two: jaguar, one: jaguar, three: jaguar}, key).json()
    assert (told["name"], told["words"], told["box_id"]) == ("Jaguar, 3 crops", "Jaguar, 3 crops saved.", two)
    assert told["round"]["done"] == 3 and study.picks() == {"answered": 3, "open": 2}
    assert name(person, {two: jaguar, one: jaguar, three: jaguar}, key).json() == told  # sent twice, done once
    assert (study.acts(), names(study)) == (1, [jaguar] * 3 + [None] * 2)
    name(person, {one: ocelot, three: jaguar}, certain=False)
    assert names(study) == [ocelot, jaguar, jaguar, None, None]
    assert person.undo()["name"] == "Several names, 2 crops"
    assert names(study) == [jaguar, jaguar, jaguar, None, None]  # what was said before is said again
    assert person.undo()["boxes"] == [one, two, three]
    assert names(study) == [None] * 5 and study.picks() == {"open": 5}
    assert person.redo()["words"] == "Jaguar, 3 crops saved."
    assert names(study) == [jaguar] * 3 + [None] * 2 and study.picks() == {"answered": 3, "open": 2}


def test_the_guess_of_each_crop_is_kept_beside_its_name(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(2)
    study.guess({study.boxes[0]: [0.9, 0.05, 0.05], study.boxes[1]: [0.1, 0.7, 0.2]})
    person = study.person()
    name(person, dict.fromkeys(study.boxes, study.species["Jaguar"]))
    with study.site.database.reading() as session:
        act = session.scalars(select(Act).where(Act.project_id == study.project_id)).one()
        assert act.kind == "grid"
    assert len(study.labels()) == 2
    mine = tiles(person)["tiles"]
    assert mine["said"] == [study.species["Jaguar"]] * 2 and mine["by"] == [person.id] * 2


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ([], "said"),
        ([[1]], "said"),
        ([["a", 2]], "said"),
        (None, "said"),
    ],
)
def test_a_body_that_names_nothing_is_refused(make_sqlite_study: MakeStudy, said: object, words: str) -> None:
    study = make_sqlite_study(2)
    person = study.person()
    body = {"box": study.boxes[0], "said": said, "idempotency_key": new_key()}
    answer = person.client.post(f"/projects/{study.project_id}/grid-labels", json=body)
    assert answer.status_code == 422 and answer.json()["error"].startswith(words)
    assert study.acts() == 0


def test_one_wrong_crop_or_name_and_nothing_is_said(make_study: MakeStudy) -> None:
    study, other = make_study(3), make_study(1)
    person = study.person()
    jaguar = study.species["Jaguar"]
    foreign = name(person, {study.boxes[0]: jaguar, other.boxes[0]: jaguar})
    assert foreign.status_code == 422
    assert (
        foreign.json()["error"] == f"boxes: crop {other.boxes[0]} is not among those of this project that can be named"
    )
    name_of_others = name(person, {study.boxes[0]: other.species["Jaguar"]})
    assert name_of_others.status_code == 422 and "is not in this project's list" in name_of_others.json()["error"]
    assert name(person, {other.boxes[0]: jaguar}).status_code == 404
    with study.site.database.writing() as session:
        unsure = make.box(session, session.get_one(Image, session.get_one(Box, study.boxes[2]).image_id), 0.06).id
        session.get_one(Project, study.project_id).classify_above = 0.3
    assert name(person, {study.boxes[0]: jaguar, unsure: jaguar}).status_code == 422  # nobody was ever asked about it
    assert (names(study), study.acts()) == ([None] * 3, 0)


def test_strangers_see_nothing_and_viewers_name_nothing(make_study: MakeStudy) -> None:
    study = make_study(2)
    stranger, viewer = study.person(None), study.person(Role.viewer)
    assert stranger.client.get(f"/projects/{study.project_id}/grid", headers=HTML).status_code == 404
    assert stranger.client.get(f"/projects/{study.project_id}/grid/tiles").status_code == 404
    page = viewer.client.get(f"/projects/{study.project_id}/grid", headers=HTML)
    assert page.status_code == 200 and "Accept all at" not in page.text
    for what in ("grid-labels", "grid-empty", "grid-skip"):
        body = {
            "box": study.boxes[0],
            "boxes": study.boxes,
            "said": [[study.boxes[0], 1]],
            "idempotency_key": new_key(),
        }
        assert viewer.client.post(f"/projects/{study.project_id}/{what}", json=body).status_code == 403
        assert stranger.client.post(f"/projects/{study.project_id}/{what}", json=body).status_code == 404


def test_crops_that_are_asked_blind_show_no_guess_whatever_the_filter(make_study: MakeStudy) -> None:
    study = make_study(4)
    person = study.person()
    blind = study.boxes[1]
    with study.site.database.writing() as session:
        session.execute(update(Pick).where(Pick.box_id == blind).values(chance=0.5))
    ocelot = study.species["Ocelot"]
    alike(study, {box: place for place, box in enumerate(study.boxes)}, near={blind: study.species["Jaguar"]})
    study.guess({box: [0.1, 0.8, 0.1] for box in study.boxes})
    for query in ("", "?of=all", "?sort=unsure", "?sort=burst", "?of=all&open=1"):
        told = tiles(person, query)["tiles"]
        at = told["box_id"].index(blind)
        assert (told["guess"][at], told["p"][at], told["near"][at], told["blind"][at]) == (None, 0.0, None, True)
        assert [guess for place, guess in enumerate(told["guess"]) if place != at] == [ocelot] * 3
    assert tiles(person, "?differ=1")["tiles"]["box_id"] == []
    form = {"boxes": [str(box) for box in study.boxes], "accept": "1", "idempotency_key": new_key()}
    refused = person.client.post(f"/projects/{study.project_id}/grid-labels", data=form)
    assert refused.status_code == 422 and f"crop {blind}" in refused.text
    assert names(study) == [None] * 4


def test_filters_narrow_down_and_make_addresses(make_study: MakeStudy) -> None:
    study = make_study(6)
    person = study.person()
    one, two, three, four, five, six = study.boxes
    jaguar, ocelot = study.species["Jaguar"], study.species["Ocelot"]
    with study.site.database.writing() as session:
        elsewhere = Deployment.of_folder(session, study.project_id, "Camera B")
        photo = select(Box.image_id).where(Box.id == six).scalar_subquery()
        session.execute(update(Image).where(Image.id == photo).values(deployment_id=elsewhere.id))
        session.execute(update(Box).where(Box.id.in_([one, two])).values(guess_species_id=jaguar))
        session.execute(delete(Pick).where(Pick.box_id == five))
        session.get_one(Round, study.round_id).size -= 1
        camera = elsewhere.id
    name(person, {three: jaguar, four: ocelot})
    alike(study, {four: 1.0}, near={four: jaguar})

    def shown(query: str) -> set[int]:
        return set(tiles(person, query)["tiles"]["box_id"])

    assert shown("") == {one, two, three, four, six} and shown("?of=all") == set(study.boxes)
    assert shown("?open=1") == {one, two, six}
    assert shown("?differ=1") == {four}
    assert shown(f"?species={jaguar}") == {one, two, three}
    assert shown(f"?camera={camera}") == {six}
    page = person.client.get(f"/projects/{study.project_id}/grid?camera={camera}&open=1", headers=HTML).text
    assert f'href="?camera={camera}"' in page and 'href="?open=True"' not in page and "Camera B" in page
    for query in ("?of=no", "?sort=no", "?species=999999", f"?camera={camera + 999}"):
        assert person.client.get(f"/projects/{study.project_id}/grid{query}", headers=HTML).status_code == 404


def test_bursts_are_groups_in_the_order_of_the_camera(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(4)
    person = study.person()
    with study.site.database.writing() as session:
        for deployment_id in session.scalars(select(Deployment.id).where(Deployment.project_id == study.project_id)):
            regroup(session, deployment_id, 60)
    told = tiles(person, "?sort=burst")
    assert sum(group["size"] for group in told["groups"]) == 4
    assert all(", " in group["title"] for group in told["groups"])


def test_a_crop_on_somebody_elses_desk_says_so_and_a_name_for_it_is_kept(make_study: MakeStudy) -> None:
    study = make_study(3)
    ann, ben = study.person(name="Ann Held"), study.person(name="Ben Grid")
    (crop,) = ann.crops(1)
    told = tiles(ben)
    at = told["tiles"]["box_id"].index(crop["box_id"])
    assert told["tiles"]["held"][at] == ann.id and told["people"][str(ann.id)] == "Ann Held"
    assert tiles(ann)["tiles"]["held"] == [None] * 3
    name(ben, {crop["box_id"]: study.species["Jaguar"]})
    assert study.settled(crop["box_id"]) == study.species["Jaguar"]
    assert study.picks() == {"open": 3}  # it is Ann's to fill
    assert ann.say(crop, study.species["Ocelot"]).status_code == 200


def test_skip_and_empty_photo_of_many(make_study: MakeStudy) -> None:
    study = make_study(6, boxes_a_photo=2)
    person = study.person()
    boxes = study.boxes
    body = {"box": boxes[0], "boxes": [boxes[0], boxes[2]], "idempotency_key": new_key()}
    skipped = person.client.post(f"/projects/{study.project_id}/grid-skip", json=body).json()
    assert (skipped["name"], skipped["boxes"]) == ("Skip, 2 crops", [boxes[0], boxes[2]])
    order = [crop["box_id"] for crop in person.crops()]
    assert order[:4] == [boxes[1], boxes[3], boxes[4], boxes[5]] and set(order[4:]) == {boxes[0], boxes[2]}
    person.undo()
    assert [crop["box_id"] for crop in person.crops()] == boxes
    body = {"box": boxes[0], "boxes": [boxes[0], boxes[5]], "idempotency_key": new_key()}
    empty = person.client.post(f"/projects/{study.project_id}/grid-empty", json=body).json()
    assert empty["name"] == "Empty photo, 4 crops"
    none = study.fixed["not_animal"]
    assert names(study) == [none, none, None, None, none, none]
    person.undo()
    assert names(study) == [None] * 6


def test_a_form_names_its_selection_and_comes_back_to_the_same_grid(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(4)
    person = study.person()
    study.guess({study.boxes[0]: [0.9, 0.05, 0.05], study.boxes[1]: [0.1, 0.7, 0.2]})

    def send(what: str, query: str = "", **fields: Any) -> httpx.Response:
        url = f"/projects/{study.project_id}/{what}{query}"
        return person.client.post(url, data={"idempotency_key": new_key(), **fields}, headers=HTML)

    first = send("grid-labels", "?sort=unsure&of=all", boxes=[str(each) for each in study.boxes[2:]], species="ocelot")
    assert (
        first.status_code == 303
        and first.headers["location"] == f"/projects/{study.project_id}/grid?of=all&sort=unsure"
    )
    second = send("grid-labels", boxes=[str(each) for each in study.boxes[:2]], accept="1")
    assert second.status_code == 303
    jaguar, ocelot = study.species["Jaguar"], study.species["Ocelot"]
    assert names(study) == [jaguar, ocelot, ocelot, ocelot]
    nothing = send("grid-labels", species=str(jaguar))
    assert nothing.status_code == 422 and "select at least one crop" in nothing.text
    assert send("grid-skip").status_code == 422 and send("grid-empty").status_code == 422


def test_more_crops_than_one_act_can_name_are_refused(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(1)
    person = study.person()
    said = [[study.boxes[0] + each, study.species["Jaguar"]] for each in range(2001)]
    body = {"box": study.boxes[0], "said": said, "idempotency_key": new_key()}
    answer = person.client.post(f"/projects/{study.project_id}/grid-labels", json=body)
    assert answer.status_code == 422 and "2000" in answer.json()["error"]


def test_a_long_list_says_how_much_of_it_is_shown(
    make_sqlite_study: MakeStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.labeling.grid_queries.MOST", 3)
    monkeypatch.setattr("app.labeling.grid.PLAIN", 2)
    study = make_sqlite_study(5)
    person = study.person()
    assert (len(tiles(person)["tiles"]["box_id"]), tiles(person)["total"]) == (3, 5)
    page = person.client.get(f"/projects/{study.project_id}/grid", headers=HTML).text
    assert "The first 3 of 5 crops" in page and "The next 2" in page
    later = person.client.get(f"/projects/{study.project_id}/grid?start=2", headers=HTML).text
    assert later.count('name="boxes"') == 1


def test_what_i_said_while_other_voices_are_awaited_is_mine_and_is_not_accepted_away(make_study: MakeStudy) -> None:
    study = make_study(3, consensus="two-of-three")
    ann, bob = study.person(), study.person()
    study.guess({box: [0.02, 0.96, 0.02] for box in study.boxes})
    jaguar, ocelot = study.species["Jaguar"], study.species["Ocelot"]
    one, two, three = study.boxes
    name(ann, {one: jaguar})
    told = tiles(ann)["tiles"]
    at = told["box_id"].index(one)
    assert (told["said"][at], told["by"][at]) == (jaguar, ann.id) and study.settled(one) is None
    assert set(tiles(ann, "?open=1")["tiles"]["box_id"]) == {two, three}
    assert set(tiles(bob)["tiles"]["box_id"]) == {two, three}  # asked of Bob, who must not see it before
    form = {"boxes": [str(box) for box in study.boxes], "accept": "1", "idempotency_key": new_key()}
    assert ann.client.post(f"/projects/{study.project_id}/grid-labels", data=form, headers=HTML).status_code == 303
    assert [species for user, _kind, species in study.labels() if user == ann.id] == [jaguar, ocelot, ocelot]
    form["idempotency_key"] = new_key()
    again = ann.client.post(f"/projects/{study.project_id}/grid-labels", data=form, headers=HTML)
    assert again.status_code == 422 and "every one of them has a name" in again.text


def test_the_filter_by_species_does_not_tell_a_hidden_guess(make_study: MakeStudy) -> None:
    study = make_study(3)
    person = study.person()
    ocelot = study.species["Ocelot"]
    with study.site.database.writing() as session:
        session.execute(update(Pick).where(Pick.box_id == study.boxes[1]).values(chance=0.5))
        session.execute(update(Box).where(Box.id.in_(study.boxes)).values(guess_species_id=ocelot))
    study.guess({box: [0.1, 0.8, 0.1] for box in study.boxes})
    assert set(tiles(person, f"?species={ocelot}")["tiles"]["box_id"]) == {study.boxes[0], study.boxes[2]}


def test_fields_that_are_left_empty_narrow_nothing(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(2)
    person = study.person()
    page = person.client.get(
        f"/projects/{study.project_id}/grid?species=&camera=&of=round&sort=alike&at=", headers=HTML
    )
    assert page.status_code == 200 and page.text.count('name="boxes"') == 2
    assert len(tiles(person, "?species=&camera=")["tiles"]["box_id"]) == 2


def test_crops_of_a_round_can_be_named_and_skipped_after_the_bar_was_raised(make_study: MakeStudy) -> None:
    study = make_study(4)
    person = study.person()
    with study.site.database.writing() as session:
        session.get_one(Project, study.project_id).classify_above = 0.9999
    first, *rest = person.crops()
    assert person.act(first, "skip").status_code == 200
    assert name(person, {crop["box_id"]: study.species["Jaguar"] for crop in rest}).status_code == 200


def test_a_name_for_many_keeps_what_the_person_said_beside_the_same_name(make_study: MakeStudy) -> None:
    study = make_study(2, asks_sex=True)
    person = study.person()
    jaguar, ocelot = study.species["Jaguar"], study.species["Ocelot"]
    for crop in person.crops():
        person.say(crop, jaguar, sex="female")
    one, two = study.boxes
    name(person, {one: jaguar, two: ocelot})
    with study.site.database.reading() as session:
        newest = {
            label.box_id: label.sex
            for label in session.scalars(select(Label).where(Label.project_id == study.project_id).order_by(Label.id))
        }
    assert newest == {one: "female", two: ""}


def test_a_crop_that_is_not_cut_out_yet_shows_its_photo(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(2)
    person = study.person()
    with study.site.database.writing() as session:
        session.execute(update(Box).where(Box.id == study.boxes[0]).values(embedder_id=None))
        image_id = session.get_one(Box, study.boxes[0]).image_id
    told = tiles(person)["tiles"]
    assert told["picture"][told["box_id"].index(study.boxes[0])] == f"/images/{image_id}/thumbnail.jpg"


def audit(study: Study) -> tuple[set[int], set[int], set[int]]:
    """(boxes still in the audit, boxes that teach nothing, boxes whose label teaches nothing)."""
    with study.site.database.reading() as session:
        still = {each.box_id for each in audited(session, study.project_id)}
        boxes, labels = untaught(session, study.project_id)
        return still, boxes, set(session.scalars(select(Label.box_id).where(Label.id.in_(labels))))


def test_a_selection_with_audited_crops_teaches_and_they_stay_in_the_audit(make_study: MakeStudy) -> None:
    study = make_study(6)
    drawn = set(study.boxes[:2])
    with study.site.database.writing() as session:
        session.execute(update(Pick).where(Pick.box_id.in_(drawn)).values(chance=0.5))
    name(study.person(), dict.fromkeys(study.boxes, study.species["Jaguar"]))
    assert audit(study) == (drawn, drawn, set())


def test_empty_photos_of_a_selection_teach_nothing_only_where_nobody_looked(make_study: MakeStudy) -> None:
    study = make_study(6, boxes_a_photo=2)
    one, beside_one, two, beside_two, three, beside_three = study.boxes
    with study.site.database.writing() as session:
        session.execute(update(Pick).where(Pick.box_id.in_([one, beside_two])).values(chance=0.5))
    body = {"box": one, "boxes": [one, two, three, beside_three], "idempotency_key": new_key()}
    study.person().client.post(f"/projects/{study.project_id}/grid-empty", json=body)
    # beside_two was named because its photo was, so it leaves; beside_one was named because one of the audit was looked at
    assert audit(study) == ({one}, {one, beside_two}, {beside_one})
