"""What exports cost: `python -m benchmarks.exports --images 1000000`.

A project of drawn rows at a hundred cameras, one box a photo, nine in ten guessed (rows and predictions only, no pictures):
seconds and growth of the process's memory of each format, written to nowhere, and of making all events anew. A table for people,
then one JSON object on the last line. Goals at a million: 60 s, 100 MB.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app.exports.formats import FORMATS, write_export
from benchmarks.drawn_project import furnished, guessed
from benchmarks.household import Household, household
from models.deployment import Deployment
from models.image import Image
from models.project import Project
from models.records import event_lines
from models.species import Species, TaxonId

CAMERAS = 100
SELF = Path("/proc/self")
STUDY = {"design": "opportunistic", "contributors": [{"title": "Nobody", "role": "contact"}]}


class Nowhere:
    """Counts the bytes."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, piece: bytes, /) -> None:
        """Forget it."""
        self.size += len(piece)


def main() -> None:
    """Measure, print."""
    ask_for = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask_for.add_argument("--images", type=int, default=100_000)
    ask_for.add_argument("--only", nargs="*", choices=list(FORMATS), help="these formats")
    given = ask_for.parse_args()
    with household(worker=False) as house:
        project_id = furnished(house, "Exports", given.images, 1000)
        guessed(house, project_id, 0.9)
        told(house, project_id)
        figures: dict[str, Any] = {
            name: measured(house, project_id, name) for name in FORMATS if not given.only or name in given.only
        }
        with house.database.reading() as session:
            start = time.perf_counter()
            events = sum(1 for _ in event_lines(session, house.store, session.get_one(Project, project_id)))
            figures["events_s"] = round(time.perf_counter() - start, 1)
    print(f"{given.images:,} photos, {events:,} events made in {figures['events_s']:.1f} s\n")
    print(f"{'format':16}{'seconds':>9}{'CPU s':>9}{'MB more':>9}{'MB out':>9}")
    for name in FORMATS:
        if name in figures:
            row = figures[name]
            print(f"{name:16}{row['seconds']:9.1f}{row['cpu_s']:9.1f}{row['rss_growth_mb']:9.1f}{row['mb']:9.1f}")
    print(json.dumps(figures))


def told(house: Household, project_id: int) -> None:
    """A hundred cameras, and what a package needs to be whole."""
    with house.database.writing() as session:
        low, high = session.execute(sa.select(sa.func.min(Image.id), sa.func.max(Image.id))).one()
        each = (high - low + CAMERAS) // CAMERAS
        first, last = session.execute(sa.select(sa.func.min(Image.taken_at), sa.func.max(Image.taken_at))).one()
        assert first is not None and last is not None  # all are dated
        for number in range(1, CAMERAS):
            camera = Deployment.of_folder(session, project_id, f"Camera {number:03}")
            here = Image.id.between(low + number * each, low + (number + 1) * each - 1)
            session.execute(sa.update(Image).where(here).values(deployment_id=camera.id))
        session.get_one(Project, project_id).publication = STUDY
        for camera in session.scalars(sa.select(Deployment).where(Deployment.project_id == project_id)):
            camera.starts_at, camera.ends_at = first, last + dt.timedelta(days=1)
            camera.latitude, camera.longitude = 5.1, -59.6
        for species in session.scalars(sa.select(Species).where(Species.project_id == project_id)):
            session.add(TaxonId(species_id=species.id, register="wildlife_insights", value=f"guid-{species.id}"))


def measured(house: Household, project_id: int, name: str) -> dict[str, float]:
    """Seconds, those of them on the processor, megabytes of memory at the peak above the start, megabytes written."""
    out = Nowhere()
    with house.database.reading() as session:
        (SELF / "clear_refs").write_text("5")  # the peak begins anew
        before = megabytes("VmRSS")
        start, cpu = time.perf_counter(), time.process_time()
        write_export(session, house.store, session.get_one(Project, project_id), name, out)
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    return {
        "seconds": round(seconds, 1), "cpu_s": round(cpu, 1), "rss_growth_mb": round(megabytes("VmHWM") - before, 1),
        "mb": round(out.size / 1e6, 1),
    }  # fmt: skip


def megabytes(name: str) -> float:
    """A figure of this process."""
    found = re.search(rf"{name}:\s+(\d+) kB", (SELF / "status").read_text())
    assert found is not None
    return int(found[1]) / 1000


if __name__ == "__main__":
    main()
