"""The rows of species.csv and counts.csv, straight from one snapshot; also the command line's way in.

Four states are told apart (DECISIONS 13): `empty` (looked at, nothing counts), `unclassified` (something counts, nobody and no
classifier named it), `failed` (the photo cannot be opened), `not_yet_processed` (it waits).
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from app.exports.bursts import NEVER, Burst, Bursts
from app.exports.naming import HUMAN, NOT_ANIMAL, PREDICTED, UNCLASSIFIED, WORDS, Naming, Said
from app.exports.queries import CHUNK, Photo, Whole, deployments, paths_of, photos, species_of
from models.image import COUNTING, QUARANTINED, READY, REFUSED, WAITING
from models.observed import Observed
from models.project import Project
from models.records import event_lines
from models.storage import Store

EMPTY, NAMED = "empty", "named"
STATES = (UNCLASSIFIED, NAMED, EMPTY)  # of a burst: the first one that any of its photos has
NOT_READY = {WAITING: "not_yet_processed", QUARANTINED: "failed", REFUSED: "failed"}


@dataclass(slots=True)
class SpeciesRow:
    """One photo, one species, one source."""

    photo: Photo
    species: str
    scientific_name: str = ""
    count: int | None = None
    source: str = ""
    probability: float | None = None
    who: str = ""
    when: dt.datetime | None = None
    certain: bool | None = None
    checkpoint: str = ""
    observed: tuple[Observed, ...] = ()  # of its boxes of which something was said


@dataclass(slots=True)
class CountRow:
    """One photo or one burst with its number of animals."""

    level: str  # image | sequence | event
    id: int | str
    file: str
    deployment: str
    sequence_id: int | None
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    photos: int
    state: str
    count: int | None = None
    corrected: int | None = None
    species: str = ""  # of an event, which is of one species

    @property
    def bin(self) -> str:
        """0, 1 to 10, 11-50 or 51+, of the corrected count where there is one."""
        return bin_of(self.count if self.corrected is None else self.corrected)


def species_rows(session: Session, store: Store, project: Project) -> Iterator[SpeciesRow]:
    """species.csv: unique on (photo, species, source)."""
    naming = Naming(session, store, project)
    for chunk in photos(session, project):
        for photo, said in naming.name(chunk):
            yield from species_in(photo, said, naming)


def counts_rows(session: Session, store: Store, project: Project) -> Iterator[CountRow]:
    """counts.csv: every photo, then every burst, then every event; unique on (level, id)."""
    naming, bursts = Naming(session, store, project), Bursts()
    places = {name: place for place, (_id, name) in enumerate(deployments(session, project))}
    for chunk in photos(session, project):
        for photo, said in naming.name(chunk):
            row = count_of_photo(photo, said)
            if photo.sequence_id is not None and photo.state in COUNTING:
                bursts.add(places[photo.deployment], photo.sequence_id, in_burst(row))
            yield row
    for sequence_id, burst in bursts:
        yield count_of_burst(sequence_id, burst)
    yield from event_rows(session, store, project)


ROWS: dict[str, Callable[[Session, Store, Project], Iterator[Any]]] = {
    "species.csv": species_rows,
    "counts.csv": counts_rows,
}


def species_in(photo: Photo, said: list[Said], naming: Naming) -> Iterator[SpeciesRow]:
    """The rows of one photo: people first, then the classifier, each by species."""
    if photo.state not in COUNTING:
        yield SpeciesRow(photo, NOT_READY[photo.state])
        return
    counting = [each for each in said if each.kind != NOT_ANIMAL]
    if not counting:
        yield from whole_rows(photo, naming) or [empty_row(photo, said, naming)]
    groups: dict[tuple[str, str], list[Said]] = {}
    for each in counting:
        groups.setdefault((each.source, each.word), []).append(each)
    for key in sorted(groups):
        yield group_row(photo, groups[key], naming)


def group_row(photo: Photo, group: list[Said], naming: Naming) -> SpeciesRow:
    """Boxes of one name and source. Their probability is the lowest, their voice the newest."""
    first, newest = group[0], newest_of(group)
    count = len(group)
    if first.source == HUMAN:
        count = corrections_by_species(photo).get(first.species_id, count)
    probabilities = [each.probability for each in group if each.probability is not None]
    by_classifier = first.source == PREDICTED and probabilities
    return SpeciesRow(
        photo, first.word, first.scientific_name, count, first.source, min(probabilities, default=None),
        newest.who, newest.when, certain_of(group),
        naming.checkpoint(naming.classifier_id if by_classifier else photo.detector_id),
        tuple(each.observed for each in group if each.observed.said),
    )  # fmt: skip


def whole_rows(photo: Photo, naming: Naming) -> list[SpeciesRow]:
    """What is said of a photo as a whole, where no box of it counts; none where nothing is said."""
    return [
        replace(whole_row(photo, whole, naming), checkpoint=naming.checkpoint(whole.checkpoint_id or photo.detector_id))
        for whole in photo.wholes
    ]


def whole_row(photo: Photo, whole: Whole, naming: Naming) -> SpeciesRow:
    """One of them, but for the checkpoint."""
    if whole.species_id is None and not whole.name:
        if whole.checkpoint_id is not None:
            return SpeciesRow(photo, EMPTY, count=0, source=PREDICTED, probability=whole.p)
        return SpeciesRow(photo, EMPTY, count=0, source=HUMAN, who=whole.who, when=whole.when, certain=True)
    said = naming.called(whole.species_id) if whole.species_id is not None else None
    word, scientific = (said.word, said.scientific_name) if said else (whole.name, "")
    if whole.checkpoint_id is not None:
        return SpeciesRow(photo, word, scientific, whole.count, PREDICTED, whole.p)
    return SpeciesRow(photo, word, scientific, whole.count, HUMAN, None, whole.who, whole.when, True)


def certain_of(group: list[Said]) -> bool | None:
    """Whether people were certain of every box of the group; None when it was no person."""
    marks = [each.certain for each in group if each.certain is not None]
    return all(marks) if marks else None


def is_looked_through(photo: Photo) -> bool:
    """Whether somebody or a detector has looked: not so where an import only names the photo."""
    return (
        photo.state == READY or photo.detector_id is not None or bool(photo.boxes or photo.corrections or photo.wholes)
    )


def empty_row(photo: Photo, not_animals: list[Said], naming: Naming) -> SpeciesRow:
    """Nothing in the photo counts: said by people when they named every box that rounds ask about "not an animal", else by the
    networks: a word about one box is no word about the photo."""
    if not is_looked_through(photo):
        return SpeciesRow(photo, UNCLASSIFIED)
    by_people = bool(not_animals) and not photo.has_unnamed_crop and all(each.source == HUMAN for each in not_animals)
    by_classifier = any(each.source == PREDICTED for each in not_animals)
    newest = newest_of(not_animals) if by_people else None
    return SpeciesRow(
        photo, EMPTY, count=0, source=HUMAN if by_people else PREDICTED, who=newest.who if newest else "",
        when=newest.when if newest else None, certain=certain_of(not_animals) if by_people else None,
        checkpoint=naming.checkpoint(naming.classifier_id if by_classifier else photo.detector_id),
    )  # fmt: skip


def newest_of(group: list[Said]) -> Said:
    """The one that was said last."""
    return max(group, key=lambda each: each.when or dt.datetime.min.replace(tzinfo=dt.UTC))


def count_of_photo(photo: Photo, said: list[Said]) -> CountRow:
    """One photo's animals: people, vehicles and "not an animal" are none."""
    place = (photo.id, photo.path, photo.deployment, photo.sequence_id, photo.taken_at, photo.taken_at, 1)
    if photo.state not in COUNTING:
        return CountRow("image", *place, NOT_READY[photo.state])
    animals = [each for each in said if each.is_animal]
    kinds = {each.kind for each in said if each.kind != NOT_ANIMAL} or {
        NAMED for each in photo.wholes if each.species_id or each.name
    }
    is_open = UNCLASSIFIED in kinds or not (kinds or is_looked_through(photo))
    state = UNCLASSIFIED if is_open else NAMED if kinds else EMPTY
    return CountRow("image", *place, state, len(animals), corrected_count(photo, animals))


