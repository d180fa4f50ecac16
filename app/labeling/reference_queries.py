"""Crops that are surely of a species, and what it was taken for: one look at its newest answers, however many crops there are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from models.box import Box
from models.consensus import EXPERTS
from models.image import Image
from models.label import Label
from models.meaning import meanings
from models.species import TAXON, Species

AnyRow = Row[*tuple[Any, ...]]
LOOKED = 500  # newest answers of a species
SURE = 0.9  # of the classifier, where it agreed with the person at that moment
SELDOM = 2  # mistakes; a single one says nothing


def newest_of(session: Session, species: Species) -> list[AnyRow]:
    """The crops that were settled as this species last, the newest first, each with the answer that settled it."""
    settled = (
        select(
            Box.id, Box.image_id, Image.deployment_id, Image.sequence_id, Label.role, Label.certain, Label.guess
        )
        .join(Label, Label.id == Box.settled_label_id)
        .join(Image, Image.id == Box.image_id)
        .where(Box.project_id == species.project_id, Box.settled_species_id == species.id, Box.embedder_id.is_not(None))
        .order_by(Box.settled_label_id.desc())
        .limit(LOOKED)
    )  # fmt: skip
    return list(session.execute(settled))


def references(session: Session, species: Species, newest: list[AnyRow], count: int) -> list[AnyRow]:
    """So many of them that are sure, each of another burst, over as many cameras as there are."""
    if species.kind != TAXON:
        return []
    certain = [row for row in newest if row.certain]
    named = meanings(session, species.project_id).said_as(species.id)
    agreed = agreeing(session, named, [row.id for row in certain])
    sure = [row for row in certain if row.role in EXPERTS or row.id in agreed or is_confirmed(row, named)]
    return [row for row, _ in zip(spread(sure), range(count), strict=False)]


def is_confirmed(row: AnyRow, named: set[int]) -> bool:
    """Whether the classifier was sure of the same name when the person said it."""
    return bool(row.guess.get("species_id") in named and row.guess.get("p", 0) >= SURE)


def agreeing(session: Session, named: set[int], box_ids: list[int]) -> set[int]:
    """The crops that two people or more call so. named: every id that means the species."""
    said = select(Label.box_id, Label.user_id, Label.species_id).where(Label.box_id.in_(box_ids)).order_by(Label.id)
    newest = {(box_id, user_id): name for box_id, user_id, name in session.execute(said)}
    voices = Counter(box_id for (box_id, _user), said in newest.items() if said in named)
    return {box_id for box_id, count in voices.items() if count >= 2}


def spread(rows: Iterable[AnyRow]) -> Iterator[AnyRow]:
    """The newest of every camera, then the second of each, and so on; one crop of a burst."""
    seen: set[int] = set()
    by_camera: dict[int, list[AnyRow]] = defaultdict(list)
    for row in rows:
        burst = row.sequence_id or -row.image_id
        if burst not in seen:
            seen.add(burst)
            by_camera[row.deployment_id].append(row)
    for place in range(max(map(len, by_camera.values()), default=0)):
        yield from (rows[place] for rows in by_camera.values() if place < len(rows))


def taken_for(session: Session, species: Species, newest: list[AnyRow]) -> tuple[Species, int, int] | None:
    """(the species that the classifier most often said instead, how often, of how many); None where it seldom did."""
    taxa = select(Species).where(Species.project_id == species.project_id, Species.kind == TAXON)
    others = {other.id: other for other in session.scalars(taxa) if other is not species and other.retired_at is None}
    meant = meanings(session, species.project_id)
    guessed = [meant.of(row.guess["species_id"]) for row in newest if row.guess.get("species_id")]
    wrong = Counter(guess for guess in guessed if guess in others)
    if not wrong:
        return None
    other_id, count = min(wrong.items(), key=lambda pair: (-pair[1], pair[0]))
    return (others[other_id], count, len(guessed)) if count >= SELDOM else None
