"""The photos of a job on their way: decoded, looked at and embedded ahead of the shard that is being written down.

Decisions: decoder processes keep photos coming; lanes (worker/device.py) take them in batches; the thread of the job hands
out and writes down, in order. A batch does not end where a shard ends (DECISIONS 4), and while one shard is committed the
lanes are at work on the next. What was seen ahead is thrown away when anything changed meanwhile (another embedder, another
threshold): it is looked at again, and nothing of it was written.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from models.storage import Store
from worker.device import Device, enter_lane
from worker.images.decoder import Decoded, DecoderPool
from worker.jobs.looking import PhotoRow, Seen, Visit

AHEAD = 8  # photos decoded and waiting for a lane; 12 megapixels are 36 MB each
MOST_AT_ONCE = 32  # photos in a batch; their pixels stay in memory until their crops are cut


class SeenAhead:
    """All photos of a job, shard after shard. A context manager; the end of it waits for the batches that are under way."""

    def __init__(
        self, pool: DecoderPool, store: Store, device: Device, rows_of: Callable[[int], list[PhotoRow]], shards: int
    ) -> None:
        """rows_of: the photos of a shard. pool: decoders for this job alone."""
        self._pool, self._store, self._rows_of, self._shards = pool, store, rows_of, shards
        self._at_once = min(device.photos, MOST_AT_ONCE)
        self._most_batches = device.lanes + 1  # one waits, so that no lane ever does
        self._lanes = ThreadPoolExecutor(device.lanes, "lane", enter_lane, (device.lane_threads,))
        self._next = -1
        self._visit: Visit | None = None
        self._coming: deque[PhotoRow] = deque()
        self._stream: Iterator[Decoded] = iter(())
        self._batches: deque[Future[list[Seen]]] = deque()
        self._seen: deque[Seen] = deque()

    def shard(self, number: int, rows: Sequence[PhotoRow], visit: Visit, breathe: Callable[[], None]) -> list[Seen]:
        """What the photos of one shard show. In order of shards and with the same visit the next one is already under way.

        Raises what visit.see() raises, and what breathe() raises between photos.
        """
        if number != self._next or visit is not self._visit:
            self._begin(number, visit)
        self._next = -1  # until this shard is whole, nobody can go on after it
        while len(self._seen) < len(rows):
            self._hand_out(visit, breathe)
            if not self._batches:
                break
            self._seen.extend(self._batches.popleft().result())
        self._hand_out(visit, breathe)
        seen = [self._seen.popleft() for _row in rows[: len(self._seen)]]
        if [each.row for each in seen] != list(rows):
            raise RuntimeError("the photos of a shard changed while it was looked at")
        self._next = number + 1
        return seen

    def close(self) -> None:
        """Drop what waits, and wait for what is under way."""
        self._lanes.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> SeenAhead:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self, number: int, visit: Visit) -> None:
        for batch in self._batches:
            batch.cancel()
        self._batches.clear()
        self._seen.clear()
        self._coming.clear()
        self._visit = visit
        self._stream = self._pool.decode(self._paths(number), ahead=max(AHEAD, 2 * self._pool.processes))

    def _hand_out(self, visit: Visit, breathe: Callable[[], None]) -> None:
        """Give every lane a batch, and have one more at hand."""
        while len(self._batches) < self._most_batches:
            batch = []
            for photo in islice(self._stream, self._at_once):
                breathe()
                batch.append((self._coming.popleft(), photo))
            if not batch:
                return
            self._batches.append(self._lanes.submit(visit.see, batch))

    def _paths(self, first: int) -> Iterator[Path]:
        for number in range(first, self._shards):
            for row in self._rows_of(number):
                self._coming.append(row)
                yield self._store.original(row.sha256)
