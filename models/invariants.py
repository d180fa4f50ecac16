"""What must always be true (RELIABILITY section 3), each check in words of its own. `waterhole doctor` runs them all."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.batch import BatchFile
from models.box import Box
from models.checkpoint import CLASSIFIER, Checkpoint
from models.database import Database
from models.image import READY, WAITING, Image
from models.job import UNFINISHED, Job
from models.label import Label, settled
from models.lease import LEASE, Lease
from models.predictions import SUFFIX, Part
from models.project import Project
from models.round import Pick, Round
from models.storage import Store
from models.vectors import DamagedFile, read_vectors

STRAY_AFTER = dt.timedelta(minutes=30)  # a file without a row may belong to an upload that is still running


@dataclass(frozen=True)
class Finding:
    """One broken invariant."""

    invariant: str
    what: str


@dataclass(frozen=True)
class Scene:
    """What a check looks at. deep: also compare hashes."""

    session: Session
    store: Store
    deep: bool


def examine(database: Database, store: Store, *, deep: bool = False) -> list[Finding]:
    """Run every check on one snapshot. An empty list is a healthy house."""
    with database.reading() as session:
        scene = Scene(session, store, deep)
        findings = [Finding(name, what) for name, check in CHECKS.items() for what in check(scene)]
        if database.is_sqlite:
            findings += [Finding("I9", what) for what in sqlite_integrity(session)]
    return findings


def labels_once(scene: Scene) -> Iterator[str]:
    """I1, I2: an act of answering has its label; no act has two labels about one box."""
    doubled = scene.session.execute(
        select(Label.act_id, Label.box_id).group_by(Label.act_id, Label.box_id, Label.kind).having(func.count() > 1)
    )
    yield from (f"act {act} has two labels about box {box}" for act, box in doubled)


def originals(scene: Scene) -> Iterator[str]:
    """I3: every photo has its file, of its size (deep: of its hash); no file is without a row."""
    known: set[str] = set()
    for sha256, size, image_id in scene.session.execute(select(Image.sha256, Image.size, Image.id)):
        known.add(sha256)
        path = scene.store.original(sha256)
        if not path.is_file():
            yield f"photo {image_id}: its file {path} is missing"
        elif path.stat().st_size != size:
            yield f"photo {image_id}: {path} has {path.stat().st_size:,} bytes, not {size:,}"
        elif scene.deep and hash_of(path) != sha256:
            yield f"photo {image_id}: the bytes of {path} changed"
    old = utc_now() - STRAY_AFTER
    for path in (scene.store.root / "originals").glob("*/*"):
        if path.name not in known and dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC) < old:
            yield f"{path} belongs to no photo"


def pictures(scene: Scene) -> Iterator[str]:
    """I3, I4: every photo that was looked through has its preview and thumbnail; every crop its picture."""
    for image_id, sha256 in scene.session.execute(select(Image.id, Image.sha256).where(Image.state == READY)):
        for path in (scene.store.preview(sha256), scene.store.thumbnail(sha256)):
            if not path.is_file():
                yield f"photo {image_id}: {path} is missing"
    crops = select(Box.id, Image.sha256).join(Image, Image.id == Box.image_id).where(Box.embedder_id.is_not(None))
    for box_id, sha256 in scene.session.execute(crops):
        if not scene.store.crop(sha256, box_id).is_file():
            yield f"box {box_id}: its crop is missing"


def vector_files(scene: Scene) -> Iterator[str]:
    """I5: every box's vector is in its file, under the checkpoint that the box names."""
    rows = scene.session.execute(
        select(Box.embedder_id, Box.vector_file, func.count(), func.max(Box.vector_row))
        .where(Box.embedder_id.is_not(None))
        .group_by(Box.embedder_id, Box.vector_file)
    )
    for embedder_id, name, count, last in rows:
        if embedder_id is None or name is None or last is None:
            yield f"{count} boxes name an embedder but no vector"
            continue
        try:
            vectors = read_vectors(scene.store.vectors(embedder_id, name), check=scene.deep)
        except DamagedFile as error:
            yield str(error)
            continue
        if last >= len(vectors):
            yield f"{name}: {count} boxes point into it, up to row {last}, but it has {len(vectors)} rows"
    mixed = scene.session.execute(
        select(Box.project_id, func.count())
        .join(Project, Project.id == Box.project_id)
        .where(Box.embedder_id.is_not(None), Box.embedder_id != Project.embedder_id)
        .group_by(Box.project_id)
    )
    yield from (f"project {project}: {count} boxes have vectors of another embedder" for project, count in mixed)


