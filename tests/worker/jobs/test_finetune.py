"""A fine-tune from the labels to the switch: what changes, what stays, and how it is halted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import pytest
from safetensors.numpy import load
from sqlalchemy import delete, select

from models import queue
from models.box import Box
from models.checkpoint import CLASSIFIER, EMBEDDER, Checkpoint
from models.embedders import remove_files, use
from models.invariants import examine
from models.job import Job
from models.label import Label
from models.parts import VectorPart, parts_of, vector_ids
from models.project import Project
from models.round import Round
from models.species import Species
from models.vectors import read_vectors
from tests import fakes
from tests.worker.jobs.pasture import asked, graze, in_use, learn, name, verdict
from tests.worker.jobs.scenes import Scene, say
from worker.device import Device
from worker.jobs import embedding, finetune, switching
from worker.jobs.matrix import MatrixCache
from worker.jobs.networks import Course, FileShelf, Networks
from worker.learning.finetuning import Verdict

CROPS, NAMED = 24, 16


@pytest.fixture
def named(scene: Scene) -> Scene:
    """Crops of four species, most of them named, and a classifier that knows them; once on each database."""
    return ready(scene)


@pytest.fixture
def sqlite_named(sqlite_scene: Scene) -> Scene:
    """The same where the kind of database does not matter."""
    return ready(sqlite_scene)


def ready(scene: Scene) -> Scene:
    scene.change(first_round=4, round_size=4)
    ids = graze(scene, CROPS)
    name(scene, ids[:NAMED])
    learn(scene)
    return scene


def right(scene: Scene) -> int:
    """How many crops the active classifier's file names by their colour."""
    return sum(scene.guess(box.id) == scene.colour(box) for box in scene.all(select(Box)))


def healthy(scene: Scene) -> bool:
    found = examine(scene.database, scene.store, deep=True)
    assert found == []
    return True


def before_step(monkeypatch: pytest.MonkeyPatch, number: int, do: Callable[[], None]) -> None:
    """Once, when the fake fine-tune reports this step."""
    sound = finetune.FineTuning._report

    def report(self: finetune.FineTuning, progress: object) -> None:
        if progress.step == number:  # type: ignore[attr-defined]
            monkeypatch.setattr(finetune.FineTuning, "_report", sound)
            do()
        sound(self, progress)  # type: ignore[arg-type]

    monkeypatch.setattr(finetune.FineTuning, "_report", report)


def steps(scene: Scene) -> list[int]:
    """The numbers of the steps that were trained, whoever did."""
    log = scene.store.root / "tuning" / "steps.log"
    return [int(line.split()[0]) for line in log.read_text().splitlines()]


def half_made(scene: Scene, job_id: str) -> list[str]:
    """Files of this fine-tune, and of embedders that no row names."""
    known = {str(checkpoint_id) for checkpoint_id in scene.all(select(Checkpoint.id))}
    stray = [path for path in (scene.store.root / "vectors").iterdir() if path.name not in known]
    return [str(path) for path in [*scene.store.root.rglob(f"*{job_id}*"), *stray]]


def test_one_that_helps_takes_over_with_every_vector_a_classifier_and_guesses(named: Scene) -> None:
    old, old_classifier = in_use(named)
    before = named.picks(1)
    job = named.run(job_id := asked(named))
    new, classifier = in_use(named)
    row = verdict(named, job_id)
    assert (job.state, job.error, new.parent_id, new.kind) == ("done", "", old.id, EMBEDDER)
    assert row is not None and classifier is not None and old_classifier is not None
    assert (row.helped, row.label_count, row.class_count, row.embedder_id) == (True, NAMED, 4, new.id)
    assert row.switched_at is not None and new.label_count == NAMED and new.card["after"] == 0.9
    assert classifier.parent_id == new.id and classifier.id != old_classifier.id
    assert named.project().previous_embedder_id == old.id
    with named.database.reading() as session:
        parts = parts_of(session, named.store, named.project_id, new.id)
    assert len(parts.ids) == CROPS
    assert right(named) == CROPS and named.picks(1) == before
    assert named.run_all() == ["learn"]  # what was said meanwhile
    assert healthy(named)


