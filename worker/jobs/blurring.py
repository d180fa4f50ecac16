"""The blur job: pictures with the people on them blurred, for the photos of a project that lack them.

The pages ask for it as soon as one is missing, so it also makes what a lost cache lost. Until a picture is there, a page gets a
grey one. A job makes AT_MOST and asks for the next one, so that no round waits long behind it. Each picture is written whole or
not at all, and doing one twice changes nothing.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import select

from models.box import Box
from models.job import Job
from models.privacy import WithPeople, ask_blurs, mark_of, photos_with_people
from worker.images.blur import WHOLE, Corners, blurred
from worker.jobs.bench import Bench, Step

AT_ONCE = 500  # photos in one question
AT_MOST = 200  # that are blurred in one job: about ten seconds

Sights = dict[int, Corners]


def blur(bench: Bench, job: Job, step: Step) -> None:
    """As many photos as one job makes; where that was not all, another job."""
    if step("photos", lambda: blur_photos(bench, job.project_id)) >= AT_MOST:
        step("rest", lambda: ask_for_rest(bench, job.project_id))


def blur_photos(bench: Bench, project_id: int) -> int:
    """Those that lack something, by rising id. How many."""
    after = made = 0
    while made < AT_MOST:
        with bench.database.reading() as session:
            photos = photos_with_people(session, project_id, after, AT_ONCE)
        if not photos:
            break
        sights = sights_on(bench, [photo.image_id for photo in photos])
        for photo in photos:
            bench.breathe()
            made += blur_photo(bench, project_id, photo, sights[photo.image_id])
        after = photos[-1].image_id
    return made


def ask_for_rest(bench: Bench, project_id: int) -> int:
    """Another job; 0 when one waits already."""
    with bench.database.writing() as session:
        return int(ask_blurs(session, project_id) is not None)


def blur_photo(bench: Bench, project_id: int, photo: WithPeople, sights: Sights) -> bool:
    """Make whatever of its pictures is missing; those of where people were before go. Whether anything was missing."""
    mark = mark_of(photo.boxes)
    folder = bench.store.blurred(project_id, photo.sha256, mark)
    wanted = [
        (source, folder / f"{name}.jpg", sight)
        for name, source, sight in pictures_of(bench, photo.sha256, sights)
        if source.is_file() and not (folder / f"{name}.jpg").is_file()
    ]
    for source, target, sight in wanted:
        bench.store.write_cheaply(target, blurred(source.read_bytes(), photo.boxes, sight))
    if wanted:
        for other in bench.store.blurred_ones(project_id, photo.sha256).iterdir():
            if other.name != mark:
                shutil.rmtree(other, ignore_errors=True)
    return bool(wanted)


def pictures_of(bench: Bench, sha256: str, sights: Sights) -> Iterable[tuple[str, Path, Corners]]:
    """(name, where the sharp one lies, which part of the photo it shows)."""
    yield "thumbnail", bench.store.thumbnail(sha256), WHOLE
    yield "preview", bench.store.preview(sha256), WHOLE
    for box_id, sight in sights.items():
        yield f"crop-{box_id}", bench.store.crop(sha256, box_id), sight


def sights_on(bench: Bench, image_ids: list[int]) -> dict[int, Sights]:
    """Image id -> box id -> its corners, for each box that may have a crop."""
    wanted = select(Box.image_id, Box.id, Box.x_min, Box.y_min, Box.x_max, Box.y_max)
    found: dict[int, Sights] = defaultdict(dict)
    with bench.database.reading() as session:
        for image_id, box_id, *corners in session.execute(wanted.where(Box.image_id.in_(image_ids))):
            found[image_id][box_id] = (corners[0], corners[1], corners[2], corners[3])
    return found
