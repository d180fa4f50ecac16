"""One person's speed and accuracy, and how far people agree: the figures, and who may see them."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from app.projects.people import Figures, agreement_words, figures_of, worked_gaps_s
from models.act import Act
from models.base import utc_now
from models.box import Box
from models.database import Database
from models.desk import Desk
from models.drawing import Drawing, draw
from models.membership import Membership, Role
from models.note import GOLD, Note
from models.predictions import predictions_of
from models.project import Project
from models.species import Species
from models.user import User
from tests import make
from tests.app.projects.actors import answered, around, expected
from tests.conftest import Site


class Study:
    """Boxes, and what people say of them."""

    def __init__(self, session: Session, boxes: int) -> None:
        self.session = session
        self.ann, self.bob, self.eve = (make.user(session) for _ in range(3))
        roles = ((self.ann, Role.annotator), (self.bob, Role.annotator), (self.eve, Role.expert))
        self.project: Project = make.project(session, *roles)
        self.fox, self.owl = make.species(session, self.project, "Fox", "Owl")
        batch = make.batch(session, self.project)
        self.boxes = [make.box(session, make.image(session, batch)) for _ in range(boxes)]

    def say(self, who: User, box: Box, species: Species, at: dt.datetime | None = None) -> None:
        """One answer, at a moment."""
        key = f"key-{next(make.numbers):08}"
        act, _fresh = Act.once(self.session, who.id, key, "answer", {}, self.project.id)
        act.created_at = at or utc_now()
        member = Membership.of(self.session, self.project.id, who.id)
        assert member is not None
        box.answer(self.session, species, by=who.id, role=Role(member.role), act=act)

    def gold(self, box: Box) -> None:
        """The expert keeps it."""
        act, _fresh = Act.once(self.session, self.eve.id, f"gold-{box.id:08}", GOLD, {}, self.project.id)
        of = {"project_id": self.project.id, "box_id": box.id, "user_id": self.eve.id, "act_id": act.id}
        self.session.add(Note(**of, kind=GOLD))
        self.session.flush()

    def figures(self, of: User) -> Figures:
        """Of one person."""
        return figures_of(self.session, self.project.id, of.id)


def test_accuracy_is_what_an_expert_says_of_the_same_crops(database: Database) -> None:
    with database.writing() as session:
        study = Study(session, 14)
        for place, box in enumerate(study.boxes):
            study.say(study.ann, box, study.owl if place < 3 else study.fox)
            if place < 12:
                study.say(study.eve, box, study.fox)
            if place < 4:
                study.gold(box)
        found = study.figures(study.ann)
        assert found.answers == 14
        assert (found.settled.right, found.settled.of, found.settled.of_100) == (9, 12, (47, 91))
        assert (found.gold.right, found.gold.of, found.gold.of_100) == (1, 4, None)  # too few to say
        (fox,) = found.species
        assert (fox.name, fox.right.of_100, fox.instead) == ("Fox", (47, 91), "Owl, 3 of 12")
        assert study.figures(study.eve).settled.of == 0  # nobody judges the one who settles
        assert study.figures(study.bob).answers == 0


def test_an_answer_that_was_changed_counts_as_it_stands(database: Database) -> None:
    with database.writing() as session:
        study = Study(session, 1)
        for said in (study.owl, study.fox):
            study.say(study.ann, study.boxes[0], said)
        study.say(study.eve, study.boxes[0], study.fox)
        assert (study.figures(study.ann).settled.right, study.figures(study.ann).answers) == (1, 1)


def test_speed_is_the_median_of_the_time_at_work(database: Database) -> None:
    with database.writing() as session:
        study = Study(session, 13)
        begin, seconds = utc_now() - dt.timedelta(hours=3), 0.0
        for place, box in enumerate(study.boxes):
            seconds += 3600 if place == 6 else 3.0  # a pause
            study.say(study.ann, box, study.fox, begin + dt.timedelta(seconds=seconds))
        found = study.figures(study.ann)
        assert (found.timed, found.a_minute) == (11, pytest.approx(20.0))


def test_pauses_and_what_came_in_together_are_no_pace() -> None:
    begin = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    times = [begin + dt.timedelta(seconds=each) for each in (0, 2, 2.05, 5, 300)]
    assert worked_gaps_s(times) == pytest.approx([2, 2.95])


def test_how_far_people_agree_is_told_from_thirty_crops_on(database: Database) -> None:
    with database.writing() as session:
        study = Study(session, 31)
        assert agreement_words(session, study.project.id) == ""
        for place, box in enumerate(study.boxes):
            study.say(study.ann, box, study.fox if place % 2 else study.owl)
            if place < 29:
                study.say(study.bob, box, study.fox if place % 2 or place == 0 else study.owl)
            study.say(study.eve, box, study.fox)  # knows what they said: no voice of this
        words = agreement_words(session, study.project.id)
        assert words == "Too few to say: 29 of the 30 crops needed were named by two people or more."
        for box in study.boxes[29:]:
            study.say(study.bob, box, study.fox)
        words = agreement_words(session, study.project.id)
        assert re.fullmatch(
            r"People agree almost perfectly \(Fleiss’ κ 0\.87\): on 29 of 31 crops that two or more named, all say the same\.",
            words,
        ), words


def test_what_was_said_of_deleted_crops_counts_for_nobody(database: Database) -> None:
    with database.writing() as session:
        study = Study(session, 32)
        for place, box in enumerate(study.boxes):
            study.say(study.ann, box, study.fox if place % 2 else study.owl)
            study.say(study.bob, box, study.fox if place % 2 else study.owl)
        gone, moved = study.boxes[:2]
        expert = Desk(session, study.project, study.eve.id, Role.expert, predictions_of(Path("none")))
        draw(expert, gone, Drawing(deleted=[gone.id]), key="drawing-0001")
        draw(expert, moved, Drawing(moved={moved.id: (0.1, 0.1, 0.4, 0.4)}), key="drawing-0002")
        assert study.figures(study.ann).answers == 31
        assert "on 31 of 31 crops" in agreement_words(session, study.project.id)


def test_only_administrators_and_the_person_see_the_page(sqlite_site: Site) -> None:
    with around(sqlite_site) as (project_id, clients):
        with sqlite_site.database.reading() as session:
            members = {
                member.role: member.user_id for member in session.query(Membership).filter_by(project_id=project_id)
            }
        path = f"/projects/{project_id}/people/{members['annotator']}"
        assert answered(clients, "GET", path) == expected(Role.admin, 200) | {"annotator": 200}
        assert answered(clients, "GET", f"/projects/{project_id}/people/999999") == expected(Role.admin, 404)


def test_the_page_says_too_few_and_leads_there_from_menu_and_members(sqlite_site: Site) -> None:
    html = {"accept": "text/html"}
    with sqlite_site.database.writing() as session:
        admin, ann = make.user(session), make.user(session, "Nora Siles")
        project = make.project(session, (admin, Role.admin), (ann, Role.annotator))
        tokens = make.token(session, admin), make.token(session, ann)
        own = f"/projects/{project.id}/people/{ann.id}"
        settings = f"/projects/{project.id}/settings"
    with sqlite_site.client(tokens[0]) as client:
        assert f'href="{own}"' in client.get(settings, headers=html).text
        assert "<h1><bdi>Nora Siles</bdi></h1>" in client.get(own, headers=html).text
    with sqlite_site.client(tokens[1]) as client:
        assert f'<a href="{own}">Your speed and accuracy</a>' in client.get(settings, headers=html).text
        page = client.get(own, headers=html).text
    assert "<h1>Your speed and accuracy</h1>" in page and "Too few to say: no species has 10 crops" in page
