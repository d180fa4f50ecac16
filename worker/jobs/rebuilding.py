"""The rebuild job: pictures, crops and vectors that are missing are made again from the photos as they came.

Looks at every photo's files and opens only photos that lack one. A stop loses nothing: what is there is passed over. Vectors are
not made here: rows that name a file which is gone let go of it, and the embed job gives their crops new ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import structlog
from sqlalchemy import select, update

from models.box import Box
from models.checkpoint import Checkpoint
from models.database import CHUNK_ROWS
from models.embedders import ask_embed
from models.image import Image
from models.job import Job
from models.parts import VectorPart
from models.project import Project
from models.rebuilding import CROPS, THUMBNAILS, VECTORS, photos_of
from models.vectors import DamagedFile, read_header
from worker.images.crops import crops, to_jpeg
from worker.images.decoder import DecoderPool
from worker.jobs.bench import Bench, Step
from worker.jobs.embedding import late_ids
from worker.jobs.halting import Halted, Watch

log = structlog.get_logger()
PHOTOS_AT_ONCE = 200


@dataclass(frozen=True)
class Lacking:
    """A photo and what it lacks. boxes: those whose crop is gone, with their corners."""

    sha256: str
    pictures: bool
    boxes: list[tuple[int, tuple[float, float, float, float]]]


def rebuild(bench: Bench, job: Job, step: Step) -> None:
    """Pictures and crops first, since vectors are of crops."""
    work = Rebuilding(bench, job)
    if work.what & {THUMBNAILS, CROPS}:
        step("pictures", work.pictures)
    if VECTORS in work.what:
        step("vectors", work.vectors)


class Rebuilding:
    """One job."""

    def __init__(self, bench: Bench, job: Job) -> None:
        """Reads nothing yet."""
        self._bench, self._project_id = bench, job.project_id
        self.what = set(job.arguments["what"])
        self._which = photos_of(job.project_id, job.arguments["batch_id"])
        self._total, self._watch = job.total, Watch(bench, job.id)

    def pictures(self) -> int:
        """How many photos lacked something."""
        last = looked = made = 0
        with self._bench.decoders() as pool:
            while True:
                ids, lacking = self._lacking(last)
                if not ids:
                    return made
                try:
                    self._watch.look()
                except Halted:
                    return made
                self._make(pool, lacking)
                last, looked, made = ids[-1], looked + len(ids), made + len(lacking)
                self._watch.tell(looked, max(self._total, looked))

    def _lacking(self, after: int) -> tuple[list[int], list[Lacking]]:
        store = self._bench.store
        with self._bench.database.reading() as session:
            photos = select(Image.id, Image.sha256).where(*self._which, Image.id > after).order_by(Image.id)
            found = session.execute(photos.limit(PHOTOS_AT_ONCE)).all()
            boxes: dict[int, list[tuple[int, tuple[float, float, float, float]]]] = {}
            if CROPS in self.what:
                corners = select(Box.image_id, Box.id, Box.x_min, Box.y_min, Box.x_max, Box.y_max)
                cut = (Box.image_id.in_([row.id for row in found]), Box.embedder_id.is_not(None))
                for image_id, box_id, *sides in session.execute(corners.where(*cut)):
                    boxes.setdefault(image_id, []).append((box_id, (sides[0], sides[1], sides[2], sides[3])))
        lacking = []
        for row in found:
            paths = (store.thumbnail(row.sha256), store.preview(row.sha256)) if THUMBNAILS in self.what else ()
            pictures = any(not path.is_file() for path in paths)
            gone = [each for each in boxes.get(row.id, []) if not store.crop(row.sha256, each[0]).is_file()]
            if pictures or gone:
                lacking.append(Lacking(row.sha256, pictures, gone))
        return [row.id for row in found], lacking

    def _make(self, pool: DecoderPool, lacking: list[Lacking]) -> None:
        store = self._bench.store
        photos = pool.decode([store.original(each.sha256) for each in lacking], ahead=2 * pool.processes)
        for each, decoded in zip(lacking, photos, strict=True):
            self._bench.breathe()
            with decoded:
                if decoded.verdict != "accept":
                    log.error("a photo cannot be opened any more", photo=each.sha256, reason=decoded.reason)
                    continue
                if each.pictures:
                    store.write_cheaply(store.thumbnail(each.sha256), decoded.thumbnail)
                    store.write_cheaply(store.preview(each.sha256), decoded.preview)
                if each.boxes:
                    cut = crops(decoded.pixels, np.array([corners for _id, corners in each.boxes], np.float32))
                    for (box_id, _corners), one in zip(each.boxes, cut, strict=True):
                        store.write_cheaply(store.crop(each.sha256, box_id), to_jpeg(one))

    def vectors(self) -> int:
        """How many crops have no vector of the embedder in use then; another job gives them theirs."""
        self._let_go_of_files()
        self._let_go_of_parts()
        with self._bench.database.reading() as session:
            embedder_id = session.get_one(Project, self._project_id).embedder_id
        if embedder_id is None:
            return 0
        missing = late_ids(self._bench, self._project_id, embedder_id)
        if len(missing):
            with self._bench.database.writing() as session:
                ask_embed(session, session.get_one(Project, self._project_id), session.get_one(Checkpoint, embedder_id))
        return len(missing)

    def _let_go_of_files(self) -> None:
        """Boxes whose first vector lies in a file that is lost or damaged have none."""
        with self._bench.database.reading() as session:
            first = select(Box.embedder_id, Box.vector_file).where(
                Box.project_id == self._project_id, Box.vector_row >= 0
            )
            named = session.execute(first.distinct()).all()
        for embedder_id, name in named:
            self._bench.breathe()
            if is_whole(self._bench, embedder_id or 0, str(name)):
                continue
            log.warning("vectors are lost", file=name)
            mine = (Box.project_id == self._project_id, Box.embedder_id == embedder_id, Box.vector_file == name)
            while True:
                with self._bench.database.writing() as session:
                    ids = list(session.scalars(select(Box.id).where(*mine).limit(CHUNK_ROWS)))
                    session.execute(update(Box).where(Box.id.in_(ids)).values(vector_file=None, vector_row=None))
                if not ids:
                    break

    def _let_go_of_parts(self) -> None:
        with self._bench.database.reading() as session:
            parts = session.scalars(select(VectorPart).where(VectorPart.project_id == self._project_id)).all()
        for part in parts:
            if not is_whole(self._bench, part.embedder_id, f"of-{self._project_id}/{part.name}"):
                with self._bench.database.writing() as session:
                    session.delete(session.get_one(VectorPart, part.id))


def is_whole(bench: Bench, embedder_id: int, name: str) -> bool:
    """Whether a vectors file can be read."""
    try:
        read_header(bench.store.vectors(embedder_id, name))
    except DamagedFile:
        return False
    return True
