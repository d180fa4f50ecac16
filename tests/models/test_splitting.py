"""One species that was two: some crops get another name as one act of an expert, and it can be taken back."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from models.act import Act
from models.box import Box
from models.database import Database
from models.desk import Desk
from models.errors import Invalid, KeyReused, NotAllowed, NotYours
from models.label import Label
from models.membership import Role
from models.observed import Observed
from models.predictions import predictions_of
from models.splitting import Part, split, unsplit
from models.storage import Store
from models.taking_back import undo
from tests import make


class Scene:
    """Six foxes at two cameras over three days, named by two annotators; an expert."""

    def __init__(self, session: make.Session, store: Store) -> None:
        self.session, self.store = session, store
        self.ann, self.bob, self.eve = (make.user(session) for _ in range(3))
        self.project = make.project(session)
        self.fox, self.culpeo = make.species(session, self.project, "Fox", "Culpeo")
        batch = make.batch(session, self.project)
        self.boxes: list[Box] = []
        for number in range(6):
            at = dt.datetime(2026, 3, 1 + number // 2, 23, 59)
            photo = make.image(session, batch, f"Camera {'AB'[number % 2]}/{number}.JPG", captured_at=at, taken_at=at)
            self.boxes.append(make.box(session, photo))
            who = self.ann if number < 4 else self.bob
            act, _fresh = Act.once(session, who.id, f"fox-{number:04}-{self.project.id}", "answer", {}, self.project.id)
            self.boxes[-1].answer(
                session, self.fox, by=who.id, role=Role.annotator, act=act, observed=Observed(sex="female")
            )
        self.cameras = [session.get_one(make.Image, box.image_id).deployment_id for box in self.boxes[:2]]

    def desk(self, role: Role = Role.expert) -> Desk:
        """The expert's."""
        return Desk(self.session, self.project, self.eve.id, role, predictions_of(self.store.root / "none"))

    def names(self) -> str:
        """F or C, box by box."""
        return "".join("F" if box.settled_species_id == self.fox.id else "C" for box in self.boxes)


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        (lambda _scene: {}, "CCCCCC"),
        (lambda scene: {"deployment_ids": (scene.cameras[1],)}, "FCFCFC"),
        (lambda _scene: {"first_day": dt.date(2026, 3, 2)}, "FFCCCC"),
        (lambda _scene: {"last_day": dt.date(2026, 3, 2)}, "CCCCFF"),
        (lambda scene: {"person_id": scene.bob.id}, "FFFFCC"),
        (lambda scene: {"first_day": dt.date(2026, 3, 2), "last_day": dt.date(2026, 3, 2), "person_id": scene.ann.id,
                        "deployment_ids": (scene.cameras[0],)}, "FFCFFF"),
    ],
)  # fmt: skip
def test_the_chosen_crops_get_the_name_and_get_their_old_one_back(
    database: Database, store: Store, chosen: object, names: str
) -> None:
    with database.writing() as session:
        scene = Scene(session, store)
        part = Part(scene.fox.id, **chosen(scene))  # type: ignore[operator]
        act = split(scene.desk(), part, scene.culpeo, key="split-0001")
        assert scene.names() == names and len(act.answer["boxes"]) == names.count("C")
        assert split(scene.desk(), part, scene.culpeo, key="split-0001") is act  # sent twice
        with pytest.raises(KeyReused):
            split(scene.desk(), part, scene.fox, key="split-0001")
        new = list(session.scalars(select(Label).where(Label.act_id == act.id)))
        assert {(label.role, label.user_id, label.sex) for label in new} == {("expert", scene.eve.id, "female")}
        assert session.query(Label).filter_by(project_id=scene.project.id).count() == 6 + len(new)
        unsplit(scene.desk(), act.id, key="unsplit-0001")
        assert scene.names() == "FFFFFF"
        again = unsplit(scene.desk(), act.id, key="unsplit-0002")
        assert again.answer["nothing"] and scene.names() == "FFFFFF"


def test_what_cannot_be_split_says_so(database: Database, store: Store) -> None:
    with database.writing() as session:
        scene = Scene(session, store)
        with pytest.raises(NotAllowed):
            split(scene.desk(Role.annotator), Part(scene.fox.id), scene.culpeo, key="split-0001")
        with pytest.raises(Invalid, match="called Fox already"):
            split(scene.desk(), Part(scene.fox.id), scene.fox, key="split-0002")
        with pytest.raises(Invalid, match="no crop of this species"):
            split(scene.desk(), Part(scene.culpeo.id), scene.fox, key="split-0003")
        act = split(scene.desk(), Part(scene.fox.id), scene.culpeo, key="split-0004")
        other = Desk(session, scene.project, scene.ann.id, Role.expert, predictions_of(store.root / "none"))
        with pytest.raises(NotYours):
            unsplit(other, act.id, key="unsplit-0004")


def test_undo_of_the_label_page_takes_a_split_back_too(database: Database, store: Store) -> None:
    with database.writing() as session:
        scene = Scene(session, store)
        split(scene.desk(), Part(scene.fox.id), scene.culpeo, key="split-0005")
        told = undo(scene.desk(), key="undo-00005").answer
        assert told["words"] == "Culpeo, 6 crops, taken back" and scene.names() == "FFFFFF"
