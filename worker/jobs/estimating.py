"""After a full round: how much of what nobody has looked at the present classifier names right (worker/stopping).

One estimate a round, made by the learn job of the full round, so that each is one look. Rounds that are not
full count as if they had not been chosen: neither what they drew nor what they passed, and their crops are in the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from models.audited import audited_ids
from models.box import Box
from models.checkpoint import Checkpoint
from models.consensus import Voice, commonest
from models.estimate import Estimate
from models.label import Label
from models.meaning import meanings
from models.round import FULL, Pick, Round
from models.species import TRAINS, Species
from worker.jobs.auditing import Stream, chances
from worker.jobs.matrix import Matrix
from worker.jobs.scene import Boxes, Scene, among
from worker.jobs.teaching import Learnt
from worker.stopping.accuracy import Audit, Share, accuracy_of_rest
from worker.stopping.agreement import kappa, stop_set
from worker.stopping.verdict import Course, Verdict, verdict

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Past:
    """What was asked and said before. full: numbers of the full rounds; looked_at: their boxes. answers: box id -> species
    of the crops of the audit, but those that nobody can tell. looks: the estimates so far; the last one's stop_set is there.
    embedders: of the looks, whose vectors each one's classifier knew.
    """

    full: set[int]
    looked_at: set[int]
    answers: dict[int, int]
    looks: list[Estimate]
    embedders: list[int | None]


@dataclass(frozen=True, eq=False)
class Guessed:
    """The crops that count and what the classifier calls them: boxes (n rows), species (n,)."""

    boxes: Boxes
    species: Ids


def read_past(session: Session, project_id: int) -> Past:
    """All of it is of this moment, whatever the snapshot of the labels says: the audit teaches nothing."""
    full = select(Round).where(Round.project_id == project_id, Round.state == FULL)
    numbers = {each.id: each.number for each in session.scalars(full)}
    told = (
        select(Box.id, Box.settled_species_id)
        .join(Species, Species.id == Box.settled_species_id)
        .where(Box.id.in_(audited_ids(project_id)), Species.kind.in_(TRAINS))
    )
    made = select(Estimate).where(Estimate.project_id == project_id).order_by(Estimate.round_number)
    looks = list(session.scalars(made.options(undefer(Estimate.stop_set))))
    classifiers = [look.classifier_id for look in looks]
    parents = select(Checkpoint.id, Checkpoint.parent_id).join(Estimate, Estimate.classifier_id == Checkpoint.id)
    found = session.execute(parents.where(Estimate.project_id == project_id))
    parent_of: dict[int, int | None] = {row.id: row.parent_id for row in found}
    return Past(
        set(numbers.values()),
        set(session.scalars(select(Pick.box_id).where(Pick.round_id.in_(numbers)))),
        waiting_names(session, project_id)
        | {box_id: name for box_id, name in session.execute(told) if name is not None},
        looks,
        [parent_of[classifier_id] for classifier_id in classifiers],
    )


def waiting_names(session: Session, project_id: int) -> dict[int, int]:
    """Box id -> the commonest name so far of the crops of the audit that wait for another voice.

    Those wait that are hard to name: without them what is left would look easier than it is.
    """
    waits = select(Label).join(Box, Box.id == Label.box_id).where(Box.waits_for.is_not(None))
    voices: dict[int, list[Voice]] = {}
    meant = meanings(session, project_id)
    for label in session.scalars(waits.where(Box.id.in_(audited_ids(project_id))).order_by(Label.id)):
        voices.setdefault(label.box_id, []).append(label.voice.meaning(meant))
    training = select(Species.id).where(Species.project_id == project_id, Species.kind.in_(TRAINS))
    trains = set(session.scalars(training))
    said = {box_id: commonest(spoken) for box_id, spoken in voices.items()}
    return {box_id: voice.species_id for box_id, voice in said.items() if voice and voice.species_id in trains}


def estimated(scene: Scene, past: Past, matrix: Matrix, learnt: Learnt, seed: int) -> dict[str, Any] | None:
    """The columns of the next look, but for its classifier; None when no round is full since the last one."""
    number, last = max(past.full, default=0), past.looks[-1] if past.looks else None
    if number <= (last.round_number if last else 0):
        return None
    guessed = guessed_of(scene, matrix, learnt)
    audit, rest = audit_of(scene.stream, past, guessed), rest_of(past, guessed)
    share = accuracy_of_rest(guessed.species, audit, rest)
    rng = np.random.default_rng([seed, number])
    before = last.stop_set if last else {}
    now = stop_names(guessed, before, rng)
    alike = [embedder == scene.project.embedder_id for embedder in past.embedders]
    same = agreement(before, now) if not alike or alike[-1] else None
    planned = last.planned if last else scene.project.planned_rounds
    course = course_of(past.looks, alike, share, learnt.classifier.n_labels, same, planned)
    said = verdict(guessed.species, audit, rest, course, scene.project.target, rng)
    return {
        "round_number": number, "look": len(past.looks) + 1, "planned": planned, "labels": learnt.classifier.n_labels,
        "rest": len(rest), "unreached": int((audit.chance[rest] == 0).sum()), "kappa": same, "stop_set": now,
    } | columns_of(said)  # fmt: skip


def guessed_of(scene: Scene, matrix: Matrix, learnt: Learnt) -> Guessed:
    """Every crop that may be asked about now."""
    there = np.isin(scene.boxes.ids, matrix.ids, assume_unique=True)
    boxes = scene.boxes.only(there & scene.boxes.askable)
    classes = np.array(learnt.classifier.classes, np.int64)
    return Guessed(boxes, classes[learnt.probabilities[matrix.rows_of(boxes.ids)].argmax(axis=1)])


def audit_of(stream: Stream, past: Past, guessed: Guessed) -> Audit:
    """The drawn crops with an answer that are still a fair sample, as after the full rounds."""
    row_of = {int(box_id): row for row, box_id in enumerate(guessed.boxes.ids)}
    mine = [
        crop
        for crop in stream.crops
        if crop.number in past.full
        and crop.passed_in not in past.full
        and crop.box_id in past.answers
        and crop.box_id in row_of
    ]
    return Audit(
        rows=np.array([row_of[crop.box_id] for crop in mine], np.int64),
        answers=np.array([past.answers[crop.box_id] for crop in mine], np.int64),
        chance=chances(
            guessed.boxes.ids,
            guessed.boxes.scores,
            [each for each in stream.drawn if each.number in past.full],
            stream.before,
        ),
    )


def rest_of(past: Past, guessed: Guessed) -> Ids:
    """(r,) rows that nobody has looked at."""
    return np.flatnonzero(~guessed.boxes.settled & ~among(guessed.boxes.ids, past.looked_at))


def stop_names(guessed: Guessed, before: dict[str, int], rng: np.random.Generator) -> dict[str, int]:
    """Box id (as JSON has it) -> what the classifier calls it, for the stop set; drawn at the first look."""
    ids = guessed.boxes.ids
    mine = among(ids, map(int, before)) if before else among(ids, ids[stop_set(len(ids), rng)])
    return {
        str(box_id): species for box_id, species in zip(ids[mine].tolist(), guessed.species[mine].tolist(), strict=True)
    }


def agreement(before: dict[str, int], now: dict[str, int]) -> float | None:
    """Cohen's kappa on the crops that both have; None where there are none."""
    both = [box_id for box_id in now if box_id in before]
    if not both:
        return None
    return kappa(np.array([before[box_id] for box_id in both]), np.array([now[box_id] for box_id in both]))


