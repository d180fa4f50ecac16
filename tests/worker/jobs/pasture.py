"""A scene with crops, vectors and answers that no job made: a fine-tune's test need not wait for an ingest."""

from __future__ import annotations

import numpy as np
from sqlalchemy import select

from models.box import Box
from models.checkpoint import Checkpoint
from models.embedders import embedder
from models.fine_tune import FineTune, ask_fine_tune
from models.image import READY, Image
from models.job import DONE
from models.project import Project
from models.queue import ask
from models.round import ask_learn
from models.storage import Store
from models.vectors import write_vectors
from tests import fakes, make
from tests.worker.jobs.scenes import NAMES, Scene, say
from worker.images.crops import CROP_PX, to_jpeg


def graze(scene: Scene, crops: int, *, start: int = 0) -> list[int]:
    """That many more crops, one a photo, of four species in turn on three cameras; their box ids."""
    scene.bench.networks.equip(scene.database, scene.project_id)
    cuts = np.stack([coloured(number) for number in range(start, start + crops)])
    vectors = fakes.ColourEmbedder().embed(cuts)
    with scene.database.writing() as session:
        project = session.get_one(Project, scene.project_id)
        batch = make.batch(session, project)
        job = ask(session, "ingest", project.id, {"batch_id": batch.id, "shards": 0}, total=crops)
        job.state, job.done = DONE, crops
        file = f"{job.id}-0.vectors"
        ids = [
            one(session, scene.store, project, batch, number, file, number - start)
            for number in range(start, start + crops)
        ]
        for box_id, cut in zip(ids, cuts, strict=True):
            sha256 = session.scalars(select(Image.sha256).join(Box).where(Box.id == box_id)).one()
            scene.store.write_cheaply(scene.store.crop(sha256, box_id), to_jpeg(cut))
    write_vectors(scene.store, scene.store.vectors(project.embedder_id, file), vectors)
    return ids


def coloured(number: int) -> np.ndarray:
    """A crop in the colour of its species, a little brighter or darker than the others."""
    colour = np.array(fakes.COLOURS[NAMES[number % len(NAMES)]])
    return np.broadcast_to(np.clip(colour + number % 9, 0, 255), (CROP_PX, CROP_PX, 3)).astype(np.uint8)


def one(session, store: Store, project: Project, batch, number: int, file: str, row: int) -> int:  # type: ignore[no-untyped-def]
    """A photo that was looked through, with one box."""
    content = fakes.photo([(NAMES[number % len(NAMES)], (10, 20, 50, 60))], noise=number)
    received = batch.receive(session, f"Camera {number % 3}/{number:04}.JPG", store.receive([content]))
    image = session.get_one(Image, received.image_id)
    image.state, image.width_px, image.height_px = READY, 160, 120
    for path in (store.preview(image.sha256), store.thumbnail(image.sha256)):
        store.write_cheaply(path, b"small")
    box = make.box(session, image, embedder_id=project.embedder_id, vector_file=file, vector_row=row)
    return box.id


def name(scene: Scene, box_ids: list[int], names: tuple[str, ...] = NAMES) -> None:
    """The person names each crop in turn."""
    with scene.database.writing() as session:
        for place, box_id in enumerate(box_ids):
            say(session, scene, session.get_one(Box, box_id), names[place % len(names)])


def learn(scene: Scene, reason: str = "test") -> None:
    """A learn job on everything said so far, done."""
    with scene.database.writing() as session:
        job_id = ask_learn(session, session.get_one(Project, scene.project_id), reason).id
    assert scene.run(job_id).error == ""


def asked(scene: Scene, **recipe: object) -> str:
    """A fine-tune that waits for its turn; its job's id."""
    with scene.database.writing() as session:
        project = session.get_one(Project, scene.project_id)
        return ask_fine_tune(session, project, {"threshold": None, "recipe": recipe}).id


def verdict(scene: Scene, job_id: str) -> FineTune | None:
    """The row of a fine-tune."""
    with scene.database.reading() as session:
        return FineTune.of_job(session, job_id)


def in_use(scene: Scene) -> tuple[Checkpoint, Checkpoint | None]:
    """Embedder and classifier."""
    with scene.database.reading() as session:
        project = session.get_one(Project, scene.project_id)
        classifier = session.get(Checkpoint, project.classifier_id) if project.classifier_id else None
        return embedder(session, project, project.embedder_id or 0), classifier
