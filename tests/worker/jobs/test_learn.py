"""What a learn job makes of the answers: a classifier, predictions, the next round, and one switch."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import select

from models.box import Box
from models.checkpoint import CLASSIFIER, Checkpoint
from models.drawing import Drawing, draw
from models.invariants import examine
from models.job import Job
from models.label import newest_label_id
from models.predictions import Part, Predictions
from models.project import Project
from models.queue import ask
from models.round import Pick, Round, ask_if_idle, ask_next
from models.taking_back import undo
from tests.worker.jobs.pasture import graze, name
from tests.worker.jobs.scenes import NAMES, Scene, meadow, say
from tests.worker.jobs.test_drawn import act
from worker.jobs import matrix
from worker.jobs.classifiers import classifier_of


@pytest.fixture
def filled(scene: Scene) -> Scene:
    """Sixty crops and the first round, which nobody has opened."""
    return fill(scene)


@pytest.fixture
def sqlite_filled(sqlite_scene: Scene) -> Scene:
    """The same where the kind of database does not matter."""
    return fill(sqlite_scene)


def fill(scene: Scene, photos: int = 50) -> Scene:
    scene.change(first_round=6, round_size=10)
    scene.run(scene.bring(meadow(photos)))
    scene.run_all()
    return scene


def classifiers(scene: Scene) -> list[Checkpoint]:
    return scene.all(select(Checkpoint).where(Checkpoint.kind == CLASSIFIER).order_by(Checkpoint.id))


def learn(scene: Scene, **arguments: object) -> Job:
    """Ask for a learn job of one's own and do it."""
    with scene.database.writing() as session:
        given = {"label_max_id": newest_label_id(session, scene.project_id), "seed": 1, "parent_id": None} | arguments
        job = ask(session, "learn", scene.project_id, given)
    return scene.run(job.id)


def test_the_first_round_is_random_and_at_most_a_tenth_of_the_crops(sqlite_filled: Scene) -> None:
    (first,) = sqlite_filled.rounds()
    crops = sqlite_filled.count(Box)
    assert (first.number, first.state, first.strategy, first.seed) == (1, "chosen", "random", 1)
    assert first.size == crops // 10 < sqlite_filled.project().first_round * 2
    assert sqlite_filled.picks(1) != sorted(sqlite_filled.picks(1)) and len(set(sqlite_filled.picks(1))) == first.size
    assert classifiers(sqlite_filled) == []


def test_a_project_of_its_own_size_gets_its_own_first_round(sqlite_scene: Scene) -> None:
    sqlite_scene.change(first_round=2)
    sqlite_scene.run(sqlite_scene.bring(meadow(50)))
    sqlite_scene.run_all()
    assert sqlite_scene.rounds()[0].size == 2


def test_a_full_round_teaches_the_names_and_chooses_the_next(filled: Scene) -> None:
    filled.answer_round(1)
    assert "learn" in filled.run_all()
    first, second = filled.rounds()
    project = filled.project()
    checkpoint = classifiers(filled)[-1]
    assert first.state == "full"
    assert (second.number, second.state, second.strategy, second.size) == (2, "chosen", "k_center", 10)
    assert project.classifier_id == checkpoint.id and checkpoint.parent_id == project.embedder_id
    assert checkpoint.label_count == first.size - first.drawn  # the audit teaches nothing
    assert set(filled.picks(1)).isdisjoint(filled.picks(2))
    assert examine(filled.database, filled.store, deep=True) == []


def test_every_box_is_predicted_and_its_guess_follows(sqlite_filled: Scene) -> None:
    sqlite_filled.answer_round(1)
    sqlite_filled.run_all()
    sqlite_filled.answer_round(2)
    sqlite_filled.run_all()
    boxes = sqlite_filled.all(select(Box))
    right = [sqlite_filled.guess(box.id) == sqlite_filled.colour(box) for box in boxes]
    assert np.mean(right) > 0.9
    active = sqlite_filled.project().classifier_id
    for box in boxes:
        assert box.guess_species_id is not None and box.guess_p is not None
    assert active in {box.guess_classifier_id for box in boxes}


