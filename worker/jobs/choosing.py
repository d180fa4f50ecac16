"""Which crops are asked about next: from rows to a pool of arrays, through a strategy, back to box ids."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.box import Box
from models.database import CHUNK_ROWS
from models.project import Project
from models.round import Drawing, Round, next_size
from models.storage import Store
from worker.jobs.auditing import Drawn, chances, served
from worker.jobs.matrix import Matrix
from worker.jobs.scene import Boxes, Scene, among, wants_round
from worker.learning.classifier import Classifier
from worker.selection.coverage import Coverage
from worker.selection.pool import Pool
from worker.selection.strategies import STRATEGIES
from worker.stopping.draw import audits_among, draw, mixed

FIRST, COVERING = "random", "k_center"  # the strategies that ask no classifier
AUDIT = 1  # its draws have numbers of their own, so that a strategy picks the same whoever is drawn

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Field:
    """The boxes that play a part, and masks (n,) of them. labelled: they teach. free: a round may ask about them.

    unseen: free, nobody was asked before, and all boxes as sure are here, so that it may be drawn. audited: drawn in a
    round before, and still open to the strategy, which passes it.
    """

    boxes: Boxes
    labelled: NDArray[np.bool_]
    free: NDArray[np.bool_]
    unseen: NDArray[np.bool_]
    audited: NDArray[np.bool_]


@dataclass(frozen=True)
class Choice:
    """The next round before it is stored. box_ids: as people see them, those that were drawn by chance at random places."""

    number: int
    strategy: str
    box_ids: list[int]
    drawing: Drawing
    pool_ids: Ids
    coverage: Coverage | None


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
    field = field_of(scene, matrix)
    boxes = field.boxes
    size = next_size(scene.project, scene.last_number, int(boxes.askable.sum()), int(field.free.sum()))
    if not scene.wants_round or not size:
        return None
    pool = pool_of(scene, field, matrix, classifier, probabilities)
    number = scene.last_number + 1
    strategy = strategy_of(scene.project, number, knows_classes=probabilities is not None)
    if strategy == COVERING:
        pool = replace(pool, coverage=coverage_of(kept, matrix.build, pool, boxes.ids))
    rng, chance = np.random.default_rng([seed, number]), np.random.default_rng([seed, number, AUDIT])
    audits = min(audits_among(size, chance), size - 1, int(field.unseen.sum()))

    def next_rows(gone: list[int], k: int) -> list[int]:
        picked = np.array(gone, np.int64)
        return STRATEGIES[strategy](replace(pool, taken=np.concatenate([pool.taken, picked]), picked=picked), k, rng)

    picks, passed = served(next_rows, set(np.flatnonzero(field.audited).tolist()), size - audits)
    unseen = np.setdiff1d(np.flatnonzero(field.unseen), picks)
    drawn = draw(unseen, boxes.deployment, boxes.sequence, audits, chance)
    box_ids = [int(box_id) for box_id in boxes.ids[mixed(picks, drawn.tolist(), chance)]]
    drawing = drawing_of(scene, boxes, drawn, len(unseen), boxes.ids[passed].tolist())
    return Choice(number, strategy, box_ids, drawing, boxes.ids, pool.coverage)


def field_of(scene: Scene, matrix: Matrix) -> Field:
    """What lies open at this moment."""
    boxes = scene.boxes.only(np.isin(scene.boxes.ids, matrix.ids, assume_unique=True))
    labelled = among(boxes.ids, scene.names)
    boxes, labelled = boxes.only(boxes.askable | labelled), labelled[boxes.askable | labelled]
    asked = among(boxes.ids, scene.snapshot.names | dict.fromkeys(scene.asked))
    free = boxes.askable & ~labelled & ~boxes.settled & ~asked
    never = free & ~among(boxes.ids, scene.skipped) & ~among(boxes.ids, scene.stream.ever)
    audited = boxes.askable & among(boxes.ids, scene.stream.open_ids)
    if never.any():
        free = never
    else:  # what people passed over comes back when nothing else is left, crops of the audit among it
        audited &= ~free
    unseen = never & (boxes.scores >= scene.cut_above)
    return Field(boxes=boxes, labelled=labelled, free=free, unseen=unseen, audited=audited)


def pool_of(
    scene: Scene,
    field: Field,
    matrix: Matrix,
    classifier: Classifier | None,
    probabilities: NDArray[np.float32] | None,
) -> Pool:
    """The same as a strategy sees it: crops of the audit are as open as the free ones."""
    boxes = field.boxes
    rows = matrix.rows_of(boxes.ids)
    first = len(rows) > 0 and int(rows[-1]) == len(rows) - 1  # the first rows of the matrix: no need to copy them
    columns = {name: column for column, name in enumerate(classifier.classes if classifier else [])}
    return Pool(
        vectors=matrix.vectors[: len(rows)] if first else matrix.vectors[rows],
        labelled=np.flatnonzero(field.labelled),
        labels=np.array([columns[scene.names[int(box_id)]] for box_id in boxes.ids[field.labelled]], np.int64),
        fit=lambda: np.empty((len(rows), 0), np.float32) if probabilities is None else probabilities[rows],
        sequence=boxes.sequence,
        deployment=boxes.deployment,
        taken=np.flatnonzero(~field.free & ~field.audited & ~field.labelled),
        classifier=classifier,
    )


def drawing_of(scene: Scene, boxes: Boxes, drawn: Ids, of: int, passed: list[int]) -> Drawing:
    """What the round must remember of its draw. drawn: (m,) rows of the boxes, out of so many."""
    up_to, above = int(boxes.ids[-1]), scene.cut_above
    now = Drawn(scene.last_number + 1, False, len(drawn) / of if of else 0.0, up_to, above)
    each = chances(boxes.ids[drawn], boxes.scores[drawn], [*scene.stream.drawn, now], scene.stream.before)
    return Drawing(dict(zip(boxes.ids[drawn].tolist(), each.tolist(), strict=True)), of, up_to, above, passed)


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


def may_choose(session: Session, project: Project, number: int, *, wished: bool) -> bool:
    """Whether this round is still the next one, now that nobody else can write."""
    is_next = Round.last_number(session, project.id) == number - 1
    return is_next and wants_round(session, project.id, wished=wished)


def still_unnamed(session: Session, box_ids: list[int]) -> list[int]:
    """Without those that somebody named, spoke about, moved or deleted while we chose."""
    gone: set[int] = set()
    is_gone = or_(Box.settled_species_id.is_not(None), Box.waits_for.is_not(None), Box.deleted_at.is_not(None))
    for start in range(0, len(box_ids), CHUNK_ROWS):
        few = box_ids[start : start + CHUNK_ROWS]
        gone |= set(session.scalars(select(Box.id).where(Box.id.in_(few), is_gone)))
    return [box_id for box_id in box_ids if box_id not in gone]
