"""What a detector may learn from a project: which photos count, which boxes are right, false, or doubtful."""

from __future__ import annotations

import itertools

import numpy as np
from sqlalchemy import update
from sqlalchemy.orm import Session

from models.act import Act
from models.box import Box, take_back_labels
from models.database import Database
from models.image import CountCorrection, Image
from models.label import Label
from models.membership import Role
from models.project import Project
from models.round import Pick
from models.species import Species
from models.storage import Store
from models.user import User
from tests import make
from worker.jobs.answered import answered_photos

LEFT, RIGHT = {"x_min": 0.1, "x_max": 0.3}, {"x_min": 0.6, "x_max": 0.9}
UNASKED = 0.1  # a score below classify-above
keys = itertools.count(1)


class Study:
    """One project, and a person who answers."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.user: User = make.user(session)
        self.project: Project = make.project(session, (self.user, Role.expert), classify_above=0.3)
        make.species(session, self.project, "deer", "fox")
        self.batch = make.batch(session, self.project)

    def photo(self, path: str) -> Image:
        return make.image(self.session, self.batch, path)

    def say(self, box: Box, name: str, doing: str = "answer") -> None:
        act, _fresh = Act.once(
            self.session, self.user.id, f"key-{next(keys):08}", doing, {"box": box.id, "name": name}, self.project.id
        )
        species = Species.named(self.session, self.project.id, name)
        assert species is not None, name
        box.answer(self.session, species, by=self.user.id, role=Role.expert, act=act)

    def box(self, photo: Image, name: str = "", score: float = 0.9, doing: str = "answer", **sides: float) -> Box:
        made = make.box(self.session, photo, score, **sides)
        if name:
            self.say(made, name, doing)
        return made


def test_answers_become_right_false_and_doubtful_boxes(database: Database, store: Store) -> None:
    with database.writing() as session:
        study = Study(session)
        photo = study.photo("Camera B/1.JPG")
        study.box(photo, "deer", **LEFT)
        study.box(photo, "Not an animal", **RIGHT)
        study.box(photo, "Person", x_min=0.35, x_max=0.45)
        study.box(photo, "", UNASKED, x_min=0.48, x_max=0.55)
        study.box(photo, "", UNASKED, x_min=0.12, x_max=0.32)  # another look at the deer
        project_id = study.project.id
    [found] = answered_photos(database, store, project_id)
    assert found.path == str(store.original(found.sha256).resolve())
    assert (found.place, found.species) == ("Camera B", ("deer",))
    np.testing.assert_allclose(found.boxes_xyxy, [[0.1, 0.3, 0.3, 0.8]])
    np.testing.assert_allclose(found.false_xyxy, [[0.6, 0.3, 0.9, 0.8]])
    np.testing.assert_allclose(found.unsure_xyxy[:, 0], [0.35, 0.48])


def test_a_photo_with_a_crop_of_the_audit_teaches_nothing(database: Database, store: Store) -> None:
    with database.writing() as session:
        study = Study(session)
        boxes = [study.box(study.photo(f"A/{number}.JPG"), "deer", **LEFT) for number in range(3)]
        project_id = study.project.id
        make.round_of(session, study.project, boxes)
        session.execute(update(Pick).where(Pick.box_id == boxes[1].id).values(chance=0.2))
        wanted = [session.get_one(Image, boxes[place].image_id).sha256 for place in (0, 2)]
    assert [found.sha256 for found in answered_photos(database, store, project_id)] == wanted


def test_a_photo_counts_once_everything_asked_is_answered(database: Database, store: Store) -> None:
    with database.writing() as session:
        study = Study(session)
        study.box(study.photo("A/nobody looked.JPG"))
        half = study.photo("A/half.JPG")
        study.box(half, "fox", **LEFT)
        study.box(half, **RIGHT)
        done = study.photo("A/done.JPG")
        study.box(done, "fox")
        taken_back = study.box(study.photo("A/taken back.JPG"), "deer")
        label = session.get_one(Label, taken_back.settled_label_id)
        act, _fresh = Act.once(session, study.user.id, "take-it-back", "undo", {}, study.project.id)
        take_back_labels(session, {taken_back.id: taken_back}, [label], by=study.user.id, act=act)
        project_id, expected = study.project.id, done.sha256
    assert [photo.sha256 for photo in answered_photos(database, store, project_id)] == [expected]


def test_in_a_photo_called_empty_nothing_is_doubtful(database: Database, store: Store) -> None:
    with database.writing() as session:
        study = Study(session)
        photo = study.photo("A/1.JPG")
        study.box(photo, "Not an animal", doing="empty_photo", **LEFT)
        study.box(photo, "", UNASKED, **RIGHT)
        project_id = study.project.id
    [found] = answered_photos(database, store, project_id)
    assert len(found.false_xyxy) == 2
    assert len(found.boxes_xyxy) == len(found.unsure_xyxy) == 0


def test_corners_that_were_moved_since_are_the_true_ones(database: Database, store: Store) -> None:
    with database.writing() as session:
        study = Study(session)
        box = study.box(study.photo("A/1.JPG"), "deer", **LEFT)
        box.x_max = 0.5
        project_id = study.project.id
    [found] = answered_photos(database, store, project_id)
    np.testing.assert_allclose(found.boxes_xyxy, [[0.1, 0.3, 0.5, 0.8]])


def test_where_people_counted_more_than_is_boxed_an_animal_has_no_box(database: Database, store: Store) -> None:
    with database.writing() as session:
        study = Study(session)
        missed, whole = study.photo("A/missed.JPG"), study.photo("A/whole.JPG")
        for photo, counts in ((missed, (1, 2)), (whole, (2, 1))):
            study.box(photo, "deer")
            for count in counts:  # the newest counts
                session.add(CountCorrection(image_id=photo.id, count=count, user_id=study.user.id))
                session.flush()
        project_id, expected = study.project.id, whole.sha256
    assert [photo.sha256 for photo in answered_photos(database, store, project_id)] == [expected]
