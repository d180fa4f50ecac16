"""The embedding on the pages: what is said of fine-tunes, and what its buttons do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from models.base import utc_now
from models.box import Box
from models.checkpoint import CLASSIFIER, EMBEDDER, Checkpoint
from models.fine_tune import KIND, FineTune
from models.job import DONE, FAILED, RUNNING, STEPS, Job, WorkerBeat
from models.project import Project
from models.queue import ask
from tests import make
from tests.app.projects.test_settings import Desk, desk_at
from tests.conftest import Site


@pytest.fixture
def desk(sqlite_site: Site) -> Iterator[Desk]:
    """Over SQLite, where the kind does not matter."""
    yield from desk_at(sqlite_site)


@pytest.fixture
def both_desks(site: Site) -> Iterator[Desk]:
    """Over each kind of database."""
    yield from desk_at(site)


def crops(desk: Desk) -> None:
    """Four crops with vectors, each two of one species."""
    with desk.site.database.writing() as session:
        project = session.get_one(Project, desk.project_id)
        photo = make.image(session, make.batch(session, project))
        boxes = [make.box(session, photo, vector_row=row) for row in range(4)]
        make.embedder(session).activate(project)
        for box, species in zip(boxes, make.species(session, project, "Fox", "Hare") * 2, strict=True):
            box.settled_species_id = species.id


def tuned(desk: Desk, *, helped: bool = True, state: str = DONE) -> tuple[int, str]:
    """A fine-tune that was judged; (the embedder that it made or began from, its job's id)."""
    with desk.site.database.writing() as session:
        project = session.get_one(Project, desk.project_id)
        job = ask(session, KIND, project.id, {}, total=400, unit=STEPS, line="Fine-tuning the embedding")
        job.state, job.ended_at = state, utc_now()
        start = make.embedder(session)
        row = FineTune(
            project_id=project.id, job_id=job.id, start_id=start.id, label_max_id=4, label_count=2000, class_count=2,
            labels_sha256="0" * 64,
        )  # fmt: skip
        words = "Recognises 90.0% of held-out crops, before 80.0%." if helped else "It did not help: 79.0%."
        row.judge(helped=helped, words=words, before=0.8, after=0.9 if helped else 0.79, steps=400)
        session.add(row)
        if not helped:
            return start.id, job.id
        made = Checkpoint(
            project_id=project.id, kind=EMBEDDER, name="fake + 2,000 labels", sha256="2" * 64, parent_id=start.id,
            file="checkpoints/tuned.safetensors", job_id=job.id, label_count=2000,
        )  # fmt: skip
        session.add(made)
        session.flush()
        desk.site.store.write(desk.site.store.checkpoint("tuned.safetensors"), b"w" * 2_000_000)
        row.embedder_id, row.switched_at = made.id, utc_now()
        classifier = Checkpoint(
            project_id=project.id, kind=CLASSIFIER, name="c", sha256="3" * 64, parent_id=start.id, label_count=7
        )
        session.add(classifier)
        session.flush()
        classifier.activate(project)
        made.activate(project)
        return made.id, job.id


def embedder_id(desk: Desk) -> int:
    found = desk.project.embedder_id
    assert found is not None
    return found


def test_the_step_is_saved_or_refused_at_its_field(both_desks: Desk) -> None:
    desk = both_desks
    assert desk.save("embedding", every="4,000", loss="softmax").status_code == 303
    assert (desk.project.fine_tune_every, desk.project.fine_tune_loss) == (4000, "softmax")
    assert "How a fine-tune teaches: <bdi>triplet</bdi> → <bdi>softmax</bdi>" in desk.show()
    for typed, words in (
        ("99", "Between 100 and 1,000,000 answers"),
        ("often", "Write a whole number"),
        ("-1", "Between"),
    ):
        answer = desk.save("embedding", every=typed, loss="softmax")
        assert answer.status_code == 422 and words in answer.text and 'id="embedding-every-error"' in answer.text
    answer = desk.save("embedding", every="4,000", loss="quadruplet")
    assert answer.status_code == 422 and 'id="embedding-loss-error"' in answer.text
    assert desk.save("embedding", every="0", loss="softmax").status_code == 303
    assert "the next comes at" not in desk.show() and desk.project.fine_tune_every == 0
    assert "Fine-tuned by itself every, answers: <bdi>1,000</bdi> → <bdi>4,000</bdi>" in desk.show()
    assert desk.save("embedding", every="500", loss="triplet", version=1).status_code == 412


def test_one_more_is_asked_now_or_the_page_says_why_not(desk: Desk) -> None:
    assert "Not yet: no photo was looked through yet." in desk.show()
    assert desk.save("embedding/fine-tune").status_code == 422 and desk.jobs() == []
    crops(desk)
    assert "4 answers count so far, the next comes at 1,000" in desk.show()
    assert desk.save("embedding/fine-tune").status_code == 303
    assert [kind for kind, _arguments in desk.jobs()] == [KIND]
    answer = desk.save("embedding/fine-tune")
    assert answer.status_code == 409 and "one is running or waits for its turn" in answer.text
    assert "Asked to fine-tune the embedding" in desk.show()


def test_a_running_one_is_paused_let_go_on_and_stopped_by_plain_forms(desk: Desk) -> None:
    crops(desk)
    desk.save("embedding/fine-tune")
    with desk.site.database.writing() as session:
        job = session.scalars(select(Job)).one()
        job.state, job.started_at, job.done, job.total, job.rate_per_s = RUNNING, utc_now(), 120, 400, 1.5
        session.add(WorkerBeat(name="w", device="CPU", beat_at=utc_now()))
        job_id = job.id
    overview = desk.client.get(f"/projects/{desk.project_id}").text
    for page in (desk.show(), overview):
        assert "Fine-tuning the embedding" in page and "step 120 of 400" in page and "about 3 minutes left" in page
    desk.save(f"embedding/jobs/{job_id}/pause")
    assert "pauses after this step" in desk.show()
    with desk.site.database.writing() as session:
        job = session.scalars(select(Job)).one()
        job.state, job.pause_requested = "paused", False  # as the worker does
    assert '<span class="badge warn">paused</span>' in desk.show()
    assert '<span class="badge warn">paused</span>' in desk.client.get(f"/projects/{desk.project_id}").text
    desk.save(f"embedding/jobs/{job_id}/go-on")
    with desk.site.database.reading() as session:
        assert session.scalars(select(Job.state)).one() == "asked"
    for _ in range(2):  # a second click is none
        assert desk.save(f"embedding/jobs/{job_id}/stop").status_code == 303
    with desk.site.database.reading() as session:
        assert session.scalars(select(Job.cancel_requested)).one()
    assert [entry.act for entry in desk.noted()] == ["embedder.asked", "job.paused", "job.went_on", "job.stopped"]
    assert desk.save("embedding/jobs/none-of-ours/pause").status_code == 404


def test_the_last_verdict_is_said_with_its_day_and_its_answers(desk: Desk) -> None:
    crops(desk)
    tuned(desk, helped=False)
    day = f"{utc_now().day} {utc_now():%B %Y}"
    for page in (desk.show(), desk.client.get(f"/projects/{desk.project_id}").text):
        assert "It did not help: 79.0%." in page and day in page and "2,000 answers" in page
    tuned(desk)
    overview = desk.client.get(f"/projects/{desk.project_id}").text
    assert "Recognises 90.0% of held-out crops, before 80.0%." in overview and f"Fine-tuned on {day}" in overview
    with desk.site.database.writing() as session:
        job = ask(session, KIND, desk.project_id, {})
        job.state, job.error, job.ended_at = FAILED, "the disk is full", utc_now()
    for page in (desk.show(), desk.client.get(f"/projects/{desk.project_id}").text):
        assert "The last fine-tune: the disk is full. The embedder in use stays." in page


def test_embedders_are_listed_with_what_they_hold_and_an_older_one_comes_back_at_once(both_desks: Desk) -> None:
    desk = both_desks
    crops(desk)
    start_id = embedder_id(desk)
    made_id, _job_id = tuned(desk)
    shown = desk.show()
    assert "fake + 2,000 labels" in shown and "2.0 MB" in shown and "80.0% →</span> 90.0%" in shown
    assert f"embedding/{made_id}/" not in shown  # in use
    assert desk.save(f"embedding/{start_id}/use", version=7).status_code == 412
    with desk.site.database.reading() as session:
        old_classifier = session.scalars(select(Checkpoint.id).where(Checkpoint.kind == CLASSIFIER)).one()
    for _ in range(2):
        assert desk.save(f"embedding/{start_id}/use").status_code == 303
    project = desk.project
    assert (project.embedder_id, project.classifier_id, project.previous_embedder_id) == (
        start_id,
        old_classifier,
        made_id,
    )
    assert sorted(kind for kind, _ in desk.jobs() if kind != KIND) == ["embed", "learn"]
    assert "Went over to embedder fake" in desk.show()
    assert desk.save("embedding/999999/use").status_code == 404


def test_an_older_one_does_not_come_back_while_a_fine_tune_begins_from_the_one_in_use(desk: Desk) -> None:
    crops(desk)
    start_id = embedder_id(desk)
    tuned(desk)
    desk.save("embedding/fine-tune")
    answer = desk.save(f"embedding/{start_id}/use")
    assert answer.status_code == 409 and "a fine-tune is under way" in answer.text


def test_files_of_an_older_one_are_removed_after_a_question(desk: Desk) -> None:
    crops(desk)
    start_id = embedder_id(desk)
    made_id, _job_id = tuned(desk)
    assert desk.save(f"embedding/{made_id}/remove").status_code == 409  # in use
    desk.save(f"embedding/{start_id}/use")
    with desk.site.database.writing() as session:  # the worker has done it
        for job in session.scalars(select(Job)):
            job.state = DONE
    question = desk.client.get(f"/projects/{desk.project_id}/settings/embedding/{made_id}/remove").text
    assert "This embedder cannot come back." in question and "Remove 2.0 MB" in question
    assert desk.save(f"embedding/{made_id}/remove").status_code == 303
    with desk.site.database.reading() as session:
        assert session.get_one(Checkpoint, made_id).removed_at is not None
    assert desk.jobs()[-1] == ("discard", {"checkpoint_id": made_id})
    assert desk.save(f"embedding/{made_id}/use").status_code == 422
    assert "its files were removed" in desk.show()


def test_a_shipped_one_whose_vectors_went_is_used_when_every_crop_is_embedded_again(desk: Desk) -> None:
    crops(desk)
    start_id = embedder_id(desk)
    made_id, _job_id = tuned(desk)
    with desk.site.database.writing() as session:
        for box in session.scalars(select(Box)):
            box.vector_file = box.vector_row = None
    assert "Embed again and use" in desk.show()
    assert desk.save(f"embedding/{start_id}/use").status_code == 303
    assert embedder_id(desk) == made_id
    assert desk.jobs()[-1] == ("embed", {"checkpoint_id": start_id, "use": True, "start_id": made_id})
    assert "crops are being embedded" in desk.save(f"embedding/{start_id}/use").text


def test_an_embedder_of_another_project_is_nobody_s_here(desk: Desk) -> None:
    crops(desk)
    with desk.site.database.writing() as session:
        other = make.project(session)
        foreign = Checkpoint(project_id=other.id, kind=EMBEDDER, name="theirs", sha256="4" * 64)
        shipped = Checkpoint.known(session, EMBEDDER, "never used here", "5" * 64, {})
        session.add(foreign)
        session.flush()
        ids = (foreign.id, shipped.id)
    for checkpoint_id in ids:
        for what in ("use", "remove"):
            assert desk.save(f"embedding/{checkpoint_id}/{what}").status_code == 404
    assert "theirs" not in desk.show() and "never used here" not in desk.show()
