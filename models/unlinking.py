"""The pictures of a photo that is gone: whatever nothing refers to any more is unlinked.

Asked and done in one writing transaction, and whoever brings a photo in looks in theirs whether its file still lies there
(app/uploads/taking.py), so that bytes that somebody brings at this very moment are not taken from under them.
"""

from __future__ import annotations

import shutil

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.box import Box
from models.image import ERASED, Image
from models.storage import Store


def unlink_unused(session: Session, store: Store, sha256: str) -> None:
    """The original of a photo that was not taken in, unless somebody has it."""
    has_it = select(Image.id).where(Image.sha256 == sha256, Image.state != ERASED).limit(1)
    if session.scalar(has_it) is None:
        store.original(sha256).unlink(missing_ok=True)


def unlink_pictures(session: Session, store: Store, project_id: int, sha256: str) -> None:
    """Original, thumbnail, preview and crops, unless another project has the photo; the blurred ones of this project."""
    others = select(Image.id).where(Image.sha256 == sha256, Image.state != ERASED)
    image_ids = list(session.scalars(others))
    crops = store.crops(sha256)
    shutil.rmtree(store.blurred_ones(project_id, sha256), ignore_errors=True)
    if image_ids:
        needed = {f"{box_id}.jpg" for box_id in session.scalars(select(Box.id).where(Box.image_id.in_(image_ids)))}
        for path in list(crops.glob("*.jpg")):
            if path.name not in needed:
                path.unlink(missing_ok=True)
        return
    for path in (store.original(sha256), store.thumbnail(sha256), store.preview(sha256)):
        path.unlink(missing_ok=True)
    shutil.rmtree(crops, ignore_errors=True)