def test_the_next_round_is_chosen_ahead_at_eighty_per_cent(filled: Scene) -> None:
    filled.answer_round(1)
    filled.run_all()
    filled.answer_round(2, share=0.7)
    assert filled.run_all() == [] and len(filled.rounds()) == 2
    filled.answer_round(2, share=0.8)
    assert filled.run_all() == ["learn"]
    second, third = filled.rounds()[1:]
    assert (second.state, third.state) == ("open", "chosen")
    assert set(filled.picks(3)).isdisjoint(filled.picks(2)) and set(filled.picks(3)).isdisjoint(filled.picks(1))


def test_a_full_round_that_has_a_successor_only_learns(sqlite_filled: Scene) -> None:
    sqlite_filled.answer_round(1)
    sqlite_filled.run_all()
    sqlite_filled.answer_round(2, share=0.8)
    sqlite_filled.run_all()
    before = classifiers(sqlite_filled)
    sqlite_filled.answer_round(2)
    assert sqlite_filled.run_all() == ["learn"]
    assert len(sqlite_filled.rounds()) == 3 and len(classifiers(sqlite_filled)) == len(before) + 1


def test_ahead_then_full_both_run_late_and_choose_once(sqlite_filled: Scene) -> None:
    scene = sqlite_filled
    scene.answer_round(1)
    scene.run_all()
    scene.answer_round(2)
    assert scene.count(Job, Job.state == "asked") == 2
    assert scene.run_all() == ["learn", "learn"]
    assert [round_.number for round_ in scene.rounds()] == [1, 2, 3]


def test_rounds_go_on_until_no_crop_is_left(sqlite_scene: Scene) -> None:
    scene = fill(sqlite_scene, photos=20)
    while True:
        open_rounds = [round_ for round_ in scene.rounds() if round_.state != "full"]
        if not open_rounds:
            break
        scene.answer_round(open_rounds[0].number)
        scene.run_all()
    assert scene.count(Box, Box.settled_species_id.is_(None)) == 0
    assert scene.count(Pick) == scene.count(Box)
    with scene.database.writing() as session:
        assert ask_if_idle(session, session.get_one(Project, scene.project_id)) is None


def test_a_new_species_joins_the_classes(sqlite_filled: Scene) -> None:
    sqlite_filled.answer_round(1, rename=dict.fromkeys(NAMES, "fox"))
    sqlite_filled.run_all()
    assert len(classifiers(sqlite_filled)[-1].classes) == 1
    assert {sqlite_filled.guess(box_id) for box_id in sqlite_filled.all(select(Box.id))} == {"fox"}
    sqlite_filled.answer_round(2)
    sqlite_filled.run_all()
    assert len(classifiers(sqlite_filled)[-1].classes) > 1


def test_cannot_tell_fills_the_round_and_teaches_nothing(sqlite_filled: Scene) -> None:
    sqlite_filled.answer_round(1, rename=dict.fromkeys(NAMES, "Cannot tell"))
    sqlite_filled.run_all()
    assert classifiers(sqlite_filled) == []
    assert sqlite_filled.rounds()[1].strategy == "k_center"
    assert set(sqlite_filled.picks(1)).isdisjoint(sqlite_filled.picks(2))


def test_a_strategy_that_needs_classes_falls_back_to_chance_without_any(sqlite_filled: Scene) -> None:
    sqlite_filled.change(strategy="entropy")
    sqlite_filled.answer_round(1, rename=dict.fromkeys(NAMES, "Cannot tell"))
    sqlite_filled.run_all()
    assert sqlite_filled.rounds()[1].strategy == "random"


@pytest.mark.parametrize("strategy", ["random", "confidence", "margin", "entropy"])
def test_every_strategy_of_the_settings_chooses(sqlite_filled: Scene, strategy: str) -> None:
    sqlite_filled.change(strategy=strategy)
    sqlite_filled.answer_round(1)
    sqlite_filled.run_all()
    assert sqlite_filled.rounds()[1].strategy == strategy and len(set(sqlite_filled.picks(2))) == 10


