"""What stands in a project: photos, boxes, names, rounds. The counting reads every box once, so it is kept for a while."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, distinct, func, or_, select
from sqlalchemy.orm import Session

from models.box import Box, askable, counted
from models.deployment import Deployment
from models.image import QUARANTINED, READY, REFUSED, WAITING, Image, standing
from models.meaning import Meanings, meanings
from models.project import Project
from models.round import ANSWERED, OPEN, SKIPPED, Pick, Round
from models.species import TAXON, Species
from models.words import say

FLAGS = ("person", "vehicle", "cannot_tell", "not_animal")  # below the species, in this order
ROUNDS_SHOWN = 5
PICKED = (ANSWERED, SKIPPED, OPEN)  # in the order of RoundLine


@dataclass(frozen=True)
class SpeciesLine:
    """One answer: how many boxes people gave it, how many the classifier, and in how many photos together.

    id: of the species, none for what nobody named.
    """

    id: int | None
    name: str
    scientific_name: str
    people: int
    classifier: int
    photos: int


@dataclass(frozen=True)
class Figures:
    """Everything counted, at the project's thresholds."""

    photos: int
    ready: int
    waiting: int
    failed: int
    cameras: int
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    boxes: int  # that count as something
    filled: int  # photos with such a box
    crops: int  # boxes that rounds may ask about
    people: int  # boxes with a settled name
    classifier: int  # boxes that nobody named and the classifier did
    unnamed: SpeciesLine
    species: list[SpeciesLine]
    flags: list[SpeciesLine]

    @property
    def empty(self) -> int:
        """Photos that were looked through and hold nothing that counts."""
        return self.ready - self.filled


@dataclass(frozen=True)
class RoundLine:
    """One round and how far it is."""

    number: int
    strategy: str
    size: int
    answered: int
    skipped: int
    left: int


@dataclass(frozen=True)
class Tally:
    """Boxes of one name."""

    people: int = 0
    classifier: int = 0
    photos: int = 0
    crops: int = 0
    boxes: int = 0


def figures(session: Session, project: Project) -> Figures:
    """Count everything."""
    states = states_of(session, project)
    species = list(session.scalars(select(Species).where(Species.project_id == project.id)))
    kinds = {each.kind: each.id for each in species if each.kind != TAXON}
    said = said_of(project, kinds, meanings(session, project.id))
    tallies = tallies_of(session, project, said)
    lines = {each.id: line_of(each, tallies.get(each.id, Tally())) for each in species}
    first_at, last_at = times_of(session, project)
    ignored = tallies.get(kinds["not_animal"], Tally())
    return Figures(
        photos=sum(states.values()), ready=states.get(READY, 0), waiting=states.get(WAITING, 0),
        failed=states.get(QUARANTINED, 0) + states.get(REFUSED, 0), cameras=cameras_of(session, project),
        first_at=first_at, last_at=last_at,
        boxes=sum(tally.boxes for tally in tallies.values()) - ignored.boxes,
        filled=filled_of(session, project, said, kinds["not_animal"]),
        crops=sum(tally.crops for tally in tallies.values()),
        people=sum(tally.people for tally in tallies.values()),
        classifier=sum(tally.classifier for key, tally in tallies.items() if key is not None),
        unnamed=line_of(None, tallies.get(None, Tally())),
        species=sorted(
            (lines[each.id] for each in species if each.kind == TAXON and is_shown(each, lines[each.id])),
            key=lambda line: (-line.people - line.classifier, line.name.casefold()),
        ),
        flags=[lines[kinds[kind]] for kind in FLAGS],
    )  # fmt: skip


def is_shown(species: Species, line: SpeciesLine) -> bool:
    """A retired species is shown while something has its name."""
    return species.retired_at is None or line.photos > 0


def line_of(species: Species | None, tally: Tally) -> SpeciesLine:
    """A row of the table; without a species, what nobody named."""
    if species is None:
        return SpeciesLine(None, say("Not named yet"), "", tally.people, tally.classifier, tally.photos)
    return SpeciesLine(
        species.id, species.shown_name, species.scientific_name, tally.people, tally.classifier, tally.photos
    )