def in_burst(row: CountRow) -> Burst:
    """What the row of a photo says of its burst."""
    at = "" if row.first_at is None else row.first_at.isoformat()
    count, shown = row.count or 0, row.count or 0 if row.corrected is None else row.corrected
    first = (at or NEVER.isoformat(), row.file, int(row.id))
    is_corrected = row.corrected is not None
    return Burst(first, row.deployment, at, at, 1, 1 << STATES.index(row.state), count, shown, is_corrected)


def count_of_burst(sequence_id: int, burst: Burst) -> CountRow:
    """A burst's animals: the most in any one of its photos; corrected where a person corrected any of them."""
    first_at, last_at = (dt.datetime.fromisoformat(at) if at else None for at in (burst.first_at, burst.last_at))
    state = next(state for number, state in enumerate(STATES) if burst.states & 1 << number)
    return CountRow(
        "sequence", sequence_id, burst.first[1], burst.deployment, sequence_id, first_at, last_at, burst.photos, state,
        burst.count, burst.shown if burst.is_corrected else None,
    )  # fmt: skip


def event_rows(session: Session, store: Store, project: Project) -> Iterator[CountRow]:
    """The events: the most of a species in any one photo; corrected where a person gave a figure, with those unseen."""
    names = dict(deployments(session, project))
    words = {id_: WORDS.get(kind, name) for id_, (kind, name, _scientific) in species_of(session, project).items()}
    lines = event_lines(session, store, project)
    while chunk := list(itertools.islice(lines, CHUNK)):
        paths = paths_of(session, {each.first_image_id for each in chunk})
        for each in chunk:
            said = each.count is not None or each.unseen > 0
            yield CountRow(
                "event", f"{each.first_image_id}-{each.species_id}", paths[each.first_image_id], names[each.deployment_id], None,
                each.first_at, each.last_at, each.photos, NAMED, each.max_count, each.individuals if said else None,
                words[each.species_id],
            )  # fmt: skip


def corrected_count(photo: Photo, animals: list[Said]) -> int | None:
    """What people counted: the newest figure for the whole photo, else the boxes with each species' newest figure put in."""
    if not photo.corrections:
        return None
    newest_species, newest_count = photo.corrections[-1]
    if newest_species is None:
        return newest_count
    boxes: dict[int | None, int] = {}
    for each in animals:
        boxes[each.species_id] = boxes.get(each.species_id, 0) + 1
    return sum((boxes | corrections_by_species(photo)).values())


def corrections_by_species(photo: Photo) -> dict[int | None, int]:
    """Species id -> the newest figure that a person gave for it."""
    return {species_id: count for species_id, count in photo.corrections if species_id is not None}


def bin_of(count: int | None) -> str:
    """Snapshot Serengeti's bins: 1 to 10, 11-50, 51+; 0 for none; nothing for a photo that nobody looked at."""
    if count is None:
        return ""
    return str(count) if count <= 10 else "11-50" if count <= 50 else "51+"
