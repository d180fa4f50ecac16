"""One row a species of a photo, for formats with one slot: people's boxes and networks' boxes of a name stand together there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app.exports.naming import HUMAN, NOT_ANIMAL, PREDICTED, UNCLASSIFIED, Naming, Said
from app.exports.queries import Photo, Whole
from app.exports.rows import SpeciesRow, empty_row, group_row, whole_rows

Seen = tuple[int | None, str, SpeciesRow]  # species id, kind, what is said


def per_species(photo: Photo, said: list[Said], naming: Naming) -> list[Seen]:
    """By name; an empty photo has one row of no species, one without a box that counts what is said of it as a whole. A row is
    human where people named every box of it; else it has the network's lowest probability and its checkpoint."""
    boxes: dict[str, list[Said]] = {}
    for each in said:
        if each.kind != NOT_ANIMAL:
            boxes.setdefault(each.word, []).append(each)
    if not boxes and photo.wholes:
        rows = whole_rows(photo, naming)
        return [(each.species_id, kind_of(each, naming), row) for each, row in zip(photo.wholes, rows, strict=True)]
    if not boxes:
        none = empty_row(photo, said, naming)
        kind = UNCLASSIFIED if none.species == UNCLASSIFIED else NOT_ANIMAL
        return [(None, kind, none)]
    return [(group[0].species_id, group[0].kind, whole(photo, group, naming)) for _word, group in sorted(boxes.items())]


def kind_of(said: Whole, naming: Naming) -> str:
    """Of the species; a machine's name that is none of the project's is one of no kind, and an empty photo shows no animal."""
    if said.species_id is not None:
        return naming.called(said.species_id).kind
    return UNCLASSIFIED if said.name else NOT_ANIMAL


def whole(photo: Photo, group: list[Said], naming: Naming) -> SpeciesRow:
    """The rows of both sources as one."""
    rows = [group_row(photo, part, naming) for part in by_source(group)]
    if len(rows) == 1:
        return rows[0]
    human, predicted = rows
    return replace(
        predicted, count=total(rows), who=human.who, when=human.when, certain=human.certain, observed=human.observed
    )


def by_source(group: Iterable[Said]) -> list[list[Said]]:
    """People's, then networks', without an empty one."""
    listed = list(group)
    parts = ([each for each in listed if each.source == source] for source in (HUMAN, PREDICTED))
    return [part for part in parts if part]


def total(rows: Iterable[SpeciesRow]) -> int:
    """How many individuals, whoever says so."""
    return sum(row.count or 0 for row in rows)
