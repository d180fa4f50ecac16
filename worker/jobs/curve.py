"""The learning curve for the overview: drawn by the worker, so that no page waits for it.

After each round by the learn job; as a job of its own (kind "curve") when somebody changed the target.
"""

from __future__ import annotations

from models.estimate import Estimate
from models.job import Job
from models.project import Project
from worker.jobs.bench import Bench, Step
from worker.stopping.curve import Curve, Point, drawn

SIZES_PX = {"wide": (640, 230), "narrow": (300, 200)}


def curve(bench: Bench, job: Job, step: Step) -> None:
    """The curve job."""
    step("curve", lambda: draw_curve(bench, job.project_id))


def draw_curve(bench: Bench, project_id: int) -> int:
    """Draw what the looks said and keep it at the last one. How many of them say something; one point is no curve."""
    with bench.database.reading() as session:
        target = session.get_one(Project, project_id).target
        looks = [look for look in Estimate.history(session, project_id) if look.says]
    if len(looks) < 2:
        return len(looks)
    points = tuple(Point(look.labels, 100 * (look.estimate or 0), 100 * look.low, 100 * look.high) for look in looks)
    found = Curve(points, 100 * target, looks[-1].meets_at(target))
    charts = {name: drawn(found, *size) for name, size in SIZES_PX.items()}
    bench.patiently(lambda: keep(bench, project_id, looks[-1].id, charts))
    return len(looks)


def keep(bench: Bench, project_id: int, look_id: int, charts: dict[str, str]) -> None:
    """Only the newest row has charts."""
    with bench.database.writing() as session:
        for look in Estimate.history(session, project_id):
            look.charts = charts if look.id == look_id else {}
