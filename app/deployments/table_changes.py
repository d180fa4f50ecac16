"""A table of deployments against what stands: what each line would change, and the change."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.dependencies import Access
from app.deployments.table import Line, Table
from models.audit import note
from models.clock import settle_times
from models.deployment import Deployment
from models.errors import Invalid
from models.facts import Facts
from models.site import Site


@dataclass(frozen=True)
class Planned:
    """One good line. deployment: none where it is new. changed: fields that would be other than they are."""

    line: Line
    name: str
    deployment: Deployment | None
    facts: Facts
    changed: list[str]


def plan(session: Session, project_id: int, table: Table) -> list[Planned]:
    """Every good line; those that contradict what stands (an end before the known start) join table.bad."""
    known = {each.name: each for each in session.scalars(select(Deployment).where(Deployment.project_id == project_id))}
    of_station = stations(session, project_id, known)
    planned: list[Planned] = []
    for line in table.lines:
        found = known.get(line.deployment)
        if found is None and len(of_station[line.site, line.camera]) == 1:
            found = of_station[line.site, line.camera][0]
        try:
            planned.append(planned_line(session, line, found))
        except Invalid as error:
            place, _colon, reason = str(error).partition(": ")
            table.refuse(line.number, place, reason)
    table.bad.sort(key=lambda bad: bad.number)
    return planned


def stations(
    session: Session, project_id: int, known: dict[str, Deployment]
) -> dict[tuple[str, str], list[Deployment]]:
    """(site, camera) -> the deployments there: a table without deployment names means the only one."""
    names = dict(session.execute(select(Site.id, Site.name).where(Site.project_id == project_id)).all())
    found: dict[tuple[str, str], list[Deployment]] = defaultdict(list)
    for deployment in known.values():
        if deployment.site_id in names:
            found[names[deployment.site_id], deployment.camera].append(deployment)
    return found


def planned_line(session: Session, line: Line, found: Deployment | None) -> Planned:
    """Raises Invalid at the field."""
    before = Facts.of(session, found) if found else Facts()
    facts = before.with_(line.values)
    changed = [each.name for each in fields(facts) if getattr(facts, each.name) != getattr(before, each.name)]
    return Planned(line, found.name if found else line.deployment, found, facts, changed)


def save(access: Access, table: Table) -> tuple[int, int]:
    """The good lines: (how many deployments are new, how many changed). One line in the history for all of them."""
    session, project = access.session, access.project
    project.lock(session)
    new = changed = 0
    touched: list[int] = []
    for each in plan(session, project.id, table):
        deployment = each.deployment or Deployment.of_folder(session, project.id, each.name)
        if each.facts.write(session, deployment):
            touched.append(deployment.id)
            new, changed = new + (each.deployment is None), changed + (each.deployment is not None)
        elif each.deployment is None:
            deployment.version, new = deployment.version + 1, new + 1
    if new or changed:
        note(session, "deployment.table", user=access.user, project_id=project.id, new=new, changed=changed)
        settle_times(session, project, touched)
    return new, changed
