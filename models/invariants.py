"""What must always be true (RELIABILITY section 3), each check in words of its own. `waterhole doctor` runs them all."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.batch import Batch, BatchFile
from models.box import Box, rule_of
from models.checkpoint import CLASSIFIER, Checkpoint
from models.consensus import VOICE, Voice, consensus
from models.database import Database
from models.deletion import BATCH, PHOTO, DeletedPhoto, Deletion
from models.fine_tune import FineTune
from models.image import ABSENT, ERASED, READY, WAITING, Image
from models.job import ALIVE, SETTLE, UNFINISHED, Job
from models.label import Label
from models.lease import LEASE, Lease
from models.meaning import meanings
from models.parts import SUFFIX as PART
from models.parts import VectorPart, crop_ids, vector_ids
from models.predictions import SUFFIX, Part
from models.project import Project
from models.round import OPEN, Pick, Round
from models.storage import Store
from models.taxonomy import crooked
from models.vectors import DamagedFile, read_ids, read_vectors

EMBEDDING = ("ingest", "crop", "cut", "embed", "finetune")  # kinds of jobs that may still give crops a vector
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
    """I3: every photo has its file, of its size (deep: of its hash), unless an import only named it; no file is without a row."""
    known: set[str] = set()
    here = select(Image.sha256, Image.size, Image.id).where(Image.state.not_in((ERASED, ABSENT)))
    for sha256, size, image_id in scene.session.execute(here):
        known.add(sha256)
        path = scene.store.original(sha256)
        if not path.is_file():
            yield f"photo {image_id}: its file {path} is missing"
        elif path.stat().st_size != size:
            yield f"photo {image_id}: {path} has {path.stat().st_size:,} bytes, not {size:,}"
        elif scene.deep and hash_of(path) != sha256:
            yield f"photo {image_id}: the bytes of {path} changed"
    for path in (scene.store.root / "originals").glob("*/*"):
        if path.name not in known and is_old(path):
            yield f"{path} belongs to no photo"


def is_old(path: Path) -> bool:
    """Whether nobody can still be about to write its row."""
    return dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC) < utc_now() - STRAY_AFTER


def pictures(scene: Scene) -> Iterator[str]:
    """I3, I4: every photo that was looked through has its preview and thumbnail; every crop its picture."""
    for image_id, sha256 in scene.session.execute(select(Image.id, Image.sha256).where(Image.state == READY)):
        for path in (scene.store.preview(sha256), scene.store.thumbnail(sha256)):
            if not path.is_file():
                yield f"photo {image_id}: {path} is missing"
    crops = select(Box.id, Image.sha256).join(Image, Image.id == Box.image_id)
    crops = crops.where(Box.embedder_id.is_not(None), Image.state == READY)
    for box_id, sha256 in scene.session.execute(crops):
        if not scene.store.crop(sha256, box_id).is_file():
            yield f"box {box_id}: its crop is missing"


def stray_pictures(scene: Scene) -> Iterator[str]:
    """H14: nothing is left of a photo that was deleted or erased."""
    known = set(scene.session.scalars(select(Image.sha256).where(Image.state != ERASED)))
    for kind in ("thumbnails", "previews", "crops"):
        for path in (scene.store.root / kind).glob("*/*"):
            if path.name.removesuffix(".jpg") not in known and is_old(path):
                yield f"{path} belongs to no photo"


def deletions(scene: Scene) -> Iterator[str]:
    """H14: what is deleted for good has no rows any more, and its files are gone."""
    done = select(Deletion).where(Deletion.done_at.is_not(None), Deletion.kind != PHOTO)
    for deletion in scene.session.scalars(done):
        table: type[Batch] | type[Project] = Batch if deletion.kind == BATCH else Project
        if scene.session.get(table, deletion.target_id) is not None:
            yield f"deletion {deletion.id}: {deletion.name} is said to be gone and has rows"
    left = select(DeletedPhoto.deletion_id, func.count()).join(Deletion, Deletion.id == DeletedPhoto.deletion_id)
    left = left.where(Deletion.done_at.is_not(None), DeletedPhoto.files_gone.is_(False))
    for deletion_id, count in scene.session.execute(left.group_by(DeletedPhoto.deletion_id)):
        yield f"deletion {deletion_id}: the files of {count} photos were not removed"


def vector_files(scene: Scene) -> Iterator[str]:
    """I5: every box's first vector is in its file, under the checkpoint that the box names."""
    rows = scene.session.execute(
        select(Box.embedder_id, Box.vector_file, func.count(), func.max(Box.vector_row))
        .where(Box.embedder_id.is_not(None), or_(Box.vector_file.is_not(None), Box.vector_row.is_not(None)))
        .group_by(Box.embedder_id, Box.vector_file)
    )
    for embedder_id, name, count, last in rows:
        if embedder_id is None or name is None or last is None:
            yield f"{count} boxes name half of a vector's place"
            continue
        try:
            vectors = read_vectors(scene.store.vectors(embedder_id, name), check=scene.deep)
        except DamagedFile as error:
            yield str(error)
            continue
        if last >= len(vectors):
            yield f"{name}: {count} boxes point into it, up to row {last}, but it has {len(vectors)} rows"


