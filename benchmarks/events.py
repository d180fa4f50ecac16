"""How long events take to follow: `python -m benchmarks.events --images 1000000`.

Rows only, no photo: cameras with visits by chance, most photos with one box, half of the names by people and half by the
classifier. Timed are the worker's job for everything (a first time, and after another rule, when only rows that differ are
written), for one changed name, and the visits alone as exports make them, without a row written.
A table for people, then one JSON object on the last line.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from models.base import utc_now
from models.batch import Batch
from models.box import Box
from models.checkpoint import CLASSIFIER, Checkpoint
from models.database import Database
from models.deployment import Deployment
from models.event import LAST_RECORD, Event, mark_photos
from models.image import READY, Image
from models.predictions import write_part
from models.project import Project
from models.records import event_lines
from models.schema import migrate
from models.species import Species
from models.storage import Store
from worker.jobs.bench import Bench
from worker.jobs.events import refresh
from worker.jobs.networks import FileShelf, Networks

START = dt.datetime(2026, 1, 1)
SPECIES = 30
ROWS = 50_000  # written at once; nobody waits here


def main() -> None:
    """Measure, print."""
    ask_for = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask_for.add_argument("--images", type=int, default=1_000_000)
    ask_for.add_argument("--cameras", type=int, default=200)
    ask_for.add_argument(
        "--database-url", default="", help="of an empty database; SQLite in a folder of its own otherwise"
    )
    given = ask_for.parse_args()
    with tempfile.TemporaryDirectory() as folder, opened(folder, given.database_url) as database:
        store = Store(Path(folder) / "store")
        project_id = furnish(database, store, given.images, given.cameras)
        bench = Bench("bench", database, store, Networks(store, FileShelf(Path(folder)), 0))
        figures = measure(bench, project_id)
    print(f"{given.images:,} photos of {given.cameras:,} cameras, {SPECIES} species, {figures['events']:,.0f} events\n")
    for name, figure in figures.items():
        print(f"{name:18}{figure:12,.3f}")
    print(json.dumps(figures))


@contextmanager
def opened(folder: str, url: str) -> Iterator[Database]:
    """A migrated database."""
    database = Database(url or f"sqlite:///{folder}/waterhole.sqlite")
    migrate(database)
    yield database
    database.dispose()


def measure(bench: Bench, project_id: int) -> dict[str, float]:
    """Seconds of each."""
    start = time.process_time()
    figures = {"events_s": timed(lambda: refresh(bench, project_id)), "events_cpu_s": time.process_time() - start}
    figures["events"] = float(count(bench, project_id))
    change(bench, project_id, event_rule=LAST_RECORD)
    figures["other_rule_s"] = timed(lambda: refresh(bench, project_id))
    figures["one_label_s"] = min(one_label(bench, project_id) for _ in range(3))
    with bench.database.reading() as session:
        project = session.get_one(Project, project_id)
        figures["streamed_s"] = timed(lambda: sum(1 for _ in event_lines(session, bench.store, project)))
    figures["nothing_s"] = timed(lambda: refresh(bench, project_id))
    return {name: round(figure, 3) for name, figure in figures.items()}


def timed(do: Callable[[], object]) -> float:
    """Seconds."""
    start = time.perf_counter()
    do()
    return time.perf_counter() - start


def count(bench: Bench, project_id: int) -> int:
    """Events that there are."""
    with bench.database.reading() as session:
        return session.scalar(sa.select(sa.func.count()).where(Event.project_id == project_id)) or 0


def change(bench: Bench, project_id: int, **columns: Any) -> None:
    """A setting."""
    with bench.database.writing() as session:
        session.execute(sa.update(Project).where(Project.id == project_id).values(columns))


def one_label(bench: Bench, project_id: int) -> float:
    """A crop gets another name; seconds until its events have followed."""
    with bench.database.writing() as session:
        box = session.scalars(
            sa.select(Box).where(Box.project_id == project_id, Box.settled_species_id.is_not(None)).limit(1)
        ).one()
        other = sa.select(Species.id).where(Species.project_id == project_id, Species.id != box.settled_species_id)
        box.settled_species_id = session.scalar(other.order_by(Species.id.desc()).limit(1))
        mark_photos(session, project_id, [box.image_id])
    return timed(lambda: refresh(bench, project_id))


def furnish(database: Database, store: Store, images: int, cameras: int) -> int:
    """A project of so many photos."""
    rng = np.random.default_rng(1)
    with database.writing() as session:
        project = Project.start(session, "Events")
        species = [Species.add(session, project.id, f"Species {number}", hotkey=None).id for number in range(SPECIES)]
        batch = Batch(project_id=project.id, name="rows")
        session.add(batch)
        session.flush()
        stations = [Deployment.of_folder(session, project.id, f"C{number:04}").id for number in range(cameras)]
        classifier = Checkpoint(project_id=project.id, kind=CLASSIFIER, name="rows", sha256="0" * 64, card={})
        session.add(classifier)
        session.flush()
        project.classifier_id, project_id, batch_id = classifier.id, project.id, batch.id
        classifier.predictions = f"predictions/{classifier.id}"
        classifier_id = classifier.id
    visits = images // 6 + 1
    of = np.sort(rng.integers(0, visits, images))  # the visit of each photo
    weights = 1 / np.arange(1, SPECIES + 1)
    camera = rng.integers(0, cameras, visits)[of]
    second = rng.integers(0, 365 * 86_400, visits)[of] + rng.integers(0, 900, images)
    name = rng.choice(SPECIES, visits, p=weights / weights.sum())[of]
    by_person = rng.random(images) < 0.5
    for start in range(0, images, ROWS):
        rows = range(start, min(start + ROWS, images))
        with database.writing() as session:
            session.execute(sa.insert(Image), [
                {
                    "id": row + 1, "project_id": project_id, "batch_id": batch_id, "deployment_id": stations[camera[row]],
                    "path": f"C{camera[row]:04}/IMG_{row:07}.JPG", "sha256": f"{row:064x}", "size": 1, "state": READY,
                    "reason": "", "captured_at": (at := START + dt.timedelta(seconds=int(second[row]))), "taken_at": at,
                    "created_at": utc_now(), "favorite": False, "setup": "", "capture_method": "", "details": {},
                }
                for row in rows
            ])  # fmt: skip
            session.execute(sa.insert(Box), [
                {
                    "id": row + 1, "project_id": project_id, "image_id": row + 1, "ordinal": 1, "x_min": 0.2, "y_min": 0.3,
                    "x_max": 0.5, "y_max": 0.6, "score": 0.95, "kind": "animal", "created_at": utc_now(), "drawn": False,
                    "settled_species_id": species[name[row]] if by_person[row] else None,
                }
                for row in rows
            ])  # fmt: skip
    probabilities = np.full((images, SPECIES), 0.01, np.float16)
    probabilities[np.arange(images), name] = 0.7
    write_part(store, store.predictions(classifier_id), "all", np.arange(1, images + 1), probabilities, species)
    return project_id


if __name__ == "__main__":
    main()
