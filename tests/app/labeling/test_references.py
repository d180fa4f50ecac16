"""Reference photos: which answers are sure, over which cameras, and what a species is most often taken for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import update

from models.act import Act
from models.box import Box
from models.deployment import Deployment
from models.image import Image
from models.membership import Role
from models.sequence import new_sequences
from models.species import Species
from tests.app.labeling.conftest import Person, Study, new_key

MakeStudy = Callable[..., Study]


def said(
    study: Study, who: Person, box: int, name: str, guess: str = "", p: float = 0.5, role: Role = Role.annotator,
    certain: bool = True,
) -> None:  # fmt: skip
    """An answer with what the classifier said at that moment."""
    with study.site.database.writing() as session:
        act, _fresh = Act.once(session, who.id, new_key(), "answer", {}, study.project_id)
        species = session.get_one(Species, study.species[name])
        kept = {"species_id": study.species[guess], "p": p, "classifier_id": 1} if guess else {}
        session.get_one(Box, box).answer(
            session, species, by=who.id, role=role, act=act, certain=certain, guess=kept
        )  # fmt: skip


def shown(person: Person, species: int) -> dict[str, Any]:
    """What the label page gets."""
    answer = person.client.get(f"/projects/{person.project_id}/species/{species}/references")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def boxes(told: dict[str, Any]) -> list[int]:
    """Whose crops."""
    return [crop["box_id"] for crop in told["crops"]]


def test_only_sure_answers_are_references(make_study: MakeStudy) -> None:
    study = make_study(8)
    maria, jonas, expert = study.person(), study.person(), study.person(Role.expert)
    by_expert, unsure, alone, agreed, confirmed, doubtful, other, unread = study.boxes
    said(study, expert, by_expert, "Jaguar", role=Role.expert)
    said(study, expert, unsure, "Jaguar", role=Role.expert, certain=False)
    said(study, maria, alone, "Jaguar")
    said(study, maria, agreed, "Jaguar")
    said(study, jonas, agreed, "Jaguar")
    said(study, maria, confirmed, "Jaguar", guess="Jaguar", p=0.95)
    said(study, maria, doubtful, "Jaguar", guess="Jaguar", p=0.6)
    said(study, expert, other, "Ocelot", role=Role.expert)
    told = shown(maria, study.species["Jaguar"])
    assert boxes(told) == [confirmed, agreed, by_expert] and unread not in boxes(told)
    assert told["crops"][0]["picture"] == f"/boxes/{confirmed}/crop.jpg"
    assert told["taken_for"] is None
    person = study.fixed["person"]
    assert boxes(shown(maria, person)) == []


def test_references_come_from_many_cameras_and_one_of_a_burst(make_study: MakeStudy) -> None:
    study = make_study(9)
    expert = study.person(Role.expert)
    with study.site.database.writing() as session:
        second = Deployment.of_folder(session, study.project_id, "Camera B").id
        photos = [session.get_one(Box, box).image_id for box in study.boxes]
        session.execute(update(Image).where(Image.id == photos[0]).values(deployment_id=second))
        (burst,) = new_sequences(session, second, [(None, None)])
        session.execute(update(Image).where(Image.id.in_(photos[7:])).values(sequence_id=burst))
    for box in study.boxes:
        said(study, expert, box, "Jaguar", role=Role.expert)
    found = boxes(shown(expert, study.species["Jaguar"]))
    newest, of_other_camera, *rest = found
    assert (newest, of_other_camera) == (study.boxes[8], study.boxes[0])
    assert rest == study.boxes[6:3:-1]


def test_what_a_species_is_taken_for_is_counted_from_what_the_classifier_said(make_study: MakeStudy) -> None:
    study = make_study(9)
    expert = study.person(Role.expert)
    for box in study.boxes[:3]:
        said(study, expert, box, "Jaguar", guess="Jaguar", role=Role.expert)
    said(study, expert, study.boxes[3], "Jaguar", guess="Lowland tapir", role=Role.expert)
    assert shown(expert, study.species["Jaguar"])["taken_for"] is None  # once is nothing
    for box in study.boxes[4:6]:
        said(study, expert, box, "Jaguar", guess="Ocelot", role=Role.expert)
    said(study, expert, study.boxes[6], "Jaguar", role=Role.expert)  # before there was a classifier
    said(study, expert, study.boxes[7], "Ocelot", guess="Jaguar", role=Role.expert)
    other = shown(expert, study.species["Jaguar"])["taken_for"]
    assert (other["species_id"], other["count"], other["of"]) == (study.species["Ocelot"], 2, 6)
    assert boxes(other) == [study.boxes[7]]


def test_references_are_the_projects_own(make_study: MakeStudy) -> None:
    study, other = make_study(1), make_study(1)
    here = f"/projects/{study.project_id}/species"
    person = study.person()
    assert person.client.get(f"{here}/{other.species['Jaguar']}/references").status_code == 404
    assert person.client.get(f"{here}/{2**40}/references").status_code == 404
    assert study.person(None).client.get(f"{here}/{study.species['Jaguar']}/references").status_code == 404
    assert boxes(shown(study.person(Role.viewer), study.species["Jaguar"])) == []