def vector_parts(scene: Scene) -> Iterator[str]:
    """I5: every part is whole, as long as its row says, and holds boxes of its project only."""
    parts = scene.session.scalars(select(VectorPart).order_by(VectorPart.project_id, VectorPart.id))
    for project_id, of_project in itertools.groupby(parts, key=lambda part: part.project_id):
        crops = crop_ids(scene.session, project_id)
        for part in of_project:
            path = scene.store.vector_parts(part.embedder_id, project_id) / part.name
            try:
                ids, rows = read_ids(path), len(read_vectors(path, check=scene.deep))
            except DamagedFile as error:
                yield str(error)
                continue
            if rows != part.rows:
                yield f"{path} has {rows} rows, not {part.rows}"
            if not np.isin(ids, crops).all():
                yield f"{path} has vectors of boxes that are no crops of project {project_id}"
    known = scene.session.execute(select(VectorPart.embedder_id, VectorPart.name))
    named = {(row[0], row[1]) for row in known}
    for path in (scene.store.root / "vectors").glob(f"*/of-*/*{PART}"):
        if (int(path.parent.parent.name), path.name) not in named and is_old(path):
            yield f"{path} belongs to no row"


def vectors_in_use(scene: Scene) -> Iterator[str]:
    """I5: once no job embeds any more, every crop has a vector of the embedder in use."""
    embeds = select(Job.project_id).where(Job.state.in_(UNFINISHED), Job.kind.in_(EMBEDDING))
    projects = select(Project.id, Project.embedder_id).where(
        Project.embedder_id.is_not(None), Project.id.not_in(embeds)
    )
    for project_id, embedder_id in scene.session.execute(projects).all():
        there = vector_ids(scene.session, scene.store, project_id, embedder_id or 0)
        missing = np.setdiff1d(crop_ids(scene.session, project_id), there, assume_unique=True)
        if len(missing):
            yield f"project {project_id}: {len(missing):,} crops have no vector of the embedder in use, first: {missing[0]}"


def weights(scene: Scene) -> Iterator[str]:
    """The weights that a row names are there (deep: of its hash), unless it says that they were removed."""
    named = scene.session.scalars(select(Checkpoint).where(Checkpoint.file != "", Checkpoint.removed_at.is_(None)))
    for checkpoint in named:
        path = scene.store.root / checkpoint.file
        if not path.is_file():
            yield f"{checkpoint.kind} {checkpoint.name} ({checkpoint.id}): {path} is missing"
        elif scene.deep and hash_of(path) != checkpoint.sha256:
            yield f"{checkpoint.kind} {checkpoint.name} ({checkpoint.id}): the bytes of {path} changed"


