"""Photos go to the deployments that their folders name, a few at a time; bursts and times follow."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.batch import Batch
from models.clock import settle_times
from models.database import CHUNK_ROWS
from models.deployment import folder_of
from models.folders import FolderPattern, Named, place, read_pattern
from models.image import Image
from models.job import FOLDERS, Job
from models.project import Project
from models.queue import ask


def ask_to_place(session: Session, project: Project) -> Job | None:
    """At once where the project has few photos, else by the job returned."""
    photos = session.scalar(select(func.count()).select_from(Image).where(Image.project_id == project.id)) or 0
    if photos > CHUNK_ROWS:
        return ask(session, FOLDERS, project.id, {}, total=photos, line="Putting the photos into their deployments")
    _last, touched = place_some(session, project.id, 0)
    settle_times(session, project, touched)
    return None


def place_some(session: Session, project_id: int, after: int) -> tuple[int | None, set[int]]:
    """CHUNK_ROWS photos, by the pattern that counts now: (the last id; None at the end, deployments that won or lost)."""
    rows = session.execute(
        select(Image.id, Image.path, Image.deployment_id, Batch.name)
        .join(Batch, Batch.id == Image.batch_id)
        .where(Image.project_id == project_id, Image.id > after)
        .order_by(Image.id)
        .limit(CHUNK_ROWS)
    ).all()
    standing = FolderPattern.standing(session, project_id)
    pattern = read_pattern(standing.pattern) if standing else None
    wanted: dict[Named, list[tuple[int, int]]] = defaultdict(list)
    for image_id, path, deployment_id, batch in rows:
        named = (pattern.match(path) if pattern else None) or Named(folder_of(path, batch))
        wanted[named].append((image_id, deployment_id))
    touched: set[int] = set()
    for named, photos in wanted.items():
        deployment = place(session, project_id, named)
        moving = [(image_id, was) for image_id, was in photos if was != deployment.id]
        if moving:
            ids = [image_id for image_id, _was in moving]
            session.execute(update(Image).where(Image.id.in_(ids)).values(deployment_id=deployment.id))
            touched |= {was for _image_id, was in moving} | {deployment.id}
    return (rows[-1].id if len(rows) == CHUNK_ROWS else None), touched
