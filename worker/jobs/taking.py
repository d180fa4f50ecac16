"""The take job: the good rows of an import become deployments, photos, boxes and names; and the job that takes them back.

At most 500 rows a transaction, each of which marks the rows that it took: so a job that was killed goes on where it was, and
nothing is taken twice. Photos that waited for a detector are held by the job while it runs and then handed to ingest jobs that
look through them with the boxes of the file; new boxes of photos that were looked through before get their crops from a crop job.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.base import utc_now
from models.batch import SHARD_PHOTOS, Batch
from models.bringing import Taking
from models.image import COUNTING, WAITING, Image
from models.import_undoing import finish, undo_some, what_stands
from models.imported import STOPPED, TAKEN, UNDONE, Import
from models.job import Job
from models.project import Project
from models.queue import ask
from models.round import ask_learn
from models.sequence import regroup
from worker.jobs.bench import Bench, Pace, Step
from worker.jobs.networks import take_preset


def take(bench: Bench, job: Job, step: Step) -> None:
    """All good rows, unless somebody cancels; what was taken by then stays."""
    work = TakeJob(bench, job)
    step("thresholds", work.thresholds)
    step("deployments", lambda: work.until_done(work.some_deployments))
    step("photos", lambda: work.until_done(work.some_photos))
    step("bursts", work.bursts)
    step("hand-on", work.hand_on)
    step("taken", work.taken)


class TakeJob:
    """One take job in this process."""

    def __init__(self, bench: Bench, job: Job) -> None:
        """Reads nothing yet."""
        self._bench, self._job_id, self._project_id = bench, job.id, job.project_id
        self._import_id = int(job.arguments["import_id"])
        self._pace = Pace()
        self._after = ""  # the last photo that was taken here; whoever begins anew passes over those that are taken

    def thresholds(self) -> int:
        """A new project takes those that the file's detector recommends, as it would from a detector's card."""
        with self._bench.database.writing() as session:
            import_ = session.get_one(Import, self._import_id)
            project = session.get_one(Project, self._project_id, with_for_update={"key_share": True})
            if project.detector_id is None and import_.source.get("card"):
                take_preset(project, import_.source["card"])
        return 0

    def until_done(self, some: Callable[[], int]) -> int:
        """Chunk after chunk until none is left or somebody cancels. How many rows."""
        total = 0
        while not self._is_cancelled():
            self._bench.breathe()
            done = self._bench.patiently(some)
            if not done:
                break
            total += done
        return total

    def some_deployments(self) -> int:
        """One transaction."""
        with self._bench.database.writing() as session:
            done = Taking(session, session.get_one(Import, self._import_id)).deployments()
            self._tell(session, done)
            return done

    def some_photos(self) -> int:
        """One transaction. What still has to be cut or learnt stands in the import's figures, for after a restart."""
        with self._bench.database.writing() as session:
            import_ = session.get_one(Import, self._import_id)
            brought = Taking(session, import_).photos(self._after)
            more = {"to_cut": brought.boxes_to_cut, "named_crops": brought.named_crops}
            had = import_.counts.get("after", {})
            import_.counts = import_.counts | {
                "after": {name: had.get(name, 0) + count for name, count in more.items()}
            }
            self._tell(session, brought.rows)
        self._after = brought.last or self._after
        return brought.rows

    def bursts(self) -> int:
        """Photos that came without a file, or went to another camera, find their bursts, a camera at a time."""
        with self._bench.database.reading() as session:
            gap_s = session.get_one(Project, self._project_id).sequence_gap_s
            alone = (
                select(Image.deployment_id)
                .where(Image.project_id == self._project_id, Image.state.in_(COUNTING), Image.sequence_id.is_(None))
                .distinct()
            )
            cameras = sorted(session.scalars(alone))
        for deployment_id in cameras:
            self._bench.breathe()
            with self._bench.database.writing() as session:
                regroup(session, deployment_id, gap_s)
        return len(cameras)

    def hand_on(self) -> int:
        """Ask for what follows: crops and vectors, a fit on the names. How many jobs."""
        with self._bench.database.writing() as session:
            import_ = session.get_one(Import, self._import_id)
            project = session.get_one(Project, self._project_id)
            asked = hand_photos_on(session, self._job_id, project, import_)
            after = import_.counts.get("after", {})
            if after.get("to_cut"):
                ask(
                    session, "crop", project.id, {"classify_above": project.classify_above, "import_id": import_.id},
                    key=f"crop-{self._job_id}", line=f"Cutting out the animals of {import_.name}",
                )  # fmt: skip
                asked += 1
            if after.get("named_crops"):
                ask_learn(session, project, f"import-{self._job_id}")
                asked += 1
            import_.counts = {name: value for name, value in import_.counts.items() if name != "after"}
            return asked

    def taken(self) -> int:
        """From now on the import counts as a whole; one that was cancelled waits for a word."""
        with self._bench.database.writing() as session:
            import_ = session.get_one(Import, self._import_id)
            import_.state = STOPPED if session.get_one(Job, self._job_id).cancel_requested else TAKEN
            import_.taken_at = utc_now()
        return 0

    def _is_cancelled(self) -> bool:
        def asked() -> bool:
            with self._bench.database.reading() as session:
                return session.get_one(Job, self._job_id).cancel_requested

        return self._bench.patiently(asked)

    def _tell(self, session: Session, done: int) -> None:
        rate = self._pace.after(done)
        session.execute(update(Job).where(Job.id == self._job_id).values(done=Job.done + done, rate_per_s=rate))


