"""What can be answered: taxa of any rank, and the four answers that are none."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, utc_now
from models.errors import Invalid
from models.words import mark, say, translated

FREE_KEYS = "123456789ADIJLOQRTWY"  # ui/UI.md section 6: digits and the letters that no act uses
TAXON = "taxon"
SENSITIVITIES = ("", "low", "medium", "high", "extreme")  # Chapman: 3, 2, 1 decimals, not published (PRACTICE 1.5)
FIXED = {  # kind -> (name, key); "cannot tell" never trains (DECISIONS 8)
    "not_animal": (mark("Not an animal"), "X"),
    "cannot_tell": (mark("Cannot tell"), "U"),
    "person": (mark("Person"), "P"),
    "vehicle": (mark("Vehicle"), "V"),
}
TRAINS = (TAXON, "not_animal", "person", "vehicle")
SPECIES = mark("species")
# group: any other set, "small mammal"
RANKS = (
    SPECIES,
    mark("genus"),
    mark("family"),
    mark("order"),
    mark("class"),
    mark("group"),
)  # group: any other set, "small mammal"
# "any bird", "unknown bird", "bird sp.": words that ask for a rank above the species (static/js/labeling/names.js has them too)
BEFORE = r"^(?:any|some|unknown|unidentified|undetermined)\s+"
AFTER = r"\s+(?:spp?\.?|indet\.?|unknown|unidentified)$"


class Species(Base):
    """One possible answer in one project. A retired one stays readable in old answers."""

    __tablename__ = "species"
    __table_args__ = (
        UniqueConstraint("project_id", "name"),
        Index("uq_species_hotkey", "project_id", "hotkey", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(20), default=TAXON)
    name: Mapped[str] = mapped_column(String(200))
    scientific_name: Mapped[str] = mapped_column(String(200), default="")
    rank: Mapped[str] = mapped_column(String(20), default="species")
    hotkey: Mapped[str | None] = mapped_column(String(1))
    # Two without a foreign key: SQLite could only add one by making the table anew, which would delete what points at it.
    parent_id: Mapped[int | None]  # the taxon above, in the same project
    merged_into_id: Mapped[int | None]  # says what this one means now; answers keep the id that was said
    sensitivity: Mapped[str] = mapped_column(String(10), default="", server_default="")  # how coarse its places go out
    retired_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)

    @classmethod
    def add(
        cls, session: Session, project_id: int, name: str, *, scientific_name: str = "", hotkey: str | None = "auto",
        rank: str = SPECIES,
    ) -> Species:  # fmt: skip
        """A new taxon; "auto" takes the next free key, None none. Raises Invalid when name, key or rank is taken or bad."""
        cleaned = clean_name(name)
        refuse_taken(cls.named(session, project_id, cleaned), cleaned)
        if hotkey == "auto":
            hotkey = next(iter(cls.free_keys(session, project_id)), None)
        species = cls(
            project_id=project_id,
            name=cleaned,
            scientific_name=clean_scientific(scientific_name),
            rank=clean_rank(rank),
        )
        session.add(species)
        species.set_hotkey(session, hotkey)
        session.flush()
        return species

    @classmethod
    def add_list(cls, session: Session, project_id: int, names: list[tuple[str, str]]) -> tuple[list[Species], int]:
        """New taxa with the next free keys, from (name, scientific name) rows; and how many of the names led somewhere already.

        Reads the names once, so that a long list does not hold up the other writers. Raises Invalid with the row's number.
        """
        known = known_names(session, project_id)
        keys = iter(cls.free_keys(session, project_id))
        added: list[Species] = []
        for number, (name, scientific) in enumerate(names, start=1):
            try:
                species = cls(
                    project_id=project_id, name=clean_name(name), scientific_name=clean_scientific(scientific)
                )
            except Invalid as error:
                raise Invalid(say("line %(number)s, %(error)s", number=number, error=error)) from error
            if species.name.lower() not in known:
                known.add(species.name.lower())
                species.hotkey = next(keys, None)
                added.append(species)
        session.add_all(added)
        session.flush()
        return added, len(names) - len(added)

    @classmethod
    def add_fixed(cls, session: Session, project_id: int) -> None:
        """The four answers that every project has."""
        for kind, (name, key) in FIXED.items():
            session.add(cls(project_id=project_id, kind=kind, name=name, hotkey=key, rank=""))
        session.flush()

    @classmethod
    def named(cls, session: Session, project_id: int, name: str) -> Species | None:
        """The species of this common name, scientific name or synonym, whatever its case; else the rank that was asked for."""
        wanted = " ".join(unicodedata.normalize("NFC", name).split()).lower()
        if not wanted or is_unprintable(wanted):
            return None
        for column, species_id in (
            (cls.name, cls.id),
            (cls.scientific_name, cls.id),
            (Synonym.name, Synonym.species_id),
        ):
            here = column.class_.project_id == project_id
            if wanted.isascii():
                found = session.scalar(
                    select(species_id).where(here, func.lower(column) == wanted).order_by(species_id)
                )
            else:  # SQLite, and PostgreSQL in the C locale, lower ASCII letters only
                rows = session.execute(select(column, species_id).where(here).order_by(species_id))
                found = next((row[1] for row in rows if row[0].lower() == wanted), None)
            if found is not None:
                return session.get(cls, found)
        return cls.above(session, project_id, wanted)

    @classmethod
    def above(cls, session: Session, project_id: int, wanted: str) -> Species | None:
        """The genus, family, ... that "unknown bird" or "bird sp." asks for; None for other words."""
        group = group_of(wanted)
        if group is None:
            return None
        higher = select(cls).where(cls.project_id == project_id, cls.rank.not_in(("", SPECIES))).order_by(cls.id)
        for species in session.scalars(higher):
            others = session.scalars(select(Synonym.name).where(Synonym.species_id == species.id))
            if group in {group_of(name) or folded(name) for name in (species.name, species.scientific_name, *others)}:
                return species
        return None

    @classmethod
    def of_kind(cls, session: Session, project_id: int, kind: str) -> Species:
        """One of the four fixed answers."""
        return session.scalars(select(cls).where(cls.project_id == project_id, cls.kind == kind)).one()

    @classmethod
    def open_in(cls, session: Session, project_id: int) -> list[Species]:
        """Every answer that is not retired, in the order in which they were added."""
        return list(
            session.scalars(select(cls).where(cls.project_id == project_id, cls.retired_at.is_(None)).order_by(cls.id))
        )

    @classmethod
    def free_keys(cls, session: Session, project_id: int) -> list[str]:
        """The keys nobody has."""
        taken = set(session.scalars(select(cls.hotkey).where(cls.project_id == project_id, cls.hotkey.is_not(None))))
        return [key for key in FREE_KEYS if key not in taken]

    @property
    def shown_name(self) -> str:
        """Its name; of an answer that every project has, in the reader's language."""
        return shown_name(self.kind, self.name)

    def rename(self, session: Session, name: str, scientific_name: str, rank: str = "") -> None:
        """Give another name, and a rank where one is given; answers keep the row. Raises Invalid when one is taken or bad."""
        cleaned = clean_name(name)
        other = Species.named(session, self.project_id, cleaned)
        refuse_taken(other if other is not self else None, cleaned)
        self.name, self.scientific_name = cleaned, clean_scientific(scientific_name)
        self.rank = clean_rank(rank) if rank else self.rank

    def give_key(self, session: Session, key: str) -> None:
        """The first key of a species that has none. Raises Invalid when it has one by now: a key in use never moves."""
        if self.hotkey is not None and self.hotkey != key:
            raise Invalid(
                "key: "
                + say("%(name)s has the key %(hotkey)s by now, and keeps it", name=self.name, hotkey=self.hotkey)
            )
        if self.retired_at is not None:
            raise Invalid("key: " + say("%(name)s was taken off the list", name=self.name))
        self.set_hotkey(session, key)

    def set_hotkey(self, session: Session, key: str | None) -> None:
        """Fix the key, or take it away with None. Raises Invalid naming the owner and the free keys."""
        if self.kind not in (None, TAXON):
            raise Invalid("key: " + say("%(name)s keeps its key", name=self.name))
        key = key.upper() if key else None
        if key is not None:
            owner = session.scalar(select(Species).where(Species.project_id == self.project_id, Species.hotkey == key))
            free = list(Species.free_keys(session, self.project_id))
            if owner is not None and owner is not self:
                raise Invalid(
                    say(
                        "%(key)s belongs to %(name)s. Free: %(value)s.",
                        key=key,
                        name=owner.name,
                        value=", ".join(free) or "none",
                    )
                )
            if len(key) != 1 or key not in FREE_KEYS:
                raise Invalid(
                    say(
                        "%(key)s is not a key for a species. Free: %(value)s.", key=key, value=", ".join(free) or "none"
                    )
                )
        self.hotkey = key

    def retire(self) -> None:
        """Take it off the list; old answers keep it, its key becomes free."""
        if self.kind != TAXON:
            raise Invalid(say("%(name)s belongs to every project and stays", name=self.name))
        self.retired_at, self.hotkey = utc_now(), None

    def bring_back(self) -> None:
        """Put a retired one on the list again, without a key."""
        self.retired_at = None

    def add_synonym(self, session: Session, name: str) -> Synonym:
        """Another name under which it is found. Raises Invalid when the name is taken or bad."""
        cleaned = clean_name(name)
        refuse_taken(Species.named(session, self.project_id, cleaned), cleaned)
        synonym = Synonym(project_id=self.project_id, species_id=self.id, name=cleaned)
        session.add(synonym)
        session.flush()
        return synonym


