"""What a learn job makes of crops that wait for another person's voice: it neither learns from them nor asks about them again."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.act import Act
from models.beside import ask_voices
from models.box import Box
from models.checkpoint import CLASSIFIER, Checkpoint
from models.invariants import examine
from models.membership import Membership, Role
from models.round import ANSWERED, Pick, ask_learn
from models.species import Species
from models.user import User
from tests import make
from tests.worker.jobs.scenes import NAMES, Scene, keys, meadow
from worker.jobs.estimating import read_past


def annotator(scene: Scene) -> int:
    """Another member."""
    with scene.database.writing() as session:
        who: User = make.user(session)
        Membership.grant(session, scene.project_id, who.id, Role.annotator)
        return who.id


def names(session: Session, scene: Scene, user_id: int, box: Box, name: str) -> None:
    """One voice of an annotator."""
    act, _fresh = Act.once(session, user_id, f"voice-{next(keys):08}", "answer", {}, scene.project_id)
    species = Species.named(session, scene.project_id, name)
    assert species is not None
    box.answer(session, species, by=user_id, role=Role.annotator, act=act)
    ask_voices(session, [box])


def name_round(scene: Scene, number: int, user_id: int, name: str | None = None) -> None:
    """An annotator answers a round; by the colours, or always the same."""
    with scene.database.writing() as session:
        asked = next(each for each in scene.rounds() if each.number == number)
        for pick in session.scalars(select(Pick).where(Pick.round_id == asked.id)):
            box = session.get_one(Box, pick.box_id)
            pick.state = ANSWERED
            names(session, scene, user_id, box, name or scene.colour(box))


def test_a_crop_that_waits_teaches_nothing_and_is_not_picked_again(scene: Scene) -> None:
    scene.change(first_round=6, round_size=10, consensus="two-of-three")
    scene.run(scene.bring(meadow(50)))
    scene.run_all()
    first, second = annotator(scene), annotator(scene)
    name_round(scene, 1, first)
    end_round(scene)
    scene.run_all()
    assert scene.count(Checkpoint, Checkpoint.kind == CLASSIFIER) == 0
    assert len(scene.rounds()) == 2 and set(scene.picks(1)).isdisjoint(scene.picks(2))
    assert examine(scene.database, scene.store) == []
    name_round(scene, 1, second)
    with scene.database.writing() as session:
        ask_learn(session, scene.project(), "voices-1")
    scene.run_all()
    learnt = scene.all(select(Checkpoint).where(Checkpoint.kind == CLASSIFIER))[-1]
    first_round = scene.rounds()[0]
    assert learnt.label_count == first_round.size - first_round.drawn


def end_round(scene: Scene) -> None:
    """The round is full."""
    with scene.database.writing() as session:
        (asked,) = [session.merge(each) for each in scene.rounds()]
        asked.state = "open"
        asked.after_answer(session, scene.project())


def test_the_audit_takes_the_commonest_name_of_a_crop_that_waits(sqlite_scene: Scene) -> None:
    scene = sqlite_scene
    scene.change(first_round=6, round_size=10, consensus="snapshot-wisconsin")
    scene.run(scene.bring(meadow(50)))
    scene.run_all()
    with scene.database.writing() as session:
        for pick in session.scalars(select(Pick)):
            pick.chance = 0.5
    for said in (NAMES[0], NAMES[1], NAMES[1]):
        name_round(scene, 1, annotator(scene), said)
    with scene.database.reading() as session:
        expected = Species.named(session, scene.project_id, NAMES[1])
        assert expected is not None
        assert read_past(session, scene.project_id).answers == dict.fromkeys(scene.picks(1), expected.id)
        assert {box.waits_for for box in session.scalars(select(Box).where(Box.id.in_(scene.picks(1))))} == {"voice"}
