"""The projects of a person: each with its size, its people, its round and its cover. The same number of questions for one
project and for a hundred."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.pictures import photo_pictures
from models.box import Box
from models.deployment import Deployment
from models.image import WAITING, Image, standing
from models.job import RUNNING, UNFINISHED, Job
from models.membership import Membership, Role
from models.privacy import veils
from models.project import Project
from models.round import FULL, OPEN, Pick, Round
from models.species import TAXON, Species

PERSON = "person"  # as a detector's word and as a kind of answer


@dataclass(frozen=True)
class RoundNow:
    """The round that a person would be asked from."""

    number: int
    size: int
    left: int


@dataclass(frozen=True)
class ProjectLine:
    """One project as its member sees it in the list."""

    project: Project
    role: Role
    others: int
    photos: int
    waiting: int
    cameras: int
    answers: int
    round: RoundNow | None
    job: Job | None
    cover_id: int | None
    cover: str  # where its thumbnail lies


def projects_of(session: Session, user_id: int) -> list[ProjectLine]:
    """By name."""
    rows = session.execute(
        select(Project, Membership.role)
        .join(Membership, Membership.project_id == Project.id)
        .where(Membership.user_id == user_id, Project.archived_at.is_(None), Project.deletion_id.is_(None))
    ).all()
    ids = [project.id for project, _role in rows]
    members = tallied(session, Membership.project_id, Membership.project_id.in_(ids))
    states = states_of(session, ids)
    cameras = tallied(session, Deployment.project_id, Deployment.project_id.in_(ids))
    answers = tallied(session, Box.project_id, and_(Box.project_id.in_(ids), Box.settled_species_id.is_not(None)))
    rounds, jobs, covers = rounds_now(session, ids), jobs_now(session, ids), covers_of(session, ids)
    over = veils(session, covers.values())
    pictures = {
        project_id: str(photo_pictures(image_id, over.get(image_id))["thumbnail"])
        for project_id, image_id in covers.items()
    }
    lines = [
        ProjectLine(
            project=project, role=Role(role), others=members.get(project.id, 1) - 1,
            photos=sum(states.get(project.id, {}).values()), waiting=states.get(project.id, {}).get(WAITING, 0),
            cameras=cameras.get(project.id, 0), answers=answers.get(project.id, 0), round=rounds.get(project.id),
            job=jobs.get(project.id), cover_id=covers.get(project.id), cover=pictures.get(project.id, ""),
        )
        for project, role in rows
    ]  # fmt: skip
    return sorted(lines, key=lambda line: (line.project.name.casefold(), line.project.id))


def tallied(session: Session, column: Any, where: ColumnElement[bool]) -> dict[int, int]:
    """Project id -> how many rows."""
    return {row[0]: row[1] for row in session.execute(select(column, func.count()).where(where).group_by(column))}


def states_of(session: Session, project_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Project id -> state -> photos, from the index alone."""
    found: dict[int, dict[str, int]] = {}
    for project_id, state, count in session.execute(
        select(Image.project_id, Image.state, func.count())
        .where(Image.project_id.in_(project_ids), standing())
        .group_by(Image.project_id, Image.state)
    ):
        found.setdefault(project_id, {})[state] = count
    return found


def rounds_now(session: Session, project_ids: Sequence[int]) -> dict[int, RoundNow]:
    """Project id -> the first round that still has an open crop."""
    rows = session.execute(
        select(Round.project_id, Round.number, Round.size, func.count())
        .join(Pick, Pick.round_id == Round.id)
        .where(Round.project_id.in_(project_ids), Round.state != FULL, Pick.state == OPEN)
        .group_by(Round.project_id, Round.number, Round.size)
        .order_by(Round.number.desc())
    )
    return {project_id: RoundNow(number, size, left) for project_id, number, size, left in rows}


def jobs_now(session: Session, project_ids: Sequence[int]) -> dict[int, Job]:
    """Project id -> the job that runs, else the one that was asked for first."""
    jobs = session.scalars(
        select(Job).where(Job.project_id.in_(project_ids), Job.state.in_(UNFINISHED)).order_by(Job.asked_at.desc())
    )
    return {job.project_id: job for job in sorted(jobs, key=lambda job: job.state == RUNNING)}


def covers_of(session: Session, project_ids: Sequence[int]) -> dict[int, int]:
    """Project id -> the photo with the surest animal box, never one with a person on it."""
    fixed, near = aliased(Species), aliased(Box)
    no_animals = select(fixed.id).where(fixed.project_id == Project.id, fixed.kind != TAXON).correlate(Project)
    person = (
        select(fixed.id)
        .where(fixed.project_id == Project.id, fixed.kind == PERSON)
        .correlate(Project)
        .scalar_subquery()
    )
    said = func.coalesce(Box.settled_species_id, Box.guess_species_id)
    with_person = exists(
        select(near.id).where(
            near.image_id == Box.image_id,
            or_(near.kind == PERSON, near.settled_species_id == person, near.guess_species_id == person),
        )
    )
    best = (
        select(Box.image_id)
        .where(
            Box.project_id == Project.id,
            Box.kind == "animal",
            Box.deleted_at.is_(None),
            or_(said.is_(None), said.not_in(no_animals)),
            ~with_person,
        )
        .order_by(Box.score.desc())
        .limit(1)
        .correlate(Project)
        .scalar_subquery()
    )
    rows = session.execute(select(Project.id, best).where(Project.id.in_(project_ids)))
    return {project_id: image_id for project_id, image_id in rows if image_id is not None}
