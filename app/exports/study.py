"""A project as one format after the other reads it: one snapshot, its deployments as they may go out, its photos in order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from app.exports import study_queries
from app.exports.coarse import EXTREME, Point, coarsened, stricter
from app.exports.naming import Naming, Said
from app.exports.queries import WIDE, Asked, Photo, photos
from app.exports.study_queries import Figures, Stay, Taxon
from models.deployment import Deployment
from models.effort import Problem, trap_nights
from models.image import COUNTING
from models.project import Project
from models.storage import Store

PERSON = "person"


@dataclass(frozen=True)
class Options:
    """What a person may choose. people: photos of people go out too. occasion_days: of a detection history. forward_slashes: in
    the folders of a Timelapse table, which has backslashes where it was made on Windows."""

    people: bool = False
    occasion_days: int = 7
    forward_slashes: bool = False


@dataclass
class Station:
    """A deployment as it may go out: coordinates are rounded where a sensitive species was seen."""

    stay: Stay
    zone: str
    point: Point | None
    figures: Figures | None

    @property
    def deployment(self) -> Deployment:
        """Its row."""
        return self.stay.deployment

    @property
    def name(self) -> str:
        """How photos and tables call it."""
        return self.stay.deployment.name

    @property
    def site_name(self) -> str:
        """Of the site, where it has one; else its own."""
        return self.stay.site.name if self.stay.site else self.name

    @property
    def problems(self) -> tuple[Problem, ...]:
        """When the camera did not do its work."""
        return self.stay.problems

    @property
    def starts_at(self) -> dt.datetime | None:
        """Of the period."""
        return self.deployment.starts_at

    @property
    def ends_at(self) -> dt.datetime | None:
        """Of the period."""
        return self.deployment.ends_at

    @property
    def is_whole(self) -> bool:
        """Whether it has a place and a period, as published sets want it."""
        return self.point is not None and self.starts_at is not None and self.ends_at is not None

    def is_within(self, moment: dt.datetime) -> bool:
        """Whether the camera stood there then; never where it has no period."""
        if self.starts_at is None or self.ends_at is None:
            return False
        return self.starts_at <= moment.replace(microsecond=0) <= self.ends_at

    @property
    def trap_nights(self) -> float | None:
        """None where it has no period."""
        return trap_nights(self.starts_at, self.ends_at, self.problems)


@dataclass
class Study:
    """Everything that a format needs. Its session is one snapshot."""

    session: Session
    store: Store
    project: Project
    options: Options = field(default_factory=Options)

    def __post_init__(self) -> None:
        """Raises DamagedFile when a predictions file is not whole."""
        self.taxa: dict[int, Taxon] = study_queries.taxa(self.session, self.project)
        self.naming = Naming(self.session, self.store, self.project)
        self.stations = {each.name: each for each in self._stations()}
        self.extreme = {each.species.id for each in self.taxa.values() if each.species.sensitivity == EXTREME}

    def _stations(self) -> Iterator[Station]:
        seen = study_queries.sensitive_in(self.session, self.project)
        counted = study_queries.figures(self.session, self.project)
        for stay in study_queries.stays(self.session, self.project):
            here = ""
            for species_id in seen.get(stay.deployment.id, ()):
                if (how := self.taxa[species_id].species.sensitivity) != EXTREME:
                    here = stricter(here, how)
            point = point_of(stay)
            yield Station(
                stay, stay.deployment.zone or self.project.zone, coarsened(point, here) if point else None,
                counted.get(stay.deployment.id),
            )  # fmt: skip

    def photos(self, *, every_box: bool = False, people: bool | None = None) -> Iterator[tuple[Photo, list[Said]]]:
        """The photos that were looked through, each with a name for each of its boxes.

        Photos of a species that is not published are left out, and those of people unless they may go (people: as the format
        says, else as was chosen).
        """
        may_show = self.options.people if people is None else people
        asked = Asked(WIDE, every_box)
        for chunk in photos(self.session, self.project, asked):
            for photo, said in self.naming.name(each for each in chunk if each.state in COUNTING):
                if not self.is_kept(photo, said) and (may_show or not self.shows_person(photo, said)):
                    yield photo, said

    def is_kept(self, photo: Photo, said: list[Said]) -> bool:
        """Whether one of the boxes, or the photo as a whole, is a species that is not published."""
        named = {each.species_id for each in said} | {each.species_id for each in photo.wholes}
        return bool(self.extreme) and bool(named & self.extreme)

    def shows_person(self, photo: Photo, said: list[Said]) -> bool:
        """Whether somebody or a network says that a person is on it."""
        wholes = (self.taxa[each.species_id].species.kind for each in photo.wholes if each.species_id is not None)
        return shows_person(photo, said) or PERSON in wholes

    def scientific(self, species_id: int) -> str:
        """The scientific name, else the one of the list: a taxon without a name is none."""
        species = self.taxa[species_id].species
        return species.scientific_name or species.name


def shows_person(photo: Photo, said: list[Said]) -> bool:
    """Whether somebody or a network says that a person is on it."""
    return any(each.kind == PERSON and box.counts for each, box in zip(said, photo.boxes, strict=True))


def point_of(stay: Stay) -> Point | None:
    """The deployment's own coordinates win over its site's."""
    for place in (stay.deployment, stay.site):
        if place is not None and place.latitude is not None and place.longitude is not None:
            return Point(place.latitude, place.longitude, place.uncertainty_m)
    return None