def predictions(scene: Scene) -> Iterator[str]:
    """I5: the active classifier's predictions can be read and belong to the active embedder."""
    active = scene.session.execute(
        select(Project.id, Project.embedder_id, Checkpoint).join(Checkpoint, Checkpoint.id == Project.classifier_id)
    )
    for project_id, embedder_id, checkpoint in active:
        if checkpoint.kind != CLASSIFIER or checkpoint.parent_id != embedder_id:
            yield f"project {project_id}: classifier {checkpoint.id} learnt from another embedder's vectors"
        folder = scene.store.root / checkpoint.predictions
        paths = sorted(folder.glob(f"*{SUFFIX}"))
        if not paths:
            yield f"project {project_id}: {folder} holds no predictions"
        for path in paths:
            try:
                Part(path, check=scene.deep)
            except DamagedFile as error:
                yield str(error)


def jobs(scene: Scene) -> Iterator[str]:
    """I6: no step of a job is committed twice (a constraint), and a finished ingest left no photo waiting."""
    stuck = scene.session.execute(
        select(Image.job_id, func.count())
        .join(Job, Job.id == Image.job_id)
        .where(Image.state == WAITING, Job.state == "done")
        .group_by(Image.job_id)
    )
    yield from (f"job {job} is done, but {count} of its photos still wait" for job, count in stuck)


def rounds(scene: Scene) -> Iterator[str]:
    """I7: open + answered + skipped + withdrawn = size, and a full round has nothing open unless it was taken back."""
    tallies = scene.session.execute(
        select(Round.id, Round.number, Round.size, func.count(Pick.id))
        .outerjoin(Pick, Pick.round_id == Round.id)
        .group_by(Round.id, Round.number, Round.size)
    )
    yield from (
        f"round {number} (id {id_}) says {size} crops and holds {count}"
        for id_, number, size, count in tallies
        if size != count
    )


def settled_names(scene: Scene) -> Iterator[str]:
    """I8: the settled name is what the voices say."""
    labels = scene.session.scalars(select(Label).order_by(Label.box_id, Label.id).execution_options(yield_per=2000))
    by_box: dict[int, list[Label]] = {}
    for label in labels:
        by_box.setdefault(label.box_id, []).append(label)
    named = dict(
        scene.session.execute(select(Box.id, Box.settled_label_id).where(Box.settled_label_id.is_not(None))).all()
    )
    for box_id, voices in by_box.items():
        winner = settled(voices)
        if named.pop(box_id, None) != (winner.id if winner else None):
            yield f"box {box_id}: its settled name is not what the voices say"
    yield from (f"box {box_id} is named without a label" for box_id in named)


def leases(scene: Scene) -> Iterator[str]:
    """I10: no lease runs longer than a lease may, and none holds a pick that was answered long ago."""
    far = utc_now() + LEASE + dt.timedelta(minutes=1)
    late = scene.session.scalars(select(Lease.pick_id).where(Lease.expires_at > far))
    yield from (f"the lease of pick {pick} ends later than a lease may" for pick in late)


def files_of_batches(scene: Scene) -> Iterator[str]:
    """A file that came in has its photo, and every photo a file."""
    lost = scene.session.scalars(
        select(BatchFile.id).where(
            BatchFile.image_id.is_(None), or_(BatchFile.state == "here", BatchFile.state == "duplicate")
        )
    )
    yield from (f"file {file} is said to be here and has no photo" for file in lost)
    orphans = scene.session.scalars(
        select(Image.id).outerjoin(BatchFile, and_(BatchFile.image_id == Image.id)).where(BatchFile.id.is_(None))
    )
    yield from (f"photo {image} came with no file" for image in orphans)


CHECKS: dict[str, Callable[[Scene], Iterator[str]]] = {
    "I1-I2 labels": labels_once,
    "I3 originals": originals,
    "I4 pictures": pictures,
    "I5 vectors": vector_files,
    "I5 predictions": predictions,
    "I6 jobs": jobs,
    "I7 rounds": rounds,
    "I8 settled names": settled_names,
    "I10 leases": leases,
    "files": files_of_batches,
}


def sqlite_integrity(session: Session) -> Iterator[str]:
    """I9: the file is whole and every foreign key points at something."""
    for (line,) in session.execute(sa.text("pragma integrity_check")):
        if line != "ok":
            yield f"integrity_check: {line}"
    for row in session.execute(sa.text("pragma foreign_key_check")):
        yield f"foreign_key_check: {tuple(row)}"


def unfinished_without_worker(session: Session) -> int:
    """How many jobs wait although no worker beats; doctor mentions it, it is no broken invariant."""
    return session.scalar(select(func.count()).select_from(Job).where(Job.state.in_(UNFINISHED))) or 0


def hash_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
