"""Which crops are asked about next: from rows to a pool of arrays, through a strategy, back to box ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.box import Box
from models.checkpoint import Checkpoint
from models.database import CHUNK_ROWS
from models.image import Image
from models.label import Snapshot, snapshot
from models.project import Project
from models.round import AHEAD_AT, CHOSEN, FULL, OPEN, SKIPPED, Pick, Round, next_size
from models.species import TRAINS, Species
from models.storage import Store
from worker.jobs.matrix import Matrix
from worker.learning.classifier import Classifier
from worker.selection.coverage import Coverage
from worker.selection.pool import Pool
from worker.selection.strategies import STRATEGIES

FIRST, COVERING = "random", "k_center"  # the strategies that ask no classifier

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Scene:
    """What the job reads before it computes. names: settled name of each box in the snapshot."""

    project: Project
    snapshot: Snapshot
    names: dict[int, int]
    parent: Checkpoint | None
    wants_round: bool
    last_number: int
    boxes: Boxes
    asked: set[int]  # in a round that is not full
    skipped: set[int]  # passed over twice in a round that is


@dataclass(frozen=True)
class Boxes:
    """All boxes with a crop, one row each, by rising id; the matrix says which have a vector of the embedder in use."""

    ids: Ids
    askable: NDArray[np.bool_]
    settled: NDArray[np.bool_]  # by now, whatever the snapshot says
    sequence: Ids
    deployment: Ids

    def only(self, mine: NDArray[np.bool_]) -> Boxes:
        """Those of the mask."""
        return Boxes(self.ids[mine], self.askable[mine], self.settled[mine], self.sequence[mine], self.deployment[mine])


@dataclass(frozen=True)
class Choice:
    """The next round before it is stored."""

    number: int
    strategy: str
    box_ids: list[int]
    pool_ids: Ids
    coverage: Coverage | None


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
        asked=set(session.scalars(select(Pick.box_id).where(Pick.round_id.in_([each.id for each in rounds])))),
        skipped=set(
            session.scalars(
                select(Pick.box_id)
                .join(Round, Round.id == Pick.round_id)
                .where(Round.project_id == project_id, Round.state == FULL, Pick.state == SKIPPED)
            )
        ),
    )


def trained_names(session: Session, project_id: int, said: Snapshot) -> dict[int, int]:
    """Box id -> species, without what never trains (DECISIONS 8)."""
    training = set(
        session.scalars(select(Species.id).where(Species.project_id == project_id, Species.kind.in_(TRAINS)))
    )
    return {box_id: name for box_id, name in said.names.items() if name in training}


def read_boxes(session: Session, project: Project) -> Boxes:
    """One pass over the project's boxes."""
    found = session.execute(
        select(Box.id, Box.score, Box.settled_species_id, Image.sequence_id, Image.deployment_id)
        .join(Image, Image.id == Box.image_id)
        .where(Box.project_id == project.id, Box.embedder_id.is_not(None))
        .order_by(Box.id)
    ).all()
    ids, scores, settled, sequences, deployments = zip(*found, strict=True) if found else ((), (), (), (), ())
    return Boxes(
        np.array(ids, np.int64),
        np.array(scores, np.float64) >= project.classify_above,
        np.array([name is not None for name in settled], bool),
        np.array([sequence or 0 for sequence in sequences], np.int64),
        np.array(deployments, np.int64),
    )


def choose(
    scene: Scene,
    matrix: Matrix,
    kept: Path,
    classifier: Classifier | None,
    probabilities: NDArray[np.float32] | None,
    seed: int,
) -> Choice | None:
    """The next round; None when one waits already or no crop is left to ask about.

    kept: where the coverage of the last round lies. classifier, probabilities: what was learnt, and what it says of the
    rows of the matrix; None before the first label.
    """
    boxes = scene.boxes.only(np.isin(scene.boxes.ids, matrix.ids, assume_unique=True))
    labelled = among(boxes.ids, scene.names)
    boxes, labelled = boxes.only(boxes.askable | labelled), labelled[boxes.askable | labelled]
    free = (
        boxes.askable
        & ~labelled
        & ~boxes.settled
        & ~among(boxes.ids, scene.snapshot.names | dict.fromkeys(scene.asked))
    )
    unskipped = free & ~among(boxes.ids, scene.skipped)
    free = unskipped if unskipped.any() else free  # what people passed over comes back when nothing else is left
    size = next_size(scene.project, scene.last_number, int(boxes.askable.sum()), int(free.sum()))
    if not scene.wants_round or not size:
        return None
    rows = matrix.rows_of(boxes.ids)
    first = len(rows) > 0 and int(rows[-1]) == len(rows) - 1  # the first rows of the matrix: no need to copy them
    columns = {name: column for column, name in enumerate(classifier.classes if classifier else [])}
    pool = Pool(
        vectors=matrix.vectors[: len(rows)] if first else matrix.vectors[rows],
        labelled=np.flatnonzero(labelled),
        labels=np.array([columns[scene.names[int(box_id)]] for box_id in boxes.ids[labelled]], np.int64),
        fit=lambda: np.empty((len(rows), 0), np.float32) if probabilities is None else probabilities[rows],
        sequence=boxes.sequence,
        deployment=boxes.deployment,
        taken=np.flatnonzero(~free & ~labelled),
        classifier=classifier,
    )
    number = scene.last_number + 1
    strategy = strategy_of(scene.project, number, knows_classes=probabilities is not None)
    if strategy == COVERING:
        pool = replace(pool, coverage=coverage_of(kept, matrix.build, pool, boxes.ids))
    picks = STRATEGIES[strategy](pool, size, np.random.default_rng([seed, number]))
    return Choice(number, strategy, [int(box_id) for box_id in boxes.ids[picks]], boxes.ids, pool.coverage)