class Synonym(Base):
    """Another name under which a species is found."""

    __tablename__ = "synonym"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    species_id: Mapped[int] = mapped_column(ForeignKey("species.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(200))


class CommonName(Base):
    """What a species is called in a language (BCP 47: en, es, pt-BR); Species.name is what the pages show."""

    __tablename__ = "common_name"
    __table_args__ = (UniqueConstraint("species_id", "language", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    species_id: Mapped[int] = mapped_column(ForeignKey("species.id", ondelete="CASCADE"))
    language: Mapped[str] = mapped_column(String(35))
    name: Mapped[str] = mapped_column(String(200))


class TaxonId(Base):
    """What a species is called in a register: GBIF, COL, wildlife_insights, ... and its identifier there."""

    __tablename__ = "taxon_id"
    __table_args__ = (UniqueConstraint("species_id", "register"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    species_id: Mapped[int] = mapped_column(ForeignKey("species.id", ondelete="CASCADE"))
    register: Mapped[str] = mapped_column(String(40))
    value: Mapped[str] = mapped_column(String(200))


def known_names(session: Session, project_id: int) -> set[str]:
    """Every name that leads to a species of the project, in small letters."""
    rows = session.execute(select(Species.name, Species.scientific_name).where(Species.project_id == project_id))
    synonyms = session.scalars(select(Synonym.name).where(Synonym.project_id == project_id))
    return {name.lower() for row in rows for name in row if name} | {name.lower() for name in synonyms}


def refuse_taken(owner: Species | None, name: str) -> None:
    """Raises Invalid when the name already leads to a species."""
    if owner is None:
        return
    if owner.retired_at is not None:
        raise Invalid(
            "name: " + say("%(name)s was retired. Bring %(name_2)s back instead.", name=name, name_2=owner.name)
        )
    known_as = "" if owner.name.lower() == name.lower() else f", as {owner.name}"
    raise Invalid("name: " + say("%(name)s is already in the list%(known_as)s", name=name, known_as=known_as))


def shown_name(kind: str, name: str) -> str:
    """The project's own name of a species; the fixed answers are in the reader's language."""
    return name if kind == TAXON else translated(name)


def clean_name(name: str) -> str:
    """One line, normalised (NFC), 1 to 200 characters, no control characters. Raises Invalid."""
    cleaned = " ".join(unicodedata.normalize("NFC", name).split())
    if not cleaned or len(cleaned) > 200:
        raise Invalid("name: " + say("between 1 and 200 characters"))
    if is_unprintable(cleaned):
        raise Invalid("name: " + say("it has a character that cannot be shown"))
    return cleaned


def is_unprintable(name: str) -> bool:
    """Whether a control character, half a surrogate pair or a private character is in it."""
    return any(unicodedata.category(character) in ("Cc", "Cs", "Co") for character in name)


def folded(name: str) -> str:
    """Small letters without accents."""
    apart = unicodedata.normalize("NFD", name)
    return "".join(each for each in apart if not unicodedata.category(each).startswith("M")).lower()


def group_of(name: str) -> str | None:
    """bird for "any bird", "Unknown bird" and "bird sp."; None for a name without such words."""
    plain = folded(name)
    bare = re.sub(AFTER, "", re.sub(BEFORE, "", plain)).strip()
    return bare if bare and bare != plain else None


def clean_rank(rank: str) -> str:
    """Raises Invalid for a rank that is none."""
    if rank not in RANKS:
        raise Invalid("rank: " + say("%(rank)s is not one of %(names)s", rank=repr(rank[:40]), names=", ".join(RANKS)))
    return rank


def clean_scientific(name: str) -> str:
    """The same for the scientific name, which may be empty."""
    return clean_name(name) if name.strip() else ""
