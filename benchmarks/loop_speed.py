"""How fast the whole loop is on real photos: three figures of one installation with the starter networks.

Photos a second of ingest; seconds from the last answer of a round to the next crop on the screen (real Chromium, real keys);
seconds of a learn job, from asked to switched, at 1,000 and 30,000 labels (drawn vectors of 50 species).
"""

from __future__ import annotations

import hashlib
import json
import statistics
import time
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from playwright.sync_api import Page

from benchmarks.desk import NEXT_CROP, label_page
from benchmarks.household import Household, household
from models.act import Act
from models.base import utc_now
from models.batch import Batch
from models.box import Box
from models.checkpoint import Checkpoint
from models.deployment import Deployment
from models.image import READY, Image
from models.importing import import_folder
from models.label import Label
from models.project import Project
from models.round import ask_learn
from models.species import Species
from models.vectors import write_vectors


def measure(photos: Path, round_size: int, pause_s: float) -> None:
    """Print a table for people, then one JSON object on the last line."""
    with household() as house:
        photos_per_s, ingested = ingest(house, photos, round_size)
        all_ms, ends_ms = label(house, pause_s)
        retrain = {count: learn(house, count) for count in (1_000, 30_000)}
    print(f"{'ingest, ' + str(ingested) + ' photos':44}{photos_per_s:10.2f} photos/s")
    print(f"{'key to next crop, ' + str(len(all_ms)) + ' answers, median':44}{statistics.median(all_ms):10.0f} ms")
    print(f"{'last of a round to next crop, ' + str(len(ends_ms)) + ' rounds, p95':44}{p95(ends_ms):10.0f} ms")
    for count, (cold_s, warm_s) in retrain.items():
        print(f"{f'learn job at {count:,} labels, from nothing':44}{cold_s:10.2f} s")
        print(f"{f'learn job at {count:,} labels, 100 more':44}{warm_s:10.2f} s")
    figures = {
        "photos_per_s": round(photos_per_s, 2),
        "next_crop_s_p95": round(p95(ends_ms) / 1000, 4),
        "retrain_1k_s": round(retrain[1_000][0], 3),
        "retrain_30k_s": round(retrain[30_000][0], 3),
    }
    print(json.dumps(figures))


def ingest(house: Household, folder: Path, round_size: int) -> tuple[float, int]:
    """(photos/s from the job's start to its end, how many photos)."""
    project_id = house.project("Photos", round_size=round_size)
    with house.database.writing() as session:
        for name in ("Fox", "Deer", "Cat"):
            Species.add(session, project_id, name)
    result = import_folder(
        house.database, house.store, project_id, folder, name="photos", by=None, progress=lambda _: None
    )
    if result.job_id is None:
        raise SystemExit(f"no photo in {folder}")
    job = house.wait_for(result.job_id)
    house.quiet(project_id)
    assert job.started_at is not None
    assert job.ended_at is not None
    return job.total / (job.ended_at - job.started_at).total_seconds(), job.total


def label(house: Household, pause_s: float) -> tuple[list[float], list[float]]:
    """Answer every crop by key; (milliseconds of every answer, of the last answers of rounds)."""
    every: list[float] = []
    ends: list[float] = []
    with label_page(house, 1) as page:
        while left := crops_left(page):
            milliseconds = page.evaluate(NEXT_CROP, "123"[len(every) % 3])
            every.append(milliseconds)
            if left == 1:
                ends.append(milliseconds)
            time.sleep(pause_s)
            if len(every) >= 400 or not unanswered(house):
                break
    return every, ends


def crops_left(page: Page) -> int:
    """How many crops of the round are open, as the page says it."""
    words = page.locator(".round .of").inner_text()  # Round 3 · 18 of 20
    number, size = words.split("·")[1].split(" of ")
    return int(size) - int(number) + 1


def unanswered(house: Household) -> int:
    """Crops beyond the last one: below two, another answer would leave nothing to show."""
    with house.database.reading() as session:
        project = session.get_one(Project, 1)
        count = session.scalar(
            sa.select(sa.func.count()).select_from(Box).where(
                Box.project_id == 1, Box.embedder_id.is_not(None), Box.score >= project.classify_above,
                Box.settled_species_id.is_(None),
            )
        )  # fmt: skip
    return max(0, (count or 0) - 1)


def learn(house: Household, count: int) -> tuple[float, float]:
    """Seconds of a learn job from asked to switched: (from nothing, warm with 100 more labels)."""
    project_id = house.project(f"{count} labels")
    seed_labels(house, project_id, count, crops=count + 2_000)
    return timed_learn(house, project_id, "first"), timed_learn(house, project_id, "second", more=100)


