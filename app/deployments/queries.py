"""Deployments as their pages ask for them: facts, effort, photos, and what looks wrong about their clocks."""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from models.clock import ClockCorrection
from models.clock_doctor import natural
from models.clock_finding import ClockFinding
from models.database import CHUNK_ROWS
from models.deployment import Deployment
from models.effort import Problem, trap_nights
from models.errors import NotYours
from models.facts import problems_of
from models.image import READY, Image
from models.job import ALIVE, CLOCK, FOLDERS, Job
from models.project import Project
from models.site import Site

PAGE = 200
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Photos:
    """Of one deployment. first, last: corrected times. outside: before its first day or after its last one."""

    count: int = 0
    undated: int = 0
    first: dt.datetime | None = None
    last: dt.datetime | None = None
    outside: int = 0


@dataclass(frozen=True)
class Row:
    """One deployment in the list."""

    deployment: Deployment
    site: Site | None
    photos: Photos
    problems: Sequence[Problem]
    findings: int

    @property
    def nights(self) -> float | None:
        """Its effort."""
        return trap_nights(self.deployment.starts_at, self.deployment.ends_at, self.problems)

    @property
    def place(self) -> tuple[float, float] | None:
        """Latitude and longitude: its own, else its site's."""
        for where in (self.deployment, self.site):
            if where is not None and where.latitude is not None and where.longitude is not None:
                return where.latitude, where.longitude
        return None


@dataclass(frozen=True)
class Totals:
    """Of a project. nights: of those with a period."""

    deployments: int
    without_period: int
    nights: float
    findings: int


def shown(project_id: int) -> list[ColumnElement[bool]]:
    """Those that have photos or of which somebody said something; what a pattern left empty is kept out of sight."""
    has_photos = select(Image.id).where(Image.deployment_id == Deployment.id).exists()
    said = or_(Deployment.site_id.is_not(None), Deployment.starts_at.is_not(None), Deployment.version > 1)
    return [Deployment.project_id == project_id, or_(has_photos, said)]


def rows(session: Session, project_id: int, after: str = "", most: int | None = PAGE) -> list[Row]:
    """By name, numbers in it as numbers, from behind `after` on; one more than a page where there are more. most: None for all
    of them."""
    named = session.execute(select(Deployment.id, Deployment.name).where(*shown(project_id))).all()
    order = sorted((natural_key(each.name), each.id) for each in named)
    if after:
        order = order[bisect_right(order, natural_key(after), key=lambda each: each[0]) :]
    kept = [id_ for _key, id_ in (order if most is None else order[: most + 1])]
    by_id: dict[int, Deployment] = {}
    for start in range(0, len(kept), CHUNK_ROWS):
        few = select(Deployment).where(Deployment.id.in_(kept[start : start + CHUNK_ROWS]))
        by_id |= {each.id: each for each in session.scalars(few)}
    found = [by_id[id_] for id_ in kept]
    ids = [each.id for each in found]
    sites = {site.id: site for site in session.scalars(select(Site).where(Site.project_id == project_id))}
    photos, problems, findings = photos_of(session, ids), problems_of(session, ids), findings_of(session, project_id)
    return [
        Row(
            each, sites.get(each.site_id or 0), photos.get(each.id, Photos()), problems.get(each.id, []),
            findings.get(each.id, 0),
        )
        for each in found
    ]  # fmt: skip


def natural_key(name: str) -> tuple[list[tuple[int, str]], str]:
    """2 before 10, and b after A; names that differ only in capitals stay apart."""
    return [natural(part) for part in re.split(r"(\d+)", name.casefold())], name


def sites(session: Session, project_id: int) -> list[tuple[Site, int]]:
    """(site, how many deployments stand there), by name."""
    rows = session.execute(
        select(Site, func.count(Deployment.id))
        .outerjoin(Deployment, Deployment.site_id == Site.id)
        .where(Site.project_id == project_id)
        .group_by(Site.id)
    )
    return sorted(((site, count) for site, count in rows), key=lambda row: natural_key(row[0].name))


def site(session: Session, project_id: int, site_id: int) -> Site:
    """Raises NotYours for one of another project."""
    found = session.get(Site, site_id) if 0 < site_id < 2**31 else None
    if found is None or found.project_id != project_id:
        raise NotYours("There is no such site in this project.")
    return found


def site_named(session: Session, project_id: int, name: str) -> Site | None:
    """The one of this name."""
    return session.scalars(select(Site).where(Site.project_id == project_id, Site.name == name)).one_or_none()


