"""Files that belong to no photo: what a kill between a file and its row leaves behind. Doctor names them, this removes them."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select

from models.database import Database
from models.image import ERASED, Image
from models.storage import STAGED_S, Store

KINDS = ("originals", "thumbnails", "previews", "crops")


def collect(database: Database, store: Store, *, older_than_s: float = STAGED_S) -> tuple[int, int]:
    """Remove those that are older than any upload takes; (how many, bytes). Each is asked about again before it goes."""
    count = size = 0
    for path in strays(database, store, older_than_s):
        sha256 = path.name.removesuffix(".jpg")
        with database.writing() as session:
            if (
                session.scalar(select(Image.id).where(Image.sha256 == sha256, Image.state != ERASED).limit(1))
                is not None
            ):
                continue
            inside = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
            size += sum(each.stat().st_size for each in inside)
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        count += len(inside)
    return count, size


def strays(database: Database, store: Store, older_than_s: float) -> Iterator[Path]:
    """What lies in the store under a hash that no photo has."""
    with database.reading() as session:
        known = set(session.scalars(select(Image.sha256).where(Image.state != ERASED)))
    before = time.time() - older_than_s
    for kind in KINDS:
        for path in (store.root / kind).glob("*/*"):
            if path.name.removesuffix(".jpg") not in known and path.stat().st_mtime < before:
                yield path