def test_it_teaches_by_the_loss_that_the_project_wishes_when_it_begins(
    sqlite_named: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, recipes = sqlite_named, list[dict[str, object]]()
    sound = fakes.FakeShelf.fine_tune

    def watched(shelf: fakes.FakeShelf, start: str, course: Course, device: Device) -> Verdict:
        recipes.append(course.recipe)
        return sound(shelf, start, course, device)

    monkeypatch.setattr(fakes.FakeShelf, "fine_tune", watched)
    with scene.database.writing() as session:
        session.get_one(Project, scene.project_id).set_fine_tune(2000, "softmax")
    scene.run(job_id := asked(scene))
    new, row = in_use(scene)[0], verdict(scene, job_id)
    assert row is not None and (row.loss, new.card["loss"]) == ("softmax", "softmax")
    assert [recipe["loss"] for recipe in recipes] == ["softmax"]


def test_the_vectors_are_those_of_the_new_embedder_and_the_matrix_holds_them(sqlite_named: Scene) -> None:
    scene = sqlite_named
    old, _classifier = in_use(scene)
    was = MatrixCache(scene.bench, scene.project_id, old.id).matrix()
    scene.run(asked(scene))
    new, _classifier = in_use(scene)
    now = MatrixCache(scene.bench, scene.project_id, new.id).matrix()
    assert (now.ids == was.ids).all() and np.allclose(now.vectors, np.roll(was.vectors, 1, axis=1), atol=0.02)
    graze_ids = graze_under_new(scene)
    grown = MatrixCache(scene.bench, scene.project_id, new.id).matrix()
    assert set(graze_ids) <= set(grown.ids.tolist()) and len(grown.ids) == CROPS + len(graze_ids)


def graze_under_new(scene: Scene) -> list[int]:
    """Crops whose first vectors are of the embedder in use."""
    return graze(scene, 4, start=100)


def test_one_that_does_not_help_leaves_everything_and_says_why(sqlite_named: Scene) -> None:
    scene = sqlite_named
    was = in_use(scene)
    job = scene.run(job_id := asked(scene, helped=False))
    row = verdict(scene, job_id)
    assert job.state == "done" and [each and each.id for each in in_use(scene)] == [each and each.id for each in was]
    assert row is not None and row.judged_at is not None and row.switched_at is None
    assert (row.helped, row.before, row.after, row.label_count) == (False, 0.8, 0.79, NAMED)
    assert row.words.startswith("It did not help") and job.line == row.words
    assert (
        scene.count(Checkpoint, Checkpoint.kind == EMBEDDER, Checkpoint.project_id.is_not(None)) == 0
        and scene.run_all() == []
    )
    assert [path.suffix for path in scene.store.tuning(job_id).iterdir()] == [".safetensors"]  # the labels' list
    assert healthy(scene)


def test_what_is_said_while_it_trains_is_not_in_its_labels_but_in_the_next_classifier(
    sqlite_named: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = sqlite_named
    unnamed = scene.all(select(Box.id).where(Box.settled_label_id.is_(None)).order_by(Box.id))
    before_step(monkeypatch, 3, lambda: name(scene, unnamed[:4]))
    scene.run(job_id := asked(scene))
    row = verdict(scene, job_id)
    assert row is not None and row.label_count == NAMED
    (path,) = scene.store.tuning(job_id).iterdir()
    listed = sorted(load(path.read_bytes())["label_ids"].tolist())
    assert hashlib.sha256(",".join(map(str, listed)).encode()).hexdigest() == row.labels_sha256
    assert max(listed) == row.label_max_id < max(scene.all(select(Label.id)))
    _embedder, classifier = in_use(scene)
    assert classifier is not None and classifier.label_count == NAMED + 4


def test_a_pause_keeps_the_state_and_going_on_trains_the_rest_on_the_same_labels(
    sqlite_named: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = sqlite_named
    job_id = asked(scene)

    def pause() -> None:
        with scene.database.writing() as session:
            queue.pause(session, job_id)

    before_step(monkeypatch, 2, pause)
    job = scene.run(job_id)
    assert (job.state, job.worker, job.pause_requested, job.ended_at) == ("paused", None, False, None)
    assert scene.run(job_id).state == "paused"  # nobody let it go on
    unnamed = scene.all(select(Box.id).where(Box.settled_label_id.is_(None)).order_by(Box.id))
    name(scene, unnamed[:2])
    with scene.database.writing() as session:
        queue.go_on(session, job_id)
    assert scene.run(job_id).state == "done"
    assert steps(scene) == [1, 2, 3, 4, 5, 6]
    row = verdict(scene, job_id)
    assert row is not None and row.switched_at is not None and row.label_count == NAMED


def stop(scene: Scene, job_id: str) -> None:
    with scene.database.writing() as session:
        queue.cancel(session, job_id)


@pytest.mark.parametrize("moment", ["training", "embedding", "switch"])
def test_stopping_it_removes_what_is_half_made_and_leaves_the_old_one(
    sqlite_named: Scene, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    scene = sqlite_named
    was = in_use(scene)
    job_id = asked(scene)
    if moment == "training":
        before_step(monkeypatch, 3, lambda: stop(scene, job_id))
    else:
        owner, method = {
            "embedding": (embedding.Embedding, "_commit"), "switch": (switching.Switching, "_commit"),
        }[moment]  # fmt: skip
        sound = getattr(owner, method)

        def stop_first(*given: object) -> object:
            stop(scene, job_id)
            return sound(*given)

        monkeypatch.setattr(owner, method, stop_first)
        monkeypatch.setattr(embedding, "SHARD_CROPS", 10)
    job = scene.run(job_id)
    assert (job.state, job.error) == ("cancelled", "")
    assert [each and each.id for each in in_use(scene)] == [each and each.id for each in was]
    assert half_made(scene, job_id) == [] and verdict(scene, job_id) is None
    assert (
        scene.count(Checkpoint, Checkpoint.kind == EMBEDDER, Checkpoint.project_id.is_not(None)) == 0
        and scene.count(VectorPart) == 0
    )
    assert healthy(scene)


def test_stopping_a_paused_one_removes_its_files_too(sqlite_named: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = sqlite_named
    job_id = asked(scene)

    def pause() -> None:
        with scene.database.writing() as session:
            queue.pause(session, job_id)

    before_step(monkeypatch, 2, pause)
    scene.run(job_id)
    stop(scene, job_id)
    assert scene.run_all() == ["finetune"]
    assert scene.all(select(Job.state).where(Job.id == job_id)) == ["cancelled"]
    assert half_made(scene, job_id) == [] and healthy(scene)


def test_one_that_nobody_began_is_stopped_or_paused_at_once(sqlite_named: Scene) -> None:
    scene = sqlite_named
    first, second = asked(scene), asked(scene)
    with scene.database.writing() as session:
        queue.cancel(session, first)
        queue.pause(session, second)
    assert scene.run_all() == []
    assert set(scene.all(select(Job.state).where(Job.id.in_([first, second])))) == {"cancelled", "paused"}
    stop(scene, second)
    assert scene.all(select(Job.state).where(Job.id == second)) == ["cancelled"]


def test_crops_that_come_while_it_embeds_get_a_vector_before_the_switch(
    sqlite_named: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = sqlite_named
    sound = embedding.Embedding._commit
    came: list[int] = []

    def commit(self: embedding.Embedding, *given: object) -> None:
        if not came:
            came.extend(graze(scene, 3, start=200))  # under the old one, which is in use
        sound(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(embedding.Embedding, "_commit", commit)
    scene.run(asked(scene))
    new, _classifier = in_use(scene)
    with scene.database.reading() as session:
        assert set(came) <= set(vector_ids(session, scene.store, scene.project_id, new.id).tolist())
    assert all(scene.guess(box_id) for box_id in came) and healthy(scene)


def test_numbers_that_are_none_never_take_over(sqlite_named: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = sqlite_named
    was = in_use(scene)
    sound = fakes.ColourEmbedder.embed
    monkeypatch.setattr(
        fakes.ColourEmbedder, "embed", lambda self, crops: sound(self, crops) * (np.nan if self.turn else 1)
    )
    job = scene.run(job_id := asked(scene))
    assert job.state == "failed" and "numbers that are none" in job.error
    assert [each and each.id for each in in_use(scene)] == [each and each.id for each in was]
    assert half_made(scene, job_id) == [] and healthy(scene)


def test_a_damaged_crop_costs_only_itself(sqlite_named: Scene) -> None:
    scene = sqlite_named
    first, *_others, last = scene.all(select(Box.id).order_by(Box.id))  # one is named, the other is not
    for box_id in (first, last):
        (path,) = scene.store.root.glob(f"crops/*/*/{box_id}.jpg")
        path.write_bytes(b"\xff\xd8\xff no picture")
    job_id = asked(scene)
    assert scene.run(job_id).state == "done"
    row = verdict(scene, job_id)
    assert row is not None and row.label_count == NAMED - 1
    new, _classifier = in_use(scene)
    with scene.database.reading() as session:
        assert len(vector_ids(session, scene.store, scene.project_id, new.id)) == CROPS - 2
    assert [finding.invariant for finding in examine(scene.database, scene.store)] == ["I5 vectors in use"]


def test_a_third_embedder_put_to_use_meanwhile_stays_in_use(
    sqlite_named: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = sqlite_named

    def another() -> None:
        with scene.database.writing() as session:
            Checkpoint.known(session, EMBEDDER, "another", "3" * 64, {}).activate(
                session.get_one(Project, scene.project_id)
            )

    before_step(monkeypatch, 2, another)
    job = scene.run(job_id := asked(scene))
    row = verdict(scene, job_id)
    assert in_use(scene)[0].name == "another" and job.state == "done"
    assert row is not None and row.switched_at is None and "is kept and not in use" in row.words
    assert scene.count(VectorPart) == 0


# --- too few, other species, other labels ------------------------------------------------------------------------------------


def test_labels_that_were_taken_back_before_it_began_teach_nothing(sqlite_named: Scene) -> None:
    scene = sqlite_named
    job_id = asked(scene)
    with scene.database.writing() as session:
        for box in session.scalars(select(Box).where(Box.settled_label_id.is_not(None)).order_by(Box.id)).all()[1:]:
            say(session, scene, box, "Cannot tell")
    job = scene.run(job_id)
    row = verdict(scene, job_id)
    assert job.state == "done" and row is not None and row.helped is False
    assert row.words == "Nothing was tried: it takes 2 species with 2 answers each, and none has so far."
    assert not (scene.store.root / "tuning" / "steps.log").exists() and healthy(scene)


def test_species_that_are_added_retired_or_corrected_change_what_is_learnt_next(
    sqlite_named: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = sqlite_named
    boxes = scene.all(select(Box).order_by(Box.id))

    def merged_and_split() -> None:
        with scene.database.writing() as session:
            Species.add(session, scene.project_id, "grey fox")
            hare = Species.named(session, scene.project_id, "hare")
            assert hare is not None
            hare.retire()
            for box in session.scalars(select(Box).where(Box.settled_species_id == hare.id)):
                say(session, scene, box, "boar")
            for box_id in (boxes[0].id, boxes[4].id):
                say(session, scene, session.get_one(Box, box_id), "grey fox")

    before_step(monkeypatch, 3, merged_and_split)
    scene.run(job_id := asked(scene))
    row = verdict(scene, job_id)
    assert row is not None and (row.class_count, row.label_count, row.helped) == (4, NAMED, True)
    scene.run_all()
    _embedder, classifier = in_use(scene)
    assert classifier is not None
    with scene.database.reading() as session:
        names = {session.get_one(Species, species_id).name for species_id in classifier.classes}
    assert names == {"fox", "grey fox", "boar", "crane"}
    assert healthy(scene)


def test_a_project_that_is_deleted_leaves_no_file(sqlite_named: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = sqlite_named
    job_id = asked(scene)

    def gone() -> None:
        with scene.database.writing() as session:
            session.execute(delete(Job).where(Job.id == job_id))

    before_step(monkeypatch, 3, gone)
    scene.bench.patiently(lambda: None)
    finetune_job = scene.all(select(Job).where(Job.id == job_id))[0]
    finetune.finetune(scene.bench, finetune_job, lambda _name, do: do())
    assert half_made(scene, job_id) == []


# --- back to an older one, and files that go -----------------------------------------------------------------------------------


def back_to(scene: Scene, checkpoint: Checkpoint) -> bool:
    with scene.database.writing() as session:
        project = session.get_one(Project, scene.project_id, with_for_update={"key_share": True})
        return use(session, project, session.get_one(Checkpoint, checkpoint.id))


def test_a_roll_back_brings_the_older_classifier_at_once_and_embeds_what_came_since(named: Scene) -> None:
    old, old_classifier = in_use(named)
    named.run(asked(named))
    named.run_all()
    came = graze_under_new(named)
    assert back_to(named, old)
    now, classifier = in_use(named)
    assert (now.id, classifier and classifier.id) == (old.id, old_classifier and old_classifier.id)
    assert sorted(named.run_all()) == ["embed", "learn"]
    with named.database.reading() as session:
        assert set(came) <= set(vector_ids(session, named.store, named.project_id, old.id).tolist())
    assert right(named) == CROPS + len(came) and healthy(named)


def test_files_go_after_the_next_but_one_switch_and_the_embedder_can_still_come_back(named: Scene) -> None:
    first, _classifier = in_use(named)
    named.run(asked(named))
    named.run_all()
    second, _classifier = in_use(named)
    assert named.count(Box, Box.vector_file.is_not(None)) == CROPS
    named.run(asked(named))
    assert "discard" in named.run_all()
    third, _classifier = in_use(named)
    assert len({first.id, second.id, third.id}) == 3
    assert named.count(Box, Box.vector_file.is_not(None)) == 0
    assert list((named.store.root / "vectors" / str(first.id)).rglob("*.vectors")) == []
    assert named.count(Checkpoint, Checkpoint.kind == CLASSIFIER, Checkpoint.removed_at.is_not(None)) == 1
    assert right(named) == CROPS and healthy(named)
    assert not back_to(named, first)  # every crop is embedded again first
    assert in_use(named)[0].id == third.id
    named.run_all()
    assert in_use(named)[0].id == first.id and right(named) == CROPS and healthy(named)


def test_removing_the_files_of_an_older_one_leaves_its_row_and_nothing_else(sqlite_named: Scene) -> None:
    scene = sqlite_named
    old, _classifier = in_use(scene)
    scene.run(job_id := asked(scene))
    scene.run_all()
    new, _classifier = in_use(scene)
    back_to(scene, old)
    scene.run_all()
    with scene.database.writing() as session:
        remove_files(session, session.get_one(Project, scene.project_id), session.get_one(Checkpoint, new.id))
    assert scene.run_all() == ["discard"]
    assert half_made(scene, job_id) == []
    assert list((scene.store.root / "vectors" / str(new.id)).rglob("*.part")) == []
    assert scene.all(select(Checkpoint.removed_at).where(Checkpoint.id == new.id)) != [None]
    assert in_use(scene)[0].id == old.id and right(scene) == CROPS and healthy(scene)


def test_rounds_go_on_in_the_new_space_and_name_the_one_they_were_chosen_in(sqlite_named: Scene) -> None:
    scene = sqlite_named
    old, _classifier = in_use(scene)
    scene.run(asked(scene))
    scene.run_all()
    new, _classifier = in_use(scene)
    scene.answer_round(1)
    scene.run_all()
    chosen = scene.all(select(Round.embedder_id).order_by(Round.number))
    assert chosen == [old.id, new.id] and set(scene.picks(1)).isdisjoint(scene.picks(2))


def test_a_part_is_written_once_and_read_with_its_boxes(sqlite_named: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = sqlite_named
    monkeypatch.setattr(embedding, "SHARD_CROPS", 10)
    scene.run(asked(scene))
    new, _classifier = in_use(scene)
    assert scene.all(select(VectorPart.rows).order_by(VectorPart.id)) == [10, 10, 4]
    folder = scene.store.vector_parts(new.id, scene.project_id)
    for part in scene.all(select(VectorPart)):
        assert (folder / part.name).stat().st_size == part.size
        assert len(read_vectors(folder / part.name, check=True)) == part.rows


def test_the_starter_itself_goes_the_whole_way(sqlite_scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = sqlite_scene
    scene.bench.networks = Networks(scene.store, FileShelf(), 1)
    monkeypatch.setattr("worker.learning.finetuning.is_better", lambda *_shares: True)
    name(scene, graze(scene, CROPS))
    job = scene.run(job_id := asked(scene, steps=2, classes=4, crops=2, validations=1, frozen=16))
    row, (new, classifier) = verdict(scene, job_id), in_use(scene)
    assert (job.state, job.error) == ("done", "") and row is not None and classifier is not None
    assert (row.steps, row.embedder_id, new.name) == (2, new.id, f"starter + {CROPS} labels")
    assert "of held-out crops" in row.words and row.before is not None and row.after is not None
    vectors = MatrixCache(scene.bench, scene.project_id, new.id).matrix().vectors
    assert vectors.shape == (CROPS, 256) and np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    assert right(scene) == CROPS and healthy(scene)
