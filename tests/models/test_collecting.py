"""Files without a row go, the others stay."""

from __future__ import annotations

import os

from models.collecting import collect
from models.database import Database
from models.image import Image
from models.storage import Store
from tests import make

PHOTO = b"\xff\xd8\xff\xe0" + b"\0" * 60


def test_only_old_files_of_no_photo_are_removed(database: Database, store: Store) -> None:
    with database.writing() as session:
        batch = make.batch(session, make.project(session))
        kept = store.receive([PHOTO])
        image_id = batch.receive(session, "A/1.jpg", kept).image_id
    lost, fresh = store.receive([PHOTO + b"lost"]), store.receive([PHOTO + b"fresh"])
    store.write_cheaply(store.crop(lost.sha256, 1), b"crop")
    for path in (store.original(kept.sha256), store.original(lost.sha256), store.crops(lost.sha256)):
        os.utime(path, (1, 1))
    assert collect(database, store) == (2, lost.size + 4)
    assert store.has(kept.sha256) and store.has(fresh.sha256) and not store.has(lost.sha256)
    assert not store.crops(lost.sha256).exists()
    assert collect(database, store) == (0, 0)
    with database.writing() as session:
        image = session.get_one(Image, image_id)
        image.state = "erased"
    assert collect(database, store) == (1, kept.size)