def photos_of(session: Session, deployment_ids: Sequence[int]) -> dict[int, Photos]:
    """Deployment id -> its photos in figures, read off the index of deployment and time."""
    at = Image.taken_at
    early = and_(Deployment.starts_at.is_not(None), at < func.date(Deployment.starts_at))
    late = and_(Deployment.ends_at.is_not(None), func.date(at) > func.date(Deployment.ends_at))
    found = session.execute(
        select(
            Image.deployment_id, func.count(), func.count(at), func.min(at), func.max(at),
            func.count().filter(or_(early, late)),
        )
        .join(Deployment, Deployment.id == Image.deployment_id)
        .where(Image.deployment_id.in_(deployment_ids), Image.state == READY)
        .group_by(Image.deployment_id)
    )  # fmt: skip
    return {
        deployment_id: Photos(count, count - dated, first, last, outside)
        for deployment_id, count, dated, first, last, outside in found
    }


def findings_of(session: Session, project_id: int) -> dict[int, int]:
    """Deployment id -> how much looks wrong about its clock."""
    here = ClockFinding.project_id == project_id, ClockFinding.dismissed_at.is_(None)
    counted = select(ClockFinding.deployment_id, func.count()).where(*here).group_by(ClockFinding.deployment_id)
    return dict(session.execute(counted).all())


def totals(session: Session, project_id: int) -> Totals:
    """Of all deployments that are shown."""
    found = session.execute(
        select(Deployment.id, Deployment.starts_at, Deployment.ends_at).where(*shown(project_id))
    ).all()
    problems = problems_of(session, [row.id for row in found])
    nights = [trap_nights(row.starts_at, row.ends_at, problems.get(row.id, [])) for row in found]
    findings = sum(findings_of(session, project_id).values())
    return Totals(len(found), nights.count(None), sum(each for each in nights if each is not None), findings)


def deployment(session: Session, project_id: int, deployment_id: int) -> Deployment:
    """Raises NotYours for one of another project."""
    found = session.get(Deployment, deployment_id) if 0 < deployment_id < 2**31 else None
    if found is None or found.project_id != project_id:
        raise NotYours("There is no such deployment in this project.")
    return found


def row(session: Session, of: Deployment) -> Row:
    """One deployment with its figures."""
    site = session.get(Site, of.site_id) if of.site_id else None
    problems = problems_of(session, [of.id]).get(of.id, [])
    findings = len(ClockFinding.open_in(session, of.id))
    return Row(of, site, photos_of(session, [of.id]).get(of.id, Photos()), problems, findings)


def corrections(session: Session, deployment_id: int) -> list[ClockCorrection]:
    """All that were ever made, in order."""
    here = ClockCorrection.deployment_id == deployment_id
    return list(session.scalars(select(ClockCorrection).where(here).order_by(ClockCorrection.id)))


def times(session: Session, deployment_id: int) -> list[dt.datetime]:
    """What the camera wrote, of every photo with a time, in order of time."""
    here = Image.deployment_id == deployment_id, Image.state == READY, Image.captured_at.is_not(None)
    return [at for at in session.scalars(select(Image.captured_at).where(*here).order_by(Image.captured_at)) if at]


def some_photos(
    session: Session, deployment_id: int, from_at: dt.datetime | None, to_at: dt.datetime | None, most: int
) -> list[Image]:
    """At most so many photos of this range as shot, evenly spread, the first and the last among them."""
    here: list[ColumnElement[bool]] = [
        Image.deployment_id == deployment_id, Image.state == READY, Image.captured_at.is_not(None)
    ]  # fmt: skip
    here += [Image.captured_at >= from_at] if from_at is not None else []
    here += [Image.captured_at <= to_at] if to_at is not None else []
    ids = list(session.scalars(select(Image.id).where(*here).order_by(Image.captured_at, Image.path, Image.id)))
    picked = {ids[round(place * (len(ids) - 1) / (most - 1))] for place in range(most)} if ids else set()
    found = {image.id: image for image in session.scalars(select(Image).where(Image.id.in_(picked)))}
    return [found[image_id] for image_id in ids if image_id in picked]


def waiting_jobs(session: Session, project: Project, kinds: Iterable[str] = (CLOCK, FOLDERS)) -> list[Job]:
    """Jobs that bring times or folders up to date and are not done."""
    here = Job.project_id == project.id, Job.kind.in_(list(kinds)), Job.state.in_(ALIVE)
    return list(session.scalars(select(Job).where(*here).order_by(Job.asked_at)))