def tuning(scene: Scene) -> Iterator[str]:
    """H8: what a fine-tune leaves behind is the list of its labels, and nothing half made of one that ended."""
    for folder in (scene.store.root / "tuning").iterdir():
        job = scene.session.get(Job, folder.name) if folder.is_dir() else None
        row = FineTune.of_job(scene.session, folder.name) if job else None
        if job is not None and job.state in ALIVE:
            continue
        kept = f"labels-{row.labels_sha256[:16]}.safetensors" if row else ""
        names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        yield from (f"{folder / name} is left of a fine-tune that ended" for name in sorted(names - {kept}))


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
    """I8: the settled name is what the voices say by the project's rule, unless the worker is about to apply that, and another
    voice is asked for where it wants one; a deleted box has none.
    """
    changing = select(Job.project_id).where(Job.kind == SETTLE, Job.state.in_(ALIVE))
    settling = set(scene.session.scalars(changing))
    projects = list(scene.session.scalars(select(Project.id)))
    rules = {project_id: rule_of(scene.session, project_id) for project_id in projects}
    meant = {project_id: meanings(scene.session, project_id) for project_id in projects}
    said = select(Label).join(Box, Box.id == Label.box_id).where(Box.deleted_at.is_(None))
    labels = scene.session.scalars(said.order_by(Label.box_id, Label.id).execution_options(yield_per=2000))
    by_box: dict[tuple[int, int], list[Voice]] = {}
    for label in labels:
        by_box.setdefault((label.box_id, label.project_id), []).append(label.voice.meaning(meant[label.project_id]))
    stands = select(Box.id, Box.settled_label_id, Box.settled_species_id, Box.waits_for)
    found = scene.session.execute(stands.where(or_(Box.settled_label_id.is_not(None), Box.waits_for.is_not(None))))
    named = {row.id: (row.settled_label_id, row.settled_species_id, row.waits_for) for row in found}
    for (box_id, project_id), voices in by_box.items():
        rule, blank_id = rules[project_id]
        outcome = consensus(rule, voices, blank_id)
        stood = named.pop(box_id, (None, None, None))
        winner = outcome.winner
        wanted = (winner.id if winner else None, winner.species_id if winner else None, outcome.waits_for)
        if stood != wanted and project_id not in settling:
            yield f"box {box_id}: its settled name is not what the voices say"
    yield from (f"box {box_id} is named without a label" for box_id in named)
    asked = exists().where(Pick.box_id == Box.id, Pick.state == OPEN, Pick.user_id.is_(None))
    unasked = scene.session.scalars(select(Box.id).where(Box.waits_for == VOICE, ~asked))
    yield from (f"box {box_id} waits for another voice, and nobody is asked" for box_id in unasked)


def leases(scene: Scene) -> Iterator[str]:
    """I10: no lease runs longer than a lease may, and none holds a pick that was answered long ago."""
    far = utc_now() + LEASE + dt.timedelta(minutes=1)
    late = scene.session.scalars(select(Lease.pick_id).where(Lease.expires_at > far))
    yield from (f"the lease of pick {pick} ends later than a lease may" for pick in late)


def files_of_batches(scene: Scene) -> Iterator[str]:
    """A file that came in has its photo, and every photo a file, unless an import only named it."""
    lost = scene.session.scalars(
        select(BatchFile.id).where(
            BatchFile.image_id.is_(None), or_(BatchFile.state == "here", BatchFile.state == "duplicate")
        )
    )
    yield from (f"file {file} is said to be here and has no photo" for file in lost)
    orphans = scene.session.scalars(
        select(Image.id)
        .outerjoin(BatchFile, and_(BatchFile.image_id == Image.id))
        .where(BatchFile.id.is_(None), Image.state != ABSENT)
    )
    yield from (f"photo {image} came with no file" for image in orphans)


CHECKS: dict[str, Callable[[Scene], Iterator[str]]] = {
    "I1-I2 labels": labels_once,
    "I3 originals": originals,
    "I4 pictures": pictures,
    "I4 strays": stray_pictures,
    "H14 deletions": deletions,
    "I5 vectors": vector_files,
    "I5 vector parts": vector_parts,
    "I5 vectors in use": vectors_in_use,
    "I5 weights": weights,
    "I5 predictions": predictions,
    "I6 jobs": jobs,
    "H8 fine-tunes": tuning,
    "I7 rounds": rounds,
    "I8 settled names": settled_names,
    "I10 leases": leases,
    "files": files_of_batches,
    "species": lambda scene: crooked(scene.session),
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