def course_of(
    looks: list[Estimate], alike: list[bool], share: Share, labels: int, same: float | None, planned: int
) -> Course:
    """All looks with this one. Labels that were taken back leave the curve where it was.

    alike: which looks were through the present embedder. A fine-tune lifts the curve at once and bends it, so what was found
    before plays no part in the forecast, nor how much classifiers agreed then.
    """
    mine = [each if of_mine else None for each, of_mine in zip(looks, alike, strict=True)]
    found = [nan if each is None or each.estimate is None else each.estimate for each in mine]
    kappas = [*(each.kappa for each in mine if each is not None), same]
    return Course(
        labels=np.maximum.accumulate(np.array([*(each.labels for each in looks), labels], np.int64)),
        accuracy=np.array([*found, share.estimate]),
        audited=np.array([*(each.effective for each in looks), round(share.effective)], np.int64),
        kappas=[each for each in kappas if each is not None],
        planned=planned,
    )


def columns_of(said: Verdict) -> dict[str, Any]:
    """What a row keeps of it."""
    return {
        "estimate": None if np.isnan(said.estimate) else said.estimate, "audited": said.n, "effective": round(said.effective),
        "low": said.low,
        "high": said.high, "always_low": said.always[0], "always_high": said.always[1], "by_guess": told(said.by_guess),
        "by_answer": told(said.by_answer), "kappa_of_three": said.kappa, "target": said.forecast.target,
        "more": said.forecast.more, "more_low": said.forecast.low, "more_high": said.forecast.high,
    }  # fmt: skip


def told(shares: dict[int, Share]) -> dict[str, list[float]]:
    """As JSON: species id -> [estimate, low, high, crops]; without those of which nothing is left."""
    return {
        str(species_id): [share.estimate, share.low, share.high, share.n]
        for species_id, share in shares.items()
        if not np.isnan(share.estimate)
    }
