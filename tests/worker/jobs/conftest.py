"""A workplace with fakes, over both kinds of database. Decoders are started once for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from models.database import Database
from models.storage import Store
from tests.fakes import FakeShelf
from tests.worker.jobs import scenes
from tests.worker.jobs.scenes import Scene
from worker.images.decoder import DecoderPool
from worker.jobs.bench import Bench
from worker.jobs.networks import Networks


@dataclass
class TestBench(Bench):
    """A workplace whose decoders stay."""

    __test__ = False
    pool: DecoderPool | None = None

    @contextmanager
    def decoders(self) -> Iterator[DecoderPool]:
        """The pool of all tests."""
        assert self.pool is not None
        with self.photos:
            yield self.pool


@pytest.fixture(scope="session")
def pool() -> Iterator[DecoderPool]:
    """One decoder process."""
    with DecoderPool(1) as made:
        yield made


def scene_on(database: Database, store: Store, pool: DecoderPool) -> Scene:
    bench = TestBench("worker-test", database, store, Networks(store, FakeShelf()), pool=pool)
    return scenes.scene(database, bench, first_round=10, round_size=10)


@pytest.fixture
def scene(database: Database, store: Store, pool: DecoderPool) -> Scene:
    """An empty project, once on each database."""
    return scene_on(database, store, pool)


@pytest.fixture
def sqlite_scene(sqlite_database: Database, store: Store, pool: DecoderPool) -> Scene:
    """An empty project, where the kind of database does not matter."""
    return scene_on(sqlite_database, store, pool)


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """4 photos a shard, so that a dozen of photos make three."""
    monkeypatch.setattr("models.batch.SHARD_PHOTOS", 4)
    monkeypatch.setattr("worker.jobs.crop.SHARD_PHOTOS", 4)
