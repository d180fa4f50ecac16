"""The learn job: labels become a classifier, what it says about every crop, and the next round.

Everything is computed and on the disk before one transaction switches to it (DECISIONS 2): the classifier's row with its
predictions folder, the project's active classifier, the estimate of how much is right, and the picks of the next round. What
pages filter by follows behind.
Equal labels of equal boxes, seed and parent give equal picks (DECISIONS 10).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.checkpoint import Checkpoint
from models.estimate import Estimate
from models.job import UNFINISHED, Job
from models.project import Project
from models.queue import finish_step, step_is_done
from models.round import AHEAD, WISHED, Round
from models.vectors import DamagedFile
from worker.jobs.bench import Bench, Step, first_line
from worker.jobs.choosing import Choice, choose, keep_coverage, may_choose, still_unnamed
from worker.jobs.classifiers import classifier_of
from worker.jobs.curve import draw_curve
from worker.jobs.estimating import estimated, read_past
from worker.jobs.likeness import line_up
from worker.jobs.matrix import Matrix, MatrixCache
from worker.jobs.predicting import follow, predict_missing
from worker.jobs.scene import Scene, read_scene
from worker.jobs.teaching import Learnt, row_of, teach
from worker.learning.classifier import Classifier

log = structlog.get_logger()


def learn(bench: Bench, job: Job, step: Step) -> None:
    """Fit, predict, choose, switch; then what may come later."""
    work = Learn(bench, job)
    step("switch", work.switch)
    step("late-boxes", lambda: predict_missing(bench, job.project_id))
    step("guesses", lambda: follow(bench, job.project_id))
    step("likeness", lambda: line_up(bench, job.project_id, int(job.arguments.get("label_max_id") or 0)))
    step("curve", lambda: draw_curve(bench, job.project_id))


class Learn:
    """One learn job in this process."""

    def __init__(self, bench: Bench, job: Job) -> None:
        """Reads nothing yet."""
        self._bench = bench
        self._job_id, self._project_id = job.id, job.project_id
        self._label_max_id = int(job.arguments.get("label_max_id") or 0)
        self._seed = int(job.arguments.get("seed") or 0)
        self._parent_id: int | None = job.arguments.get("parent_id")
        reason = str(job.arguments.get("reason", ""))
        self._wished = reason.startswith(f"{WISHED}-")
        self._looks = not reason.startswith(f"{AHEAD}-")  # it knows four fifths of a round that may be full by now

    def switch(self) -> int:
        """All that must change together. How many crops the next round has, 0 when there is none."""
        with self._bench.database.reading() as session:
            if step_is_done(session, self._job_id, "switch"):
                return 0
            scene = read_scene(session, self._project_id, self._label_max_id, self._parent_id, wished=self._wished)
            past = read_past(session, self._project_id)
            looks = self._looks and not self._is_awaited(session, max(past.full, default=0))
        if scene is None:
            return 0
        self._bench.breathe()
        assert scene.project.embedder_id is not None
        matrix = MatrixCache(self._bench, self._project_id, scene.project.embedder_id).matrix()
        learnt = self._learn(scene, matrix)
        classifier, probabilities = (learnt.classifier, learnt.probabilities) if learnt else (None, None)
        choice = choose(
            scene, matrix, self._bench.store.coverage(self._project_id), classifier, probabilities, self._seed
        )
        self._bench.breathe()
        estimate = estimated(scene, past, matrix, learnt, self._seed) if learnt and looks else None
        chosen = self._bench.patiently(lambda: self._commit(scene, learnt, choice, estimate))
        if chosen and choice is not None:
            keep_coverage(self._bench.store, self._project_id, matrix.build, choice)
        return chosen

    def _is_awaited(self, session: Session, number: int) -> bool:
        """Whether the job that knows all of this full round comes after this one: the look is for it."""
        key = f"learn-{self._project_id}-full-{number}"
        other = select(Job.id).where(Job.project_id == self._project_id, Job.key == key, Job.id != self._job_id)
        return session.scalar(other.where(Job.state.in_(UNFINISHED)).limit(1)) is not None

    # --- learning ------------------------------------------------------------------------------------------------------------

    def _learn(self, scene: Scene, matrix: Matrix) -> Learnt | None:
        """None without a label. The parent again when it was taught by the same names of the same boxes."""
        taught = matrix.ids[matrix.rows_of(np.array(sorted(scene.names), np.int64))]
        if not len(taught):
            return None
        parent, said = self._parent(scene), scene.snapshot.sha256_of(taught.tolist())
        if parent is not None and scene.parent is not None and scene.parent.labels_sha256 == said:
            return Learnt(parent, parent.probabilities(matrix.vectors), scene.parent.id)
        return teach(self._bench, self._job_id, matrix, scene.names, self._seed, warm=parent)

    def _parent(self, scene: Scene) -> Classifier | None:
        """Where to go on from; none when it learnt from another embedder's vectors or cannot be read."""
        if scene.parent is None or scene.parent.parent_id != scene.project.embedder_id:
            return None
        try:
            return classifier_of(self._bench.store, scene.parent)
        except DamagedFile as error:
            log.error("learning from the beginning", error=first_line(error))
            return None

    # --- the switch ----------------------------------------------------------------------------------------------------------

    def _commit(
        self, scene: Scene, learnt: Learnt | None, choice: Choice | None, estimate: dict[str, Any] | None
    ) -> int:
        with self._bench.database.writing() as session:
            job = session.get_one(Job, self._job_id)
            project = session.get_one(Project, self._project_id, with_for_update={"key_share": True})
            if not finish_step(session, job, "switch", self._bench.worker):
                return 0
            classifier_id = self._activate(session, project, scene, learnt)
            if estimate is not None and classifier_id is not None:
                Estimate.keep(session, project.id, classifier_id=classifier_id, **estimate)
            if choice is None or not may_choose(session, project, choice.number, wished=self._wished):
                return 0
            box_ids = still_unnamed(session, choice.box_ids)
            if box_ids:
                Round.choose(
                    session, project, box_ids, strategy=choice.strategy, seed=self._seed, embedder_id=scene.project.embedder_id,
                    classifier_id=classifier_id, job_id=self._job_id, drawing=choice.drawing,
                )  # fmt: skip
            return len(box_ids)

    def _activate(self, session: Session, project: Project, scene: Scene, learnt: Learnt | None) -> int | None:
        """The new classifier's row, active unless a newer one or another embedder is by now."""
        if learnt is None or learnt.checkpoint_id is not None:
            return project.classifier_id
        card = {"seed": self._seed, "warm_from": self._parent_id}
        made = row_of(
            self._bench, self._job_id, project.id, scene.project.embedder_id, learnt, scene.snapshot, card
        )  # fmt: skip
        session.add(made)
        session.flush()
        active = session.get(Checkpoint, project.classifier_id) if project.classifier_id else None
        newer = active is not None and (active.label_max_id or 0) > self._label_max_id
        if not newer and project.embedder_id == made.parent_id:
            made.activate(project)
        return made.id