def hand_photos_on(session: Session, job_id: str, project: Project, import_: Import) -> int:
    """The photos that the job holds go to ingest jobs, one a batch, which look through them with the boxes that are there."""
    held = session.execute(
        select(Image.batch_id, Image.id)
        .where(Image.job_id == job_id, Image.state == WAITING)
        .order_by(Image.batch_id, Image.path, Image.id)
    ).all()
    by_batch: dict[int, list[int]] = {}
    for batch_id, image_id in held:
        by_batch.setdefault(batch_id, []).append(image_id)
    detector_id = Taking(session, import_).detector_id() if held else None
    for batch_id, ids in by_batch.items():
        shards = [ids[start : start + SHARD_PHOTOS] for start in range(0, len(ids), SHARD_PHOTOS)]
        job = ask(
            session, "ingest", project.id,
            {"batch_id": batch_id, "shards": len(shards), "shard_photos": SHARD_PHOTOS, "given_by": detector_id},
            total=len(ids), line=f"Cutting out the animals of {session.get_one(Batch, batch_id).name}",
        )  # fmt: skip
        for number, few in enumerate(shards):
            session.execute(update(Image).where(Image.id.in_(few)).values(job_id=job.id, shard=number))
    return len(by_batch)


def untake(bench: Bench, job: Job, step: Step) -> None:
    """Everything that the import brought goes, unless people have said something about it: then all of it stays."""
    import_id = int(job.arguments["import_id"])
    if step("look", lambda: look(bench, import_id)):
        return
    step("rows", lambda: undo_all(bench, job, import_id))
    step("undone", lambda: undone(bench, import_id))


def look(bench: Bench, import_id: int) -> int:
    """Whether something stands on it; the import then says what."""
    with bench.database.reading() as session:
        reason = what_stands(session, session.get_one(Import, import_id))
    if reason:
        with bench.database.writing() as session:
            import_ = session.get_one(Import, import_id)
            import_.state, import_.error = TAKEN, reason
    return int(bool(reason))


def undo_all(bench: Bench, job: Job, import_id: int) -> int:
    """Chunk after chunk."""
    total = after = 0
    while True:
        bench.breathe()
        with bench.database.writing() as session:
            rows = undo_some(session, session.get_one(Import, import_id), after)
            session.execute(update(Job).where(Job.id == job.id).values(done=Job.done + len(rows)))
        if not rows:
            return total
        total, after = total + len(rows), rows[-1]


def undone(bench: Bench, import_id: int) -> int:
    """The last transaction."""
    with bench.database.writing() as session:
        import_ = session.get_one(Import, import_id)
        finish(session, import_)
        import_.state = UNDONE
    return 0
