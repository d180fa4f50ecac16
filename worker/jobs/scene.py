"""What a learn job reads before it computes: the project, its labels, its rounds, and every box with a crop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf, nextafter

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.audited import untaught
from models.box import Box
from models.box_edit import deleted_ids
from models.checkpoint import Checkpoint
from models.image import Image
from models.job import DONE, Job
from models.label import Snapshot, snapshot
from models.project import Project
from models.round import AHEAD_AT, CHOSEN, FULL, OPEN, SKIPPED, Pick, Round
from models.species import TRAINS, Species
from worker.jobs.auditing import Stream, read_stream

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Scene:
    """What the job reads before it computes. names: settled name, in the snapshot, of each box that teaches."""

    project: Project
    snapshot: Snapshot
    names: dict[int, int]
    parent: Checkpoint | None
    wants_round: bool
    last_number: int
    boxes: Boxes
    asked: set[int]  # in a round that is not full, or waiting for another voice
    skipped: set[int]  # passed over twice in a round that is
    stream: Stream
    cut_above: float  # every box that is so sure has a crop


@dataclass(frozen=True)
class Boxes:
    """All boxes with a crop, one row each, by rising id; the matrix says which have a vector of the embedder in use."""

    ids: Ids
    scores: NDArray[np.float64]  # the detector's; 1 where a person drew the box
    askable: NDArray[np.bool_]
    settled: NDArray[np.bool_]  # by now, whatever the snapshot says
    sequence: Ids
    deployment: Ids

    def only(self, mine: NDArray[np.bool_]) -> Boxes:
        """Those of the mask."""
        return Boxes(
            self.ids[mine], self.scores[mine], self.askable[mine], self.settled[mine], self.sequence[mine],
            self.deployment[mine],
        )  # fmt: skip


def read_scene(
    session: Session, project_id: int, label_max_id: int, parent_id: int | None, *, wished: bool = False
) -> Scene | None:
    """None while the project has no vectors. wished: a person asked for the next round."""
    project = session.get_one(Project, project_id)
    if project.embedder_id is None:
        return None
    said = snapshot(session, project_id, label_max_id)
    rounds = Round.unfinished(session, project_id)
    return Scene(
        project=project,
        snapshot=said,
        names=trained_names(session, project_id, said),
        parent=session.get(Checkpoint, parent_id) if parent_id else None,
        wants_round=wants_round(session, project_id, wished=wished),
        last_number=Round.last_number(session, project_id),
        boxes=read_boxes(session, project),
        asked=asked_ids(session, project_id, rounds),
        skipped=set(
            session.scalars(
                select(Pick.box_id)
                .join(Round, Round.id == Pick.round_id)
                .where(Round.project_id == project_id, Round.state == FULL, Pick.state == SKIPPED)
            )
        ),
        stream=read_stream(session, project_id),
        cut_above=cut_above(session, project),
    )


def asked_ids(session: Session, project_id: int, rounds: list[Round]) -> set[int]:
    """Boxes of these rounds, and those that somebody spoke about and that have no name by the project's rule."""
    in_rounds = select(Pick.box_id).where(Pick.round_id.in_([each.id for each in rounds]))
    waiting = select(Box.id).where(Box.project_id == project_id, Box.waits_for.is_not(None))
    return {*session.scalars(in_rounds), *session.scalars(waiting)}


def trained_names(session: Session, project_id: int, said: Snapshot) -> dict[int, int]:
    """Box id -> species, without what never trains (DECISIONS 8), the crops of the audit among it."""
    boxes, labels = untaught(session, project_id)
    told = told_names(session, project_id, said)
    return {box_id: name for box_id, name in told.items() if box_id not in boxes and said.labels[box_id] not in labels}


def told_names(session: Session, project_id: int, said: Snapshot) -> dict[int, int]:
    """Box id -> species, without those that nobody can tell and boxes that were deleted."""
    deleted = set(session.scalars(deleted_ids(project_id)))
    training = set(
        session.scalars(select(Species.id).where(Species.project_id == project_id, Species.kind.in_(TRAINS)))
    )
    return {box_id: name for box_id, name in said.names.items() if name in training and box_id not in deleted}


def read_boxes(session: Session, project: Project) -> Boxes:
    """One pass over the project's boxes."""
    found = session.execute(
        select(Box.id, Box.score, Box.settled_species_id, Image.sequence_id, Image.deployment_id)
        .join(Image, Image.id == Box.image_id)
        .where(Box.project_id == project.id, Box.embedder_id.is_not(None), Box.deleted_at.is_(None))
        .order_by(Box.id)
    ).all()
    ids, scores, settled, sequences, deployments = zip(*found, strict=True) if found else ((), (), (), (), ())
    return Boxes(
        np.array(ids, np.int64),
        np.array(scores, np.float64),
        np.array(scores, np.float64) >= project.classify_above,
        np.array([name is not None for name in settled], bool),
        np.array([sequence or 0 for sequence in sequences], np.int64),
        np.array(deployments, np.int64),
    )


def cut_above(session: Session, project: Project) -> float:
    """The score from which on every box of the project has its crop: while crops are being cut after the project began to ask
    about less sure boxes, a crop that comes late must not count as one that could have been drawn."""
    cutting = select(Job.state).where(Job.project_id == project.id, Job.kind == "crop").order_by(Job.asked_at.desc())
    if session.scalar(cutting.limit(1)) in (None, DONE):
        return project.classify_above
    lacking = select(func.max(Box.score)).where(
        Box.project_id == project.id, Box.embedder_id.is_(None), Box.score >= project.classify_above, ~Box.drawn
    )
    surest = session.scalar(lacking)
    return project.classify_above if surest is None else nextafter(surest, inf)


def wants_round(session: Session, project_id: int, *, wished: bool) -> bool:
    """No round waits untouched, and those that are worked on are nearly full (DECISIONS 9), unless a person wished for it:
    then others may hold the rest of the open one."""
    return all(
        each.state != CHOSEN and (wished or each.size - each.tally(session).get(OPEN, 0) >= AHEAD_AT * each.size)
        for each in Round.unfinished(session, project_id)
    )


def among(ids: Ids, wanted: Iterable[int]) -> NDArray[np.bool_]:
    """(n,) which of the ids are wanted."""
    return np.isin(ids, np.fromiter(wanted, np.int64))
