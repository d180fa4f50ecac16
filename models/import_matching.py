"""Which photo of the project a path of a foreign file means. Paths are data: they are compared, never opened (FORMATS 1.4).

The same path first; else without regard to case; else where one path ends with the other, folder by folder, the longest such end.
Two photos that fit equally well are a question for a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.batch import Batch, BatchFile, absent_sha256
from models.database import CHUNK_ROWS
from models.image import Image


@dataclass(frozen=True)
class Found:
    """image_id: the photo, none where the project lacks it. rivals: paths between which nobody can choose."""

    image_id: int | None = None
    rivals: tuple[str, ...] = ()


class Finder:
    """The names of one project. Paths that are not found as they stand make it read every name once: about 250 bytes a file, so
    a quarter of a gigabyte at a million photos."""

    def __init__(self, session: Session, project_id: int) -> None:
        """Reads nothing yet but the ids of the batches."""
        self._session, self._project_id = session, project_id
        self._batches = list(session.scalars(select(Batch.id).where(Batch.project_id == project_id)))
        self._by_name: dict[str, list[tuple[str, int]]] | None = None

    def find(self, paths: Sequence[str]) -> dict[str, Found]:
        """Each path with what it means."""
        found: dict[str, Found] = {}
        for start in range(0, len(paths), CHUNK_ROWS):
            found |= self.exact(paths[start : start + CHUNK_ROWS])
        return found | {path: self._near(path) for path in paths if path not in found}

    def exact(self, paths: Sequence[str]) -> dict[str, Found]:
        """Those that are found as they stand (some hundred)."""
        hashes = {absent_sha256(self._project_id, path): path for path in paths}
        named = select(Image.sha256, Image.id).where(Image.project_id == self._project_id, Image.sha256.in_(hashes))
        absent = {hashes[sha256]: image_id for sha256, image_id in self._session.execute(named)}
        here: dict[str, set[int]] = {path: {image_id} for path, image_id in absent.items()}
        rows = select(BatchFile.path, BatchFile.image_id).where(
            BatchFile.batch_id.in_(self._batches), BatchFile.path.in_(paths), BatchFile.image_id.is_not(None)
        )
        for path, image_id in self._session.execute(rows):
            assert image_id is not None
            here.setdefault(path, set()).add(image_id)
        return {
            path: Found(min(ids)) if len(ids) == 1 else Found(rivals=(path,) * len(ids)) for path, ids in here.items()
        }

    def _near(self, path: str) -> Found:
        wanted = path.casefold()
        fits: dict[int, set[int]] = {}
        names: dict[int, str] = {}
        for here, image_id in self._names().get(wanted.rpartition("/")[2], []):
            if here == wanted or here.endswith(f"/{wanted}") or wanted.endswith(f"/{here}"):
                fits.setdefault(1 + min(here.count("/"), wanted.count("/")) + (here == wanted), set()).add(image_id)
                names[image_id] = here
        if not fits:
            return Found()
        best = fits[max(fits)]
        return Found(next(iter(best))) if len(best) == 1 else Found(rivals=tuple(sorted(names[each] for each in best)))

    def _names(self) -> dict[str, list[tuple[str, int]]]:
        if self._by_name is None:
            self._by_name = {}
            for path, image_id in self._files():
                folded = path.casefold()
                self._by_name.setdefault(folded.rpartition("/")[2], []).append((folded, image_id))
        return self._by_name

    def _files(self) -> Iterable[tuple[str, int]]:
        rows = select(BatchFile.path, BatchFile.image_id).where(
            BatchFile.batch_id.in_(self._batches), BatchFile.image_id.is_not(None)
        )
        for path, image_id in self._session.execute(rows.execution_options(yield_per=10_000)):
            assert image_id is not None
            yield path, image_id
