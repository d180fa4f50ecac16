"""Empty photos: what counts as one, how the sample is drawn, what feeds the estimate, and what a look leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.checks.empties_queries import LOW, SAMPLE, estimate, found, newest_sample, next_photo
from models.box import Box
from models.checking import check, last_check, take_check_back
from models.database import Database
from models.desk import Desk
from models.empty import ANIMAL, EMPTY, EmptyDraw, EmptySample, counts_as_empty, draw_sample
from models.errors import Invalid
from models.image import Image
from models.membership import Role
from models.predictions import Predictions
from models.project import Project
from models.storage import Store
from tests import make
from tests.app.projects.actors import answered, around, expected
from tests.conftest import Site


@dataclass
class Place:
    """A project with 30 empty photos, ten of them with a low box, among others."""

    session: Session
    project: Project
    desk: Desk
    empty: list[int]

    def say(self, image_id: int, verdict: str) -> None:
        key = f"look-{image_id}-{self.session.query(EmptySample).count()}-{verdict}-{len(found(self.session, self.project.id))}"
        check(self.desk, self.session.get_one(Image, image_id), verdict, key=key)

    def next(self, order: str = SAMPLE) -> int | None:
        image = next_photo(self.session, self.project, order)
        return image.id if image else None


@pytest.fixture
def place(database: Database, store: Store) -> Iterator[Place]:
    with database.writing() as session:
        who = make.user(session)
        project = make.project(session, (who, Role.annotator), count_above=0.9)
        batch = make.batch(session, project)
        full = make.image(session, batch)
        make.box(session, full, 0.95)
        make.image(session, batch, state="waiting")
        empty = [make.image(session, batch).id for _ in range(30)]
        for number, image_id in enumerate(empty[:10]):
            make.box(session, session.get_one(Image, image_id), 0.1 + number / 100)
        yield Place(session, project, Desk(session, project, who.id, Role.annotator, Predictions(store.root)), empty)


def test_a_photo_counts_as_empty_by_the_detector_alone(place: Place) -> None:
    here = set(place.session.scalars(select(Image.id).where(counts_as_empty(place.project))))
    assert here == set(place.empty)
    make.box(place.session, place.session.get_one(Image, place.empty[20]), 1.0, drawn=True)  # a person drew it
    assert place.empty[20] in set(place.session.scalars(select(Image.id).where(counts_as_empty(place.project))))
    place.project.count_above = 0.19
    here = set(place.session.scalars(select(Image.id).where(counts_as_empty(place.project))))
    assert here == set(place.empty) - {place.empty[9]}


def test_a_sample_is_drawn_by_chance_and_the_next_one_is_another(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.empty.SAMPLE", 8)
    first, second = (draw_sample(place.session, place.project, place.desk.user_id) for _ in range(2))
    assert (first.population, first.count_above) == (30, 0.9)
    draws = [[*map(int, place.session.scalars(sample_of(each)))] for each in (first, second)]
    assert draws[0] != draws[1]
    for drawn in draws:
        assert len(set(drawn)) == 8 and set(drawn) <= set(place.empty)


def sample_of(sample: EmptySample):  # type: ignore[no-untyped-def]
    return select(EmptyDraw.image_id).where(EmptyDraw.sample_id == sample.id).order_by(EmptyDraw.position)


def test_every_photo_is_as_likely_as_any_other(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.empty.SAMPLE", 6)
    times = dict.fromkeys(place.empty, 0)
    for _ in range(150):
        sample = draw_sample(place.session, place.project, place.desk.user_id)
        for image_id in place.session.scalars(sample_of(sample)):
            times[image_id] += 1
    assert min(times.values()) > 12 and max(times.values()) < 50  # 30 on average, five standard deviations


def test_the_estimate_is_of_the_looks_without_a_gap_and_of_the_sample_alone(place: Place) -> None:
    assert place.next() is None
    sample = draw_sample(place.session, place.project, place.desk.user_id)
    order = list(place.session.scalars(sample_of(sample)))
    assert place.next() == order[0]
    for image_id in order[:4]:
        place.say(image_id, EMPTY)
    place.say(order[4], ANIMAL)
    place.say(order[9], ANIMAL)  # seen early, in the other order: its turn has not come
    now = estimate(place.session, sample)
    assert (now.looked, now.animals) == (5, 1)
    assert 3 < now.low < 4 and 62 < now.high < 63  # Wilson: 1 of 5
    assert place.next() == order[5]


def test_low_boxes_come_first_in_the_other_order(place: Place) -> None:
    seen = []
    while (image_id := place.next(LOW)) is not None:
        seen.append(image_id)
        place.say(image_id, EMPTY)
    assert seen == place.empty[9::-1]  # the strongest box first; photos without a box are not asked
    assert newest_sample(place.session, place.project.id) is None


def test_an_animal_goes_on_with_its_box_and_a_look_is_taken_back(place: Place) -> None:
    with_box, without = place.empty[3], place.empty[15]
    place.say(with_box, ANIMAL)
    act = last_check(place.desk)
    assert act is not None
    assert place.session.get_one(Box, act.answer["box_id"]).image_id == with_box
    place.say(without, ANIMAL)
    act = last_check(place.desk)
    assert act is not None
    box = place.session.get_one(Box, act.answer["box_id"])
    assert (box.image_id, box.drawn, box.x_max) == (without, True, 1.0)
    assert [image_id for image_id, *_ in found(place.session, place.project.id)] == [without, with_box]
    take_check_back(place.desk, act)
    assert box.deleted_at is not None
    assert [image_id for image_id, *_ in found(place.session, place.project.id)] == [with_box]
    with pytest.raises(Invalid):
        place.say(with_box, "perhaps")


def test_there_is_no_sample_of_nothing(place: Place) -> None:
    other = make.project(place.session)
    with pytest.raises(Invalid):
        draw_sample(place.session, other, place.desk.user_id)


def test_who_may_look_and_who_may_say(sqlite_site: Site) -> None:
    with around(sqlite_site) as (project_id, clients):
        for part in ("empties", "static"):
            assert answered(clients, "GET", f"/projects/{project_id}/{part}") == expected(Role.viewer, 200)
            assert answered(clients, "POST", f"/projects/{project_id}/{part}/77") == expected(Role.annotator, 404)
        assert answered(clients, "POST", f"/projects/{project_id}/static/77/undo") == expected(Role.annotator, 404)
        assert answered(clients, "POST", f"/projects/{project_id}/empties/sample") == expected(Role.annotator, 422)
        assert answered(clients, "POST", f"/projects/{project_id}/empties/undo") == expected(Role.annotator, 303)
        assert answered(clients, "POST", f"/projects/{project_id}/static") == expected(Role.annotator, 303)