def coverage_of(path: Path, build: str, pool: Pool, ids: Ids) -> Coverage:
    """How far each crop is from all that somebody looked at, going on from what the last round knew where that still holds.

    build: of the matrix. After a switch of embedders only the nearest centres are of use: a guess, and so near the truth
    that the cold start has nothing to search.
    """
    gone, guess = pool.gone(), None
    try:
        arrays = load_file(path)
        known, of = arrays.pop("ids"), bytes(arrays.pop("build")).decode()
        same = len(known) <= len(ids) and bool((known == ids[: len(known)]).all())
        if same and of == build and np.isin(arrays["rows"], gone).all():
            return Coverage.resumed(pool.vectors, arrays)
        if same and len(known) == len(ids):
            guess = places_of(arrays["rows"][arrays["nearest"]], gone, len(ids))
    except (OSError, SafetensorError, LookupError, ValueError):
        pass
    return Coverage.of_rows(pool.vectors, gone, guess)


def places_of(centers: Ids, gone: Ids, n: int) -> NDArray[np.int32]:
    """(n,) rows that were a row's nearest centre -> their places in gone (m,); 0, as good a guess as any, for a lost one."""
    places = np.zeros(n, np.int32)
    places[gone] = np.arange(len(gone))
    return places[centers]


def keep_coverage(store: Store, project_id: int, build: str, choice: Choice) -> None:
    """For the next round. A cache: without it the same picks take longer."""
    if choice.coverage is not None:
        arrays = choice.coverage.to_arrays()
        arrays |= {"ids": choice.pool_ids, "build": np.frombuffer(build.encode(), np.uint8)}
        store.write(store.coverage(project_id), save(arrays))


def strategy_of(project: Project, number: int, *, knows_classes: bool) -> str:
    """The first round is random (Norouzzadeh et al. 2019, sec. 3.1); so is any other that lacks the classes it needs."""
    if number == 1 or (not knows_classes and project.strategy not in (FIRST, COVERING)):
        return FIRST
    return project.strategy


def among(ids: Ids, wanted: Iterable[int]) -> NDArray[np.bool_]:
    """(n,) which of the ids are wanted."""
    return np.isin(ids, np.fromiter(wanted, np.int64))


def wants_round(session: Session, project_id: int, *, wished: bool) -> bool:
    """No round waits untouched, and those that are worked on are nearly full (DECISIONS 9), unless a person wished for it:
    then others may hold the rest of the open one."""
    return all(
        each.state != CHOSEN and (wished or each.size - each.tally(session).get(OPEN, 0) >= AHEAD_AT * each.size)
        for each in Round.unfinished(session, project_id)
    )


def may_choose(session: Session, project: Project, number: int, *, wished: bool) -> bool:
    """Whether this round is still the next one, now that nobody else can write."""
    is_next = Round.last_number(session, project.id) == number - 1
    return is_next and wants_round(session, project.id, wished=wished)


def still_unnamed(session: Session, box_ids: list[int]) -> list[int]:
    """Without those that somebody named while we chose."""
    named: set[int] = set()
    for start in range(0, len(box_ids), CHUNK_ROWS):
        few = box_ids[start : start + CHUNK_ROWS]
        named |= set(session.scalars(select(Box.id).where(Box.id.in_(few), Box.settled_species_id.is_not(None))))
    return [box_id for box_id in box_ids if box_id not in named]