def states_of(session: Session, project: Project) -> dict[str, int]:
    """State -> photos."""
    rows = session.execute(
        select(Image.state, func.count()).where(Image.project_id == project.id, standing()).group_by(Image.state)
    )
    return {row[0]: row[1] for row in rows}


def said_of(project: Project, kinds: dict[str, int], meant: Meanings) -> ColumnElement[int | None]:
    """What a box is called: by people, else by the classifier (its filter column), else by a detector that knows people.

    meant: what a merged species means now, while the worker has not brought every box there yet.
    """
    by_detector = case((Box.kind == "person", kinds["person"]), (Box.kind == "vehicle", kinds["vehicle"]), else_=None)
    names = (
        (Box.settled_species_id,) if project.classifier_id is None else (Box.settled_species_id, Box.guess_species_id)
    )
    said = func.coalesce(*names, by_detector)
    return case(dict(meant.merged), value=said, else_=said) if meant else said


def tallies_of(session: Session, project: Project, said: ColumnElement[int | None]) -> dict[int | None, Tally]:
    """Species id (None: nobody named it) -> its boxes, in one pass over them."""
    name = said.label("said")
    is_counted, is_settled = counted(project), Box.settled_species_id.is_not(None)
    rows = session.execute(
        select(
            name,
            func.count(Box.settled_species_id),
            func.count(case((and_(is_counted, ~is_settled), 1))),
            func.count(distinct(case((is_counted, Box.image_id)))),
            func.count(case((askable(project), 1))),
            func.count(case((is_counted, 1))),
        )
        .where(Box.project_id == project.id, Box.deleted_at.is_(None))
        .where(or_(Box.score >= min(project.classify_above, project.count_above), is_settled))
        .group_by(name)
    )
    return {species_id: Tally(*figures) for species_id, *figures in rows}


def filled_of(session: Session, project: Project, said: ColumnElement[int | None], not_animal_id: int) -> int:
    """How many photos hold a box that counts as something."""
    return (
        session.scalar(
            select(func.count(distinct(Box.image_id))).where(
                Box.project_id == project.id, counted(project), or_(said.is_(None), said != not_animal_id)
            )
        )
        or 0
    )


def cameras_of(session: Session, project: Project) -> int:
    """How many deployments."""
    return session.scalar(select(func.count()).where(Deployment.project_id == project.id)) or 0


def times_of(session: Session, project: Project) -> tuple[dt.datetime | None, dt.datetime | None]:
    """The first and the last clock, two look-ups in the index a camera."""
    edges = [
        select(edge(Image.taken_at)).where(Image.deployment_id == Deployment.id).correlate(Deployment).scalar_subquery()
        for edge in (func.min, func.max)
    ]
    of_cameras = select(edges[0].label("first"), edges[1].label("last")).where(Deployment.project_id == project.id)
    both = of_cameras.subquery()
    first, last = session.execute(select(func.min(both.c.first), func.max(both.c.last))).one()
    return first, last


def rounds_of(session: Session, project_id: int) -> list[RoundLine]:
    """The newest rounds, the newest first."""
    rounds = session.scalars(
        select(Round).where(Round.project_id == project_id).order_by(Round.number.desc()).limit(ROUNDS_SHOWN)
    ).all()
    tallies: dict[int, dict[str, int]] = {}
    for round_id, state, count in session.execute(
        select(Pick.round_id, Pick.state, func.count())
        .where(Pick.round_id.in_([each.id for each in rounds]))
        .group_by(Pick.round_id, Pick.state)
    ):
        tallies.setdefault(round_id or 0, {})[state] = count
    return [
        RoundLine(each.number, each.strategy, each.size, *(tallies.get(each.id, {}).get(state, 0) for state in PICKED))
        for each in rounds
    ]
