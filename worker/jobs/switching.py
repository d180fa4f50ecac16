"""Another embedder takes over: a classifier learns from its vectors, then one transaction switches to both (DECISIONS 2)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models.audit import note
from models.base import utc_now
from models.checkpoint import Checkpoint
from models.embedders import switch_to
from models.fine_tune import FineTune
from models.job import Job
from models.label import Snapshot, newest_label_id, snapshot
from models.project import Project
from models.queue import finish_step, step_is_done
from worker.jobs.bench import Bench
from worker.jobs.halting import STOPPED, Halted, Watch
from worker.jobs.matrix import MatrixCache
from worker.jobs.scene import trained_names
from worker.jobs.teaching import Learnt, row_of, teach

STEP = "switch"


class Switching:
    """From the embedder in use to one whose vectors are there. Nobody is without guesses in between."""

    def __init__(self, bench: Bench, job: Job, checkpoint: Checkpoint, start_id: int | None) -> None:
        """start_id: the embedder that must still be in use."""
        self._bench, self._checkpoint, self._start_id = bench, checkpoint, start_id
        self._job_id, self._project_id = job.id, job.project_id

    def switch(self, watch: Watch) -> int:
        """1 when the new one is in use now, 0 when a third one took over meanwhile. Raises Halted."""
        watch.look()
        with self._bench.database.reading() as session:
            project = session.get_one(Project, self._project_id)
            if step_is_done(session, self._job_id, STEP):
                return int(project.embedder_id == self._checkpoint.id)
            if project.embedder_id != self._start_id:
                return 0
            said = snapshot(session, self._project_id, newest_label_id(session, self._project_id))
            names = trained_names(session, self._project_id, said)
        matrix = MatrixCache(self._bench, self._project_id, self._checkpoint.id).matrix()
        learnt = teach(self._bench, self._job_id, matrix, names, project.seed)
        watch.look()
        return self._bench.patiently(lambda: self._commit(learnt, said))

    def _commit(self, learnt: Learnt | None, said: Snapshot) -> int:
        """The switch: all of it or nothing."""
        with self._bench.database.writing() as session:
            job = session.get_one(Job, self._job_id)
            project = session.get_one(Project, self._project_id, with_for_update={"key_share": True})
            if job.cancel_requested:
                raise Halted(STOPPED)
            if not finish_step(session, job, STEP, self._bench.worker):
                return int(project.embedder_id == self._checkpoint.id)
            if project.embedder_id != self._start_id:
                return 0
            self._take_over(session, project, learnt, said)
            return 1

    def _take_over(self, session: Session, project: Project, learnt: Learnt | None, said: Snapshot) -> None:
        """Classifier's row, embedder, what follows from it, and what the history says."""
        if learnt is not None:
            card = {"seed": project.seed, "warm_from": None}
            session.add(row_of(self._bench, self._job_id, project.id, self._checkpoint.id, learnt, said, card))
            session.flush()
        old = session.get(Checkpoint, self._start_id) if self._start_id else None
        new = session.get_one(Checkpoint, self._checkpoint.id)
        switch_to(session, project, new)
        row = FineTune.of_job(session, self._job_id)
        if row is not None:
            row.switched_at = utc_now()
        names = [f"{old.name} ({old.id})" if old else "", f"{new.name} ({new.id})"]
        act = "embedder.tuned" if row is not None else "embedder.used"
        note(session, act, project_id=project.id, name=new.name, by="the worker", changes={"in_use": names})