def test_equal_labels_seed_and_parent_give_equal_picks_and_equal_weights(filled: Scene) -> None:
    filled.answer_round(1)
    first = learn(filled)
    chosen, weights = filled.picks(2), classifiers(filled)[-1].sha256
    with filled.database.writing() as session:
        for pick in session.scalars(select(Pick).join(Round, Round.id == Pick.round_id).where(Round.number == 2)):
            session.delete(pick)
        session.flush()
        session.delete(session.scalars(select(Round).where(Round.number == 2)).one())
        for box in session.scalars(select(Box)).all()[:3]:
            if box.id not in filled.picks(1) and box.id not in chosen:
                say(session, filled, box, "crane")  # said after the job was asked for: it must not see it
    for path in (filled.store.root / "cache").rglob("*.*"):
        path.unlink()
    again = learn(filled, label_max_id=first.arguments["label_max_id"])
    assert again.state == "done"
    assert [box_id for box_id in chosen if box_id in filled.picks(2)] == filled.picks(2)[:10]
    assert classifiers(filled)[-1].sha256 == weights


def test_a_classifier_brings_a_report_from_a_camera_that_it_was_not_taught_and_its_temperature(scene: Scene) -> None:
    """Names by chance: what the crops look like says nothing, and the classifier must not be sure."""
    chance = np.random.default_rng(0)
    box_ids = graze(scene, 210)
    name(scene, box_ids, tuple(chance.choice(NAMES, len(box_ids)).tolist()))
    assert learn(scene).error == ""
    checkpoint = classifiers(scene)[-1]
    report = checkpoint.card["report"]
    assert report["n_held"] == 70  # one of three cameras
    assert {int(kind) for kind in report["per_class"]} == set(checkpoint.classes)
    assert sum(line["n"] for line in report["per_class"].values()) == 70
    assert report["accuracy"] < 0.5 and report["temperature"] > 1.2
    assert 0 <= report["error_after"] < 0.2 and 0 <= report["error_before"] < 0.2
    classifier = classifier_of(scene.store, checkpoint)
    assert classifier.temperature == pytest.approx(report["temperature"], abs=1e-4)
    read = matrix.MatrixCache(scene.bench, scene.project_id, checkpoint.parent_id).matrix()
    said = Predictions(scene.store.root / checkpoint.predictions).firsts(read.ids.tolist())
    shown = [said[box_id][1] for box_id in read.ids.tolist()]
    np.testing.assert_allclose(shown, classifier.probabilities(read.vectors).max(axis=1), atol=1e-3)


