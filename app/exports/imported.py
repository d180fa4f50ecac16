"""What the rows of imports say of photos, so that it goes out again as it came in, with who said it and when.

A photo is as imported while its file is not here and nobody here has said, drawn or counted anything about it: then the rows of
the file are what a format writes. Of every other photo our own rows are, and an imported name still says whose it was.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import and_, or_, select

from app.exports.naming import Naming, Said
from app.exports.queries import Photo
from app.exports.study import PERSON, Study
from models.box import Box
from models.image import ABSENT, CountCorrection
from models.import_plan import sightings_of
from models.import_records import ANIMAL, SightingRecord
from models.imported import ASIDE, SIGHTING, STOPPED, TAKEN, TAKING, Import, ImportedName, ImportRow
from models.meaning import meanings
from models.species import TAXON
from models.user import User

CHUNK = 500
MADE = {"boxes", "labels", "counts"}  # what a row can have made of what it says
VOICES = "waterhole_labels.csv"  # rows of this file are voices, not what is seen
OF_EVENTS = (ImportRow.photo == "", ImportRow.kind == SIGHTING)  # those among the rows that were kept aside


@dataclass(frozen=True, slots=True)
class Kept:
    """One thing that a file says. species_id: what its name means here, where the project has it. number: within its row."""

    row_id: int
    number: int
    record: SightingRecord
    species_id: int | None
    is_aside: bool = False

    @property
    def latin(self) -> str:
        """What the file calls it, in Latin where it does."""
        return self.record.scientific_name or named(self.record)


@dataclass(frozen=True, slots=True)
class Figure:
    """How many of a species a person counted in a photo here, as it stands."""

    species_id: int | None
    count: int
    who: str
    when: Any


@dataclass(slots=True)
class Guess:
    """What a file says that a machine took a box for, the likeliest first."""

    species_id: int | None
    name: str
    p: float | None
    who: str


@dataclass(slots=True)
class Brought:
    """What imports say of one photo. rows: none where it is not as imported. voices: label id -> the row that gave it."""

    is_as_imported: bool = False
    rows: list[Kept] = field(default_factory=list)
    voices: dict[int, Kept] = field(default_factory=dict)
    guesses: dict[int, list[Guess]] = field(default_factory=dict)  # by box
    figures: list[Figure] = field(default_factory=list)

    @property
    def species_ids(self) -> set[int]:
        """Every species that a whole row or a figure names."""
        named = {each.species_id for each in self.rows} | {each.species_id for each in self.figures if each.count}
        return {each for each in named if each is not None}


NOTHING_BROUGHT = Brought()  # of most photos; never changed


class Imported:
    """The imports of one project at one moment. Memory: two numbers a row of them, and what a chunk of photos needs."""

    def __init__(self, study: Study) -> None:
        """Reads which rows are about which photos; nothing where nothing was imported."""
        self._study, self._session = study, study.session
        self._meant = meanings(study.session, study.project.id)
        self._called = self._names()
        taken = select(Import.id).where(
            Import.project_id == study.project.id, Import.state.in_((TAKING, STOPPED, TAKEN))
        )
        self.ids = list(self._session.scalars(taken))
        about = (
            select(ImportRow.image_id, ImportRow.id)
            .where(ImportRow.import_id.in_(self.ids), ImportRow.image_id.is_not(None))
            .where(or_(ImportRow.is_taken, and_(ImportRow.verdict == ASIDE, ~ImportRow.place.startswith(VOICES))))
            .order_by(ImportRow.image_id, ImportRow.number)
            .execution_options(yield_per=10_000)
        )
        pairs = self._session.execute(about) if self.ids else ()
        both = np.fromiter((id_ for pair in pairs for id_ in pair), np.int64).reshape(-1, 2)
        self._images, self._rows = both[:, 0], both[:, 1]

    @property
    def naming(self) -> Naming:
        """The project's own."""
        return self._study.naming

    def photos(
        self, *, every_box: bool = False, people: bool | None = None
    ) -> Iterator[tuple[Photo, list[Said], Brought]]:
        """Study.photos with what imports say of each; without those that show a species or a person that may not go out so."""
        may_show = self._study.options.people if people is None else people
        stream = self._study.photos(every_box=every_box, people=people)
        while chunk := list(itertools.islice(stream, CHUNK)):
            found = self.of([photo for photo, _said in chunk])
            for photo, said in chunk:
                brought = found.get(photo.id, NOTHING_BROUGHT)
                if brought is NOTHING_BROUGHT:
                    yield photo, said, brought
                    continue
                if brought.species_ids & self._study.extreme or (not may_show and self.shows_person(brought)):
                    continue
                yield photo, said, brought

    def shows_person(self, brought: Brought) -> bool:
        """Whether a row or a figure of the photo as a whole says that a person is on it."""
        if brought is NOTHING_BROUGHT:
            return False
        kinds = {self._study.taxa[each].species.kind for each in brought.species_ids}
        return PERSON in kinds or any(each.record.kind == PERSON for each in brought.rows)

    def of(self, photos: Sequence[Photo]) -> dict[int, Brought]:
        """Of some hundred photos, by id; those of which nothing is known are left out."""
        found: dict[int, Brought] = defaultdict(Brought)
        for image_id, figures in self._figures([photo.id for photo in photos if photo.corrections]).items():
            found[image_id].figures = [figure for _id, figure in figures.values()]
        if not self.ids:
            return found
        rows = self._rows_of([photo.id for photo in photos])
        self._guesses([photo.id for photo in photos], found)
        standing = self._standing([photo.id for photo in photos if photo.state == ABSENT])
        figures_made = self._figure_ids([photo.id for photo in photos if photo.state == ABSENT and photo.corrections])
        for photo in photos:
            brought, own = found[photo.id], rows.get(photo.id, [])
            kept = [(row, self._kept(row)) for row in own]
            for row, several in kept:
                if len(several) == 1:
                    brought.voices |= dict.fromkeys(row.taken.get("labels", []), several[0])
            made = {what: {id_ for row in own for id_ in row.taken.get(what, [])} for what in MADE}
            brought.is_as_imported = (
                photo.state == ABSENT
                and photo.taken_at == photo.row.captured_at
                and standing.get(photo.id, (set(), set())) == (made["boxes"], made["labels"])
                and figures_made.get(photo.id, set()) <= made["counts"]
            )
            makers = sorted({row.import_id for row in own if MADE & row.taken.keys()} or {row.import_id for row in own})
            brought.is_as_imported &= len(makers) <= 1 or not any(MADE & row.taken.keys() for row in own)
            if brought.is_as_imported:  # what another file says later, and nothing was made of, is kept beside
                brought.rows = [each for row, several in kept for each in several if row.import_id == makers[0]]
        return found

    def means(self, record: SightingRecord) -> int | None:
        """The species that a name of a file means here; none where the project has none of it, or no animal is meant."""
        if record.kind != ANIMAL:
            return None
        return self.called(named(record), record.scientific_name)

    def called(self, *names: str) -> int | None:
        """The species that one of the names means here."""
        return next((self._called[each.casefold()] for each in names if each.casefold() in self._called), None)

    def aside(self, *which: Any) -> Iterator[ImportRow]:
        """Rows that were kept aside, in the order of the files."""
        wanted = select(ImportRow).where(ImportRow.import_id.in_(self.ids), ImportRow.verdict == ASIDE, *which)
        after = 0
        while rows := list(
            self._session.scalars(wanted.where(ImportRow.id > after).order_by(ImportRow.id).limit(CHUNK))
        ):
            yield from rows
            after = rows[-1].id

    def places_of_events(self) -> set[str]:
        """The deployments of which event rows were kept aside."""
        place = ImportRow.record["details"]["deploymentID"].as_string()
        wanted = (
            select(place).where(ImportRow.import_id.in_(self.ids), ImportRow.verdict == ASIDE, *OF_EVENTS).distinct()
        )
        return {name for name in self._session.scalars(wanted) if name} if self.ids else set()

    def classifiers(self) -> set[str]:
        """As files name them; a file that names none is one itself, by its own name."""
        sources = self._session.scalars(select(Import.source).where(Import.id.in_(self.ids)))
        return {str(source["classifier"]) for source in sources if source.get("classifier")}

    def taxa(self) -> dict[str, dict[str, Any]]:
        """Scientific name -> what a package says of it (Camtrap DP: taxonomic)."""
        sources = self._session.scalars(select(Import.source).where(Import.id.in_(self.ids)).order_by(Import.id))
        return {name: entry for source in sources for name, entry in (source.get("taxa") or {}).items()}

    def _names(self) -> dict[str, int]:
        """Names in small letters -> what each means now; what the list calls a species comes before scientific names."""
        found: dict[str, int] = {}
        taxa = [each.species for each in self._study.taxa.values() if each.species.kind == TAXON]
        for name, species_id in itertools.chain(
            ((each.name, each.id) for each in taxa), ((each.scientific_name, each.id) for each in taxa)
        ):
            if name:
                found.setdefault(name.casefold(), self._meant.of(species_id))
        return found

    def _rows_of(self, image_ids: Sequence[int]) -> dict[int, list[ImportRow]]:
        starts = np.searchsorted(self._images, image_ids, "left")
        ends = np.searchsorted(self._images, image_ids, "right")
        ids = [id_ for start, end in zip(starts, ends, strict=True) for id_ in self._rows[start:end].tolist()]
        found: dict[int, list[ImportRow]] = defaultdict(list)
        for some in (ids[at : at + CHUNK] for at in range(0, len(ids), CHUNK)):
            for row in self._session.scalars(
                select(ImportRow).where(ImportRow.id.in_(some)).order_by(ImportRow.number)
            ):
                assert row.image_id is not None
                found[row.image_id].append(row)
        return found

    def _kept(self, row: ImportRow) -> list[Kept]:
        said = sightings_of(row) if row.record else []
        return [Kept(row.id, number, each, self.means(each), row.verdict == ASIDE) for number, each in enumerate(said)]

    def _standing(self, image_ids: Sequence[int]) -> dict[int, tuple[set[int], set[int]]]:
        """Photo id -> (its boxes, the labels that settle them); a box about which somebody else has to speak has the label 0."""
        found: dict[int, tuple[set[int], set[int]]] = defaultdict(lambda: (set(), set()))
        rows = self._session.execute(
            select(Box.image_id, Box.id, Box.settled_label_id, Box.waits_for).where(
                Box.image_id.in_(image_ids), Box.deleted_at.is_(None)
            )
        )
        for image_id, box_id, label_id, waits_for in rows:
            boxes, labels = found[image_id]
            boxes.add(box_id)
            if label_id is not None or waits_for is not None:
                labels.add(label_id or 0)
        return found

    def _figures(self, image_ids: Sequence[int]) -> dict[int, dict[int | None, tuple[int, Figure]]]:
        """Photo id -> species id (none: of all) -> the newest figure that stands, with its id."""
        found: dict[int, dict[int | None, tuple[int, Figure]]] = defaultdict(dict)
        wanted = CountCorrection.standing(CountCorrection.image_id.in_(image_ids)).join(
            User, User.id == CountCorrection.user_id
        )
        rows = self._session.execute(wanted.add_columns(CountCorrection.id, User.name, CountCorrection.created_at))
        for image_id, species_id, count, id_, who, when in rows:
            meant = self._meant.of(species_id)
            found[image_id][meant] = (id_, Figure(meant, count, who, when))
        return found

    def _figure_ids(self, image_ids: Sequence[int]) -> dict[int, set[int]]:
        return {
            image_id: {id_ for id_, _figure in figures.values()}
            for image_id, figures in self._figures(image_ids).items()
        }

    def _guesses(self, image_ids: Sequence[int], found: dict[int, Brought]) -> None:
        rows: Iterable[ImportedName] = self._session.scalars(
            select(ImportedName)
            .where(ImportedName.image_id.in_(image_ids), ImportedName.box_id.is_not(None), ImportedName.by_machine)
            .order_by(ImportedName.id)
        )
        for row in rows:
            assert row.box_id is not None
            guesses = found[row.image_id].guesses.setdefault(row.box_id, [])
            if row.rank > len(guesses):  # of two imports the first one says it
                species_id = self._meant.of(row.species_id)
                who = self._study.naming.network(row.checkpoint_id)
                guesses.append(Guess(species_id, row.name, row.p, who))


def named(record: SightingRecord) -> str:
    """The name, or the likeliest guess where there is none."""
    return record.called or (record.guesses[0][0] if record.guesses else "")
