"""Photos seen ahead: in order, in batches that do not end with a shard, thrown away when anything changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from models.storage import Store
from tests import fakes
from tests.worker.conftest import until
from worker.device import Device
from worker.images.decoder import Decoded, DecoderPool
from worker.jobs.ahead import SeenAhead
from worker.jobs.looking import PhotoRow, Seen

DEVICE = Device("cpu", "fake", fast_bf16=False, photos=3, crops=8, lanes=2)
SHARD = 4


class Notes:
    """In place of a visit: remembers the batches and the threads; gives a photo its row back."""

    def __init__(self, breaks_on: int | None = None) -> None:
        self.batches: list[list[int]] = []
        self.threads: set[str] = set()
        self.breaks_on = breaks_on
        self._mutex = threading.Lock()

    def see(self, batch: list[tuple[PhotoRow, Decoded]]) -> list[Seen]:
        with self._mutex:
            self.batches.append([row.id for row, _photo in batch])
            self.threads.add(threading.current_thread().name)
        if self.breaks_on in [row.id for row, _photo in batch]:
            raise ArithmeticError("broken")
        return [Seen(row, photo.verdict) for row, photo in batch]


@pytest.fixture
def rows(store: Store) -> list[PhotoRow]:
    """Eleven photos, the sixth of them broken: two whole shards and a short one."""
    made = []
    for number in range(11):
        content = fakes.photo([("fox", (10, 10, 40, 40))], noise=number)
        received = store.receive([content if number != 5 else content[:-200]])
        made.append(PhotoRow(number, received.sha256, f"{number}.jpg"))
    return made


@pytest.fixture
def make_ahead(rows: list[PhotoRow], pool: DecoderPool, store: Store) -> Iterator[Callable[[Device], SeenAhead]]:
    made: list[SeenAhead] = []

    def make(device: Device = DEVICE) -> SeenAhead:
        made.append(SeenAhead(pool, store, device, lambda n: rows[n * SHARD : (n + 1) * SHARD], shards=3))
        return made[-1]

    yield make
    for each in made:
        each.close()


def breathe() -> None:
    pass


def shards_of(ahead: SeenAhead, rows: list[PhotoRow], notes: Notes, numbers: tuple[int, ...] = (0, 1, 2)) -> list[int]:
    """The ids that came out, shard after shard."""
    ids = []
    for number in numbers:
        seen = ahead.shard(number, rows[number * SHARD : (number + 1) * SHARD], notes, breathe)  # type: ignore[arg-type]
        ids += [each.row.id for each in seen]
    return ids


def test_photos_come_out_in_order_and_batches_reach_over_the_ends_of_shards(
    make_ahead: Callable[..., SeenAhead], rows: list[PhotoRow]
) -> None:
    notes = Notes()
    assert shards_of(make_ahead(), rows, notes) == list(range(11))
    assert sorted(notes.batches) == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10]]
    assert len(notes.threads) <= 2 and threading.current_thread().name not in notes.threads


def test_a_gpu_takes_more_photos_at_once_than_a_shard_has(
    make_ahead: Callable[..., SeenAhead], rows: list[PhotoRow]
) -> None:
    notes = Notes()
    assert shards_of(make_ahead(replace(DEVICE, photos=8)), rows, notes) == list(range(11))
    assert sorted(notes.batches) == [list(range(8)), [8, 9, 10]]


def test_while_one_shard_is_written_down_the_lanes_see_the_next(
    make_ahead: Callable[..., SeenAhead], rows: list[PhotoRow]
) -> None:
    notes, ahead = Notes(), make_ahead()
    shards_of(ahead, rows, notes, (0,))
    until(lambda: [6, 7, 8] in notes.batches)


def test_what_was_seen_ahead_is_seen_again_when_something_changed(
    make_ahead: Callable[..., SeenAhead], rows: list[PhotoRow]
) -> None:
    before, after, ahead = Notes(), Notes(), make_ahead()
    shards_of(ahead, rows, before, (0,))
    assert shards_of(ahead, rows, after, (1, 2)) == list(range(4, 11))
    assert sorted(after.batches) == [[4, 5, 6], [7, 8, 9], [10]]


def test_a_shard_that_was_done_before_is_passed_over(
    make_ahead: Callable[..., SeenAhead], rows: list[PhotoRow]
) -> None:
    notes = Notes()
    assert shards_of(make_ahead(), rows, notes, (1,)) == [4, 5, 6, 7]
    assert shards_of(make_ahead(), rows, Notes(), (2, 0)) == [8, 9, 10, 0, 1, 2, 3]


def test_a_batch_that_breaks_is_raised_and_the_shard_can_be_tried_again(
    make_ahead: Callable[..., SeenAhead], rows: list[PhotoRow]
) -> None:
    notes, ahead = Notes(breaks_on=4), make_ahead()
    with pytest.raises(ArithmeticError):
        shards_of(ahead, rows, notes, (0, 1))
    notes.breaks_on = None
    assert shards_of(ahead, rows, notes, (0, 1, 2)) == list(range(11))


def test_photos_that_changed_meanwhile_are_an_error(make_ahead: Callable[..., SeenAhead], rows: list[PhotoRow]) -> None:
    with pytest.raises(RuntimeError, match="changed while"):
        make_ahead().shard(0, rows[1:5], Notes(), breathe)  # type: ignore[arg-type]


def test_the_word_to_stop_is_heard_between_photos(make_ahead: Callable[..., SeenAhead], rows: list[PhotoRow]) -> None:
    class Stop(BaseException):
        pass

    def stop() -> None:
        raise Stop

    with pytest.raises(Stop):
        make_ahead().shard(0, rows[:4], Notes(), stop)  # type: ignore[arg-type]


def test_a_broken_photo_keeps_its_place(make_ahead: Callable[..., SeenAhead], rows: list[PhotoRow]) -> None:
    seen = make_ahead().shard(1, rows[4:8], Notes(), breathe)  # type: ignore[arg-type]
    assert [each.state for each in seen] == ["accept", "quarantine", "accept", "accept"]