def test_crops_that_came_while_the_job_computed_are_predicted_too(
    filled: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.answer_round(1)
    sound = matrix.MatrixCache.matrix

    def meanwhile_photos_come(self: matrix.MatrixCache) -> matrix.Matrix:
        read = sound(self)
        monkeypatch.undo()
        filled.run(filled.bring(meadow(5, start=200, camera="B")))
        return read

    monkeypatch.setattr(matrix.MatrixCache, "matrix", meanwhile_photos_come)
    filled.run_all()
    late = filled.all(select(Box.id).order_by(Box.id.desc()).limit(3))
    assert all(filled.guess(box_id) for box_id in late)
    assert filled.count(Box, Box.guess_species_id.is_(None)) == 0


def test_crops_that_come_later_are_predicted_by_the_active_classifier(sqlite_filled: Scene) -> None:
    sqlite_filled.answer_round(1)
    sqlite_filled.run_all()
    sqlite_filled.run(sqlite_filled.bring(meadow(5, start=200, camera="B")))
    newest = sqlite_filled.all(select(Box).order_by(Box.id.desc()).limit(3))
    assert all(
        sqlite_filled.guess(box.id) and box.guess_classifier_id == sqlite_filled.project().classifier_id
        for box in newest
    )
    with sqlite_filled.database.reading() as session:
        folder = (
            sqlite_filled.store.root / session.get_one(Checkpoint, sqlite_filled.project().classifier_id).predictions
        )
    parts = [Part(path, check=True) for path in folder.glob("*.predictions")]
    assert sorted(np.concatenate([part.box_ids for part in parts])) == sqlite_filled.all(
        select(Box.id).order_by(Box.id)
    )


def test_a_job_without_new_answers_keeps_the_classifier_and_only_chooses(sqlite_filled: Scene) -> None:
    scene = sqlite_filled
    scene.answer_round(1)
    scene.run_all()
    before = [checkpoint.id for checkpoint in classifiers(scene)]
    with scene.database.writing() as session:
        for pick in session.scalars(select(Pick).join(Round, Round.id == Pick.round_id).where(Round.number == 2)):
            pick.state = "withdrawn"
        session.scalars(select(Round).where(Round.number == 2)).one().state = "full"
    learn(scene, parent_id=scene.project().classifier_id)
    assert [checkpoint.id for checkpoint in classifiers(scene)] == before and len(scene.rounds()) == 3


@pytest.mark.parametrize("edit", ["moved", "deleted"])
def test_a_box_that_was_moved_or_deleted_since_teaches_anew_without_a_new_answer(scene: Scene, edit: str) -> None:
    fill(scene)
    scene.answer_round(1)
    scene.run_all()
    audited = scene.all(select(Pick.box_id).where(Pick.chance.is_not(None)))
    first = min(set(scene.picks(1)) - set(audited))

    def taught() -> tuple[int, int]:
        """How many classifiers there are, and how many labels the newest knows."""
        learn(scene, parent_id=scene.project().classifier_id)
        return len(classifiers(scene)), classifiers(scene)[-1].label_count or 0

    made, labels = taught()
    if edit == "deleted":
        act(scene, draw, first, Drawing(deleted=[first]))
        assert taught() == (made + 1, labels - 1)
    else:
        act(scene, draw, first, Drawing(moved={first: (0.05, 0.1, 0.4, 0.6)}))
        assert taught() == (made + 1, labels - 1)  # the new outline has no vector yet
        scene.run_all()
        assert taught() == (made + 2, labels)
    act(scene, undo)
    known = taught()
    assert known == (made + (2 if edit == "deleted" else 3), labels)
    with scene.database.writing() as session:
        say(session, scene, session.get_one(Box, audited[0]), "crane")  # of the audit: the same teaches as before
    assert taught() == known


def test_an_older_job_that_ends_late_does_not_take_the_place_of_a_newer_classifier(sqlite_filled: Scene) -> None:
    scene = sqlite_filled
    scene.answer_round(1, share=0.5)
    with scene.database.reading() as session:
        early = newest_label_id(session, scene.project_id)
    scene.answer_round(1)
    scene.run_all()
    active = scene.project().classifier_id
    learn(scene, label_max_id=early)
    assert scene.project().classifier_id == active and len(classifiers(scene)) >= 2


def test_running_a_learn_job_twice_switches_once(filled: Scene) -> None:
    filled.answer_round(1)
    job = learn(filled)
    made = len(classifiers(filled))
    with filled.database.writing() as session:
        session.get_one(Job, job.id).state = "running"
    filled.run(job.id)
    assert len(classifiers(filled)) == made and len(filled.rounds()) == 2


def test_a_damaged_vectors_file_costs_only_its_own_crops(sqlite_filled: Scene) -> None:
    scene = sqlite_filled
    name = scene.all(select(Box.vector_file).order_by(Box.id))[0]
    embedder = scene.project().embedder_id
    assert embedder is not None
    scene.store.vectors(embedder, name).write_bytes(b"gone")
    for path in (scene.store.root / "cache").rglob("*.*"):
        path.unlink()
    scene.answer_round(1)
    scene.run_all()
    lost = set(scene.all(select(Box.id).where(Box.vector_file == name)))
    assert lost.isdisjoint(scene.picks(2)) and len(scene.picks(2)) == 10


def test_the_matrix_grows_and_is_rebuilt_when_the_database_is_another(sqlite_filled: Scene) -> None:
    scene = sqlite_filled
    embedder = scene.project().embedder_id
    assert embedder is not None
    cache = matrix.MatrixCache(scene.bench, scene.project_id, embedder)
    before = cache.matrix()
    scene.run(scene.bring(meadow(5, start=200, camera="B")))
    grown = cache.matrix()
    assert (grown.ids[: len(before.ids)] == before.ids).all() and (
        grown.vectors[: len(before.ids)] == before.vectors
    ).all()
    last = int(grown.ids[-1])
    with scene.database.writing() as session:  # as if the row under this id were another one now
        mine, first = session.get_one(Box, last), session.get_one(Box, int(grown.ids[0]))
        mine.vector_file, mine.vector_row = first.vector_file, first.vector_row
    assert (cache.matrix().vectors[-1] == grown.vectors[0]).all()


def test_halves_take_half_the_room_and_choose_the_next_round(sqlite_filled: Scene) -> None:
    scene = sqlite_filled
    embedder = scene.project().embedder_id
    assert embedder is not None
    whole = matrix.MatrixCache(scene.bench, scene.project_id, embedder).matrix()
    scene.bench.halves = True
    scene.answer_round(1)
    scene.run_all()
    halves = matrix.MatrixCache(scene.bench, scene.project_id, embedder).matrix()
    assert halves.vectors.dtype == np.float16 and halves.vectors.nbytes * 2 == whole.vectors.nbytes
    assert (halves.vectors == whole.vectors.astype(np.float16)).all() and (halves.ids == whole.ids).all()
    assert scene.rounds()[1].strategy == "k_center" and len(scene.picks(2)) == 10


def test_after_a_roll_back_a_predict_job_completes_what_the_older_classifier_says(sqlite_filled: Scene) -> None:
    scene = sqlite_filled
    scene.answer_round(1, rename=dict.fromkeys(NAMES, "fox"))
    scene.run_all()
    older = scene.project().classifier_id
    scene.answer_round(2)
    scene.run_all()
    scene.run(scene.bring(meadow(5, start=200, camera="B")))
    with scene.database.writing() as session:
        session.get_one(Checkpoint, older).activate(session.get_one(Project, scene.project_id))
        job_id = ask(session, "predict", scene.project_id, {}).id
    assert scene.run(job_id).state == "done"
    boxes = scene.all(select(Box))
    assert {scene.guess(box.id) for box in boxes} == {"fox"}
    assert len({box.guess_species_id for box in boxes}) == 1


def test_guesses_wait_when_the_next_answers_are_about_to_be_learnt(sqlite_filled: Scene) -> None:
    scene = sqlite_filled
    scene.answer_round(1)
    ahead, _full = scene.all(select(Job.id).where(Job.state == "asked").order_by(Job.asked_at))
    scene.run(ahead)
    assert scene.project().classifier_id is not None and scene.count(Box, Box.guess_species_id.is_not(None)) == 0
    scene.run_all()
    assert scene.count(Box, Box.guess_species_id.is_(None)) == 0


def test_a_person_who_finds_the_round_held_by_others_gets_the_next_one(sqlite_filled: Scene) -> None:
    with sqlite_filled.database.writing() as session:
        sqlite_filled.rounds()
        opened = session.scalars(select(Round).where(Round.number == 1)).one()
        opened.state = "open"
    learn(sqlite_filled)
    assert [each.number for each in sqlite_filled.rounds()] == [1]
    with sqlite_filled.database.writing() as session:
        job = ask_next(session, session.get_one(Project, sqlite_filled.project_id))
        assert job is not None
    sqlite_filled.run(job.id)
    assert [each.number for each in sqlite_filled.rounds()] == [1, 2]
    assert not set(sqlite_filled.picks(1)) & set(sqlite_filled.picks(2))