def timed_learn(house: Household, project_id: int, reason: str, more: int = 0) -> float:
    """Ask, wait for the switch."""
    if more:
        add_labels(house, project_id, more)
    house.quiet(project_id)
    with house.database.writing() as session:
        project = session.get_one(Project, project_id)
        before = project.classifier_id
        ask_learn(session, project, f"benchmark-{reason}")
    start = time.perf_counter()
    while True:
        with house.database.reading() as session:
            if session.get_one(Project, project_id).classifier_id != before:
                seconds = time.perf_counter() - start
                break
        time.sleep(0.01)
    house.quiet(project_id)
    return seconds


def seed_labels(house: Household, project_id: int, count: int, crops: int) -> None:
    """A project with drawn vectors of 50 species, `count` of its crops labelled; rows go in by the thousand."""
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(50, 256)).astype(np.float32)
    truth = np.minimum(rng.geometric(0.08, crops) - 1, 49)
    vectors = centres[truth] * 0.5 + rng.normal(size=(crops, 256)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with house.database.writing() as session:
        project = session.get_one(Project, project_id)
        embedder = session.scalars(sa.select(Checkpoint).where(Checkpoint.kind == "embedder")).first()
        assert embedder is not None, "the ingest comes first"
        project.embedder_id, project.classify_above, project.count_above = embedder.id, 0.5, 0.5
        for number in range(50):
            Species.add(session, project_id, f"Species {number}")
        batch = Batch(project_id=project_id, name="drawn vectors")
        session.add(batch)
        session.flush()
        deployment = Deployment.of_folder(session, project_id, "A")
        write_vectors(house.store, house.store.vectors(embedder.id, f"drawn-{project_id}.vectors"), vectors)
        images = [
            {
                "project_id": project_id, "batch_id": batch.id, "deployment_id": deployment.id, "path": f"A/{number}.jpg",
                "sha256": hashlib.sha256(f"{project_id}/{number}".encode()).hexdigest(), "size": 1, "state": READY, "reason": "",
                "created_at": utc_now(),
            }
            for number in range(crops)
        ]  # fmt: skip
        session.execute(sa.insert(Image), images)
        ids = session.scalars(sa.select(Image.id).where(Image.project_id == project_id).order_by(Image.id)).all()
        boxes = [
            {
                "project_id": project_id, "image_id": image_id, "ordinal": 1, "x_min": 0.1, "y_min": 0.1, "x_max": 0.9,
                "y_max": 0.9, "score": 0.9, "kind": "animal", "embedder_id": embedder.id,
                "vector_file": f"drawn-{project_id}.vectors", "vector_row": row, "created_at": utc_now(),
            }
            for row, image_id in enumerate(ids)
        ]  # fmt: skip
        session.execute(sa.insert(Box), boxes)
    np.save(house.settings.home / f"truth-{project_id}.npy", truth)
    add_labels(house, project_id, count)


def add_labels(house: Household, project_id: int, count: int) -> None:
    """Label the first `count` crops without a name by the truth, as one act."""
    truth = np.load(house.settings.home / f"truth-{project_id}.npy")
    with house.database.writing() as session:
        act, _fresh = Act.once(
            session, house.user_id, f"benchmark-{project_id}-{time.monotonic_ns()}", "answer", {}, project_id
        )
        species = session.scalars(
            sa.select(Species.id).where(Species.project_id == project_id, Species.kind == "taxon")
        )
        names = list(species)
        rows = session.execute(
            sa.select(Box.id, Box.vector_row)
            .where(Box.project_id == project_id, Box.settled_species_id.is_(None))
            .order_by(Box.id)
            .limit(count)
        ).all()
        labels = [
            {
                "project_id": project_id, "box_id": box_id, "user_id": house.user_id, "role": "admin", "act_id": act.id,
                "kind": "answer", "species_id": names[truth[row]], "certain": True, "guess": {}, "created_at": utc_now(),
            }
            for box_id, row in rows
        ]  # fmt: skip
        session.execute(sa.insert(Label), labels)
        said = session.execute(sa.select(Label.id, Label.box_id, Label.species_id).where(Label.act_id == act.id))
        session.execute(
            sa.update(Box),
            [
                {"id": box_id, "settled_label_id": label_id, "settled_species_id": species_id}
                for label_id, box_id, species_id in said
            ],
        )


def p95(values: list[float]) -> float:
    """The 95th percentile; of few values the largest."""
    return float(np.percentile(values, 95)) if values else float("nan")
