"""A project of drawn photos with one crop each, in bursts of three, for benchmarks of pages: no worker made it."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import random

import numpy as np
import sqlalchemy as sa
from PIL import Image as Picture
from PIL import ImageDraw

from benchmarks.household import Household
from models.base import utc_now
from models.batch import Batch
from models.box import Box
from models.checkpoint import CLASSIFIER, EMBEDDER, Checkpoint
from models.deployment import Deployment
from models.image import READY, Image
from models.likeness import Likeness
from models.predictions import write_part
from models.project import Project
from models.queue import ask
from models.round import Round
from models.sequence import regroup
from models.species import Species
from models.vectors import write_vectors

START = dt.datetime(2026, 3, 1, 6, 0, 0)
NAMES = ("Jaguar", "Ocelot", "Puma")
PICTURES = 50  # different photos; the others have the same pixels under other names


def furnished(house: Household, name: str, crops: int, asked: int) -> int:
    """A project of so many photos with one crop each, in bursts of three, and one round that asks about the first ones."""
    project_id = house.project(name)
    drawn = [picture(number) for number in range(PICTURES)]
    with house.database.writing() as session:
        project = session.get_one(Project, project_id)
        embedder = Checkpoint.known(session, EMBEDDER, "drawn", "0" * 64, {})
        file = f"drawn-{project_id}.vectors"
        project.embedder_id, project.classify_above = embedder.id, 0.5
        for species in NAMES:
            Species.add(session, project_id, species)
        batch = Batch(project_id=project_id, name="drawn")
        session.add(batch)
        session.flush()
        deployment = Deployment.of_folder(session, project_id, "A")
        images = [
            {
                "project_id": project_id, "batch_id": batch.id, "deployment_id": deployment.id, "path": f"A/{number}.jpg",
                "sha256": hashlib.sha256(f"{name}/{number}".encode()).hexdigest(), "size": 1, "state": READY, "reason": "",
                "width_px": 640, "height_px": 480, "created_at": utc_now(),
                "captured_at": (at := START + dt.timedelta(minutes=10 * (number // 3), seconds=number % 3)),
                "taken_at": at,
            }
            for number in range(crops)
        ]  # fmt: skip
        session.execute(sa.insert(Image), images)
        found = session.execute(
            sa.select(Image.id, Image.sha256).where(Image.project_id == project_id).order_by(Image.id)
        )
        photos = [(row.id, row.sha256) for row in found]
        boxes = [
            {
                "project_id": project_id, "image_id": image_id, "ordinal": 1, "x_min": 0.2, "y_min": 0.3, "x_max": 0.5,
                "y_max": 0.6, "score": 0.9, "kind": "animal", "embedder_id": embedder.id, "vector_file": file,
                "vector_row": row, "created_at": utc_now(),
            }
            for row, (image_id, _sha256) in enumerate(photos)
        ]  # fmt: skip
        session.execute(sa.insert(Box), boxes)
        vectors = np.random.default_rng(1).normal(size=(crops, 256)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        write_vectors(house.store, house.store.vectors(embedder.id, file), vectors)
        regroup(session, deployment.id, 60)
        ids = list(session.scalars(sa.select(Box.id).where(Box.project_id == project_id).order_by(Box.id)))
        job = ask(session, "learn", project_id, {})
        job.state = "done"
        Round.choose(
            session, project, ids[:asked], strategy="random", seed=1, embedder_id=embedder.id, classifier_id=None,
            job_id=job.id,
        )  # fmt: skip
    for number, (box_id, (_image_id, sha256)) in enumerate(zip(ids[:asked], photos, strict=False)):
        paths = (house.store.preview(sha256), house.store.thumbnail(sha256), house.store.crop(sha256, box_id))
        for path in paths:
            house.store.write_cheaply(path, drawn[number % PICTURES])
    return project_id


def picture(number: int) -> bytes:
    """A JPEG with an animal of some colour in grass."""
    shades = random.Random(number)
    drawn = Picture.effect_noise((640, 480), 40).convert("RGB")
    ImageDraw.Draw(drawn).ellipse([128, 144, 320, 288], fill=(shades.randrange(100, 250), 120, 90))
    with io.BytesIO() as file:
        drawn.save(file, "JPEG", quality=85)
        return file.getvalue()


def guessed(house: Household, project_id: int, right: float) -> dict[int, int]:
    """Give the project a classifier that is right so often, and places by true name, as a learn job would; box id -> place of
    its true name in NAMES.
    """
    rng = np.random.default_rng(2)
    with house.database.writing() as session:
        project = session.get_one(Project, project_id)
        ids = np.array(session.scalars(sa.select(Box.id).where(Box.project_id == project_id).order_by(Box.id)).all())
        classes = [Species.named(session, project_id, name) for name in NAMES]
        species = [each.id for each in classes if each is not None]
        true = rng.integers(0, len(NAMES), len(ids))
        says = np.where(rng.random(len(ids)) < right, true, (true + rng.integers(1, len(NAMES), len(ids))) % len(NAMES))
        rows = np.full((len(ids), len(NAMES)), 0.1)
        rows[np.arange(len(ids)), says] = rng.uniform(0.5, 1, len(ids))
        learnt = Checkpoint(
            project_id=project_id, kind=CLASSIFIER, name="drawn", sha256="0" * 64, parent_id=project.embedder_id,
            label_count=1000, classes=species,
        )  # fmt: skip
        session.add(learnt)
        session.flush()
        folder = house.store.predictions(f"drawn-{learnt.id}")
        write_part(house.store, folder, "all", ids, rows / rows.sum(axis=1, keepdims=True), species)
        learnt.predictions = house.store.relative(folder)
        project.classifier_id = learnt.id
        places = [
            {"box_id": box_id, "project_id": project_id, "embedder_id": project.embedder_id, "place": float(place)}
            for box_id, place in zip(ids.tolist(), true + rng.random(len(ids)), strict=True)
        ]
        session.execute(sa.insert(Likeness), places)
    return dict(zip(ids.tolist(), true.tolist(), strict=True))
