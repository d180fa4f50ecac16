"""Doctor: a healthy house has no finding, and each kind of damage is named."""

from __future__ import annotations

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.act import Act
from models.box import Box
from models.database import Database
from models.image import Image
from models.invariants import examine
from models.membership import Role
from models.storage import Store
from models.vectors import write_vectors
from tests import make


def healthy(session: Session, store: Store) -> Box:
    """A photo with every file it needs, one box, one round, one answer."""
    project = make.project(session)
    batch = make.batch(session, project)
    content = b"\xff\xd8\xff photo"
    received = store.receive([content])
    file = batch.receive(session, "Camera A/a.jpg", received)
    image = session.get_one(Image, file.image_id)
    image.state = "ready"
    store.write_cheaply(store.preview(received.sha256), b"preview")
    store.write_cheaply(store.thumbnail(received.sha256), b"thumbnail")
    box = make.box(session, image, vector_file="a.vectors", vector_row=0)
    project.embedder_id = box.embedder_id
    store.write_cheaply(store.crop(received.sha256, box.id), b"crop")
    assert box.embedder_id is not None
    write_vectors(store, store.vectors(box.embedder_id, "a.vectors"), np.zeros((1, 256), np.float32))
    make.round_of(session, project, [box])
    (fox,) = make.species(session, project, "Fox")
    who = make.user(session)
    act, _fresh = Act.once(session, who.id, "key-12345678", "answer", {}, project.id)
    box.answer(session, fox, by=who.id, role=Role.annotator, act=act)
    return box


def found(database: Database, store: Store, *, deep: bool = False) -> list[str]:
    return [finding.invariant for finding in examine(database, store, deep=deep)]


def test_a_healthy_house_has_no_finding(database: Database, store: Store) -> None:
    with database.writing() as session:
        healthy(session, store)
    assert found(database, store, deep=True) == []


def test_a_lost_original_is_named(sqlite_database: Database, store: Store) -> None:
    with sqlite_database.writing() as session:
        box = healthy(session, store)
        store.original(session.get_one(Image, box.image_id).sha256).unlink()
    assert found(sqlite_database, store) == ["I3 originals"]


def test_changed_bytes_are_found_by_the_deep_look(sqlite_database: Database, store: Store) -> None:
    with sqlite_database.writing() as session:
        box = healthy(session, store)
        path = store.original(session.get_one(Image, box.image_id).sha256)
    path.write_bytes(path.read_bytes()[::-1])
    assert found(sqlite_database, store) == []
    assert found(sqlite_database, store, deep=True) == ["I3 originals"]


def test_a_settled_name_that_nobody_said_is_named(sqlite_database: Database, store: Store) -> None:
    with sqlite_database.writing() as session:
        box = healthy(session, store)
        session.execute(sa.update(Box).where(Box.id == box.id).values(settled_label_id=None, settled_species_id=None))
    assert found(sqlite_database, store) == ["I8 settled names"]


def test_a_lost_pick_is_named(sqlite_database: Database, store: Store) -> None:
    with sqlite_database.writing() as session:
        healthy(session, store)
        session.execute(sa.text("delete from pick"))
    assert found(sqlite_database, store) == ["I7 rounds"]


def test_a_missing_vectors_file_is_named(sqlite_database: Database, store: Store) -> None:
    with sqlite_database.writing() as session:
        box = healthy(session, store)
        assert box.embedder_id is not None
        store.vectors(box.embedder_id, "a.vectors").unlink()
    assert found(sqlite_database, store) == ["I5 vectors"]


def test_a_broken_foreign_key_is_named(sqlite_database: Database, store: Store) -> None:
    with sqlite_database.writing() as session:
        box = healthy(session, store)
        session.commit()
        raw = session.connection().connection.driver_connection
        assert raw is not None
        raw.execute("rollback")
        raw.execute("pragma foreign_keys=off")
        raw.execute("update box set guess_species_id = 999 where id = ?", (box.id,))
        raw.execute("pragma foreign_keys=on")
    assert "I9" in found(sqlite_database, store)
