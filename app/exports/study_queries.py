"""What formats say of a project besides its photos: its deployments, sites, taxa and their sensitivity."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from models.box import Box, counted
from models.deployment import Deployment, ProblemPeriod
from models.effort import Problem
from models.image import COUNTING, CountCorrection, Image
from models.imported import ImportedName
from models.meaning import meanings
from models.project import Project
from models.site import Site
from models.species import CommonName, Species, TaxonId


class Stay(NamedTuple):
    """A deployment with its site and its problems."""

    deployment: Deployment
    site: Site | None
    problems: tuple[Problem, ...]


class Taxon(NamedTuple):
    """A species as it is called elsewhere. names: language -> its first common name. ids: register -> value."""

    species: Species
    names: dict[str, str]
    ids: dict[str, str]


class Figures(NamedTuple):
    """How many photos a deployment has, and the first and last moment of them."""

    photos: int
    first_at: dt.datetime | None
    last_at: dt.datetime | None


def stays(session: Session, project: Project) -> list[Stay]:
    """By name, as photos are."""
    problems: dict[int, list[Problem]] = defaultdict(list)
    of_project = select(Deployment.id).where(Deployment.project_id == project.id)
    for period in session.scalars(
        select(ProblemPeriod)
        .where(ProblemPeriod.deployment_id.in_(of_project))
        .order_by(ProblemPeriod.from_at, ProblemPeriod.id)
    ):
        problems[period.deployment_id].append(Problem(period.kind, period.from_at, period.to_at))
    sites = {site.id: site for site in session.scalars(select(Site).where(Site.project_id == project.id))}
    found = session.scalars(select(Deployment).where(Deployment.project_id == project.id))
    return [
        Stay(each, sites.get(each.site_id or 0), tuple(problems[each.id]))
        for each in sorted(found, key=lambda row: (row.name, row.id))
    ]


def figures(session: Session, project: Project) -> dict[int, Figures]:
    """Deployment id -> its photos, those of no time among them."""
    rows = session.execute(
        select(Image.deployment_id, func.count(), func.min(Image.taken_at), func.max(Image.taken_at))
        .where(Image.project_id == project.id, Image.state.in_(COUNTING))
        .group_by(Image.deployment_id)
    )
    return {deployment_id: Figures(count, first, last) for deployment_id, count, first, last in rows}


def taxa(session: Session, project: Project) -> dict[int, Taxon]:
    """Species id -> how it is called elsewhere; answers that are no taxon too."""
    found = {
        each.id: Taxon(each, {}, {})
        for each in session.scalars(select(Species).where(Species.project_id == project.id))
    }
    ids = select(Species.id).where(Species.project_id == project.id)
    for name in session.scalars(select(CommonName).where(CommonName.species_id.in_(ids)).order_by(CommonName.id)):
        found[name.species_id].names.setdefault(name.language, name.name)
    for known in session.scalars(select(TaxonId).where(TaxonId.species_id.in_(ids)).order_by(TaxonId.id)):
        found[known.species_id].ids[known.register] = known.value
    return found


def sensitive_in(session: Session, project: Project) -> dict[int, set[int]]:
    """Deployment id -> the sensitive species that people or the classifier named there; empty where the project has none."""
    meant = meanings(session, project.id)
    sensitive = set(
        session.scalars(select(Species.id).where(Species.project_id == project.id, Species.sensitivity != ""))
    )
    asked = [each for species_id in sensitive for each in meant.said_as(species_id)]
    if not asked:
        return {}
    named = func.coalesce(Box.settled_species_id, Box.guess_species_id)
    rows = session.execute(
        select(Image.deployment_id, named)
        .join(Box, Box.image_id == Image.id)
        .where(
            Image.project_id == project.id, counted(project),
            or_(Box.settled_species_id.in_(asked), Box.guess_species_id.in_(asked)),
        )
        .distinct()
    )  # fmt: skip
    found: dict[int, set[int]] = defaultdict(set)
    for deployment_id, species_id in [*rows, *whole_in(session, project, asked)]:
        found[deployment_id].add(meant.of(species_id))
    return found


def whole_in(session: Session, project: Project, species_ids: list[int]) -> Iterator[tuple[int, int]]:
    """(deployment, species) of photos as a whole: what people counted there, and what imports say."""
    for table in (CountCorrection, ImportedName):
        rows = session.execute(
            select(Image.deployment_id, table.species_id)
            .join(table, table.image_id == Image.id)
            .where(Image.project_id == project.id, Image.state.in_(COUNTING), table.species_id.in_(species_ids))
            .distinct()
        )
        yield from ((deployment_id, species_id) for deployment_id, species_id in rows if species_id is not None)
