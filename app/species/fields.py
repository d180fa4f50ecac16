"""What the columns of a species list say: name, rank, parent, synonyms, key, sensitivity, `name:es`, `id:gbif`, and the like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from app.species.sheet import Row, Sheet, listed
from models.errors import Invalid
from models.languages import clean_language
from models.names import clean_register, clean_value
from models.species import FREE_KEYS, SENSITIVITIES, clean_name, clean_rank, clean_scientific
from models.words import say

LEVELS = ("kingdom", "phylum", "class", "order", "family", "genus")  # the highest first
NAME, SCIENTIFIC, RANK, PARENT, SYNONYMS, KEY, SENSITIVITY, RETIRED = (
    "name", "scientific_name", "rank", "parent", "synonyms", "key", "sensitivity", "retired",
)  # fmt: skip
COLUMNS = (NAME, SCIENTIFIC, RANK, PARENT, KEY, SENSITIVITY, SYNONYMS, RETIRED)
# How other lists call the same.
ALIKE = {
    "common_name": NAME, "vernacular_name": NAME, "scientificname": SCIENTIFIC, "taxon_rank": RANK, "taxonrank": RANK,
    "hotkey": KEY, "synonym": SYNONYMS, "wi_taxon_id": "id:wildlife_insights", "gbif_id": "id:gbif",
}  # fmt: skip
YES, NO = ("yes", "y", "true", "1"), ("no", "n", "false", "0")


@dataclass(frozen=True)
class Problem:
    """Why a row does not go in."""

    line: int
    field: str
    words: str


@dataclass
class Said:
    """What one row says of a species; empty where it says nothing. lineage: rank -> scientific name."""

    line: int
    name: str = ""
    scientific_name: str = ""
    rank: str = ""
    parent: str = ""
    key: str = ""
    sensitivity: str = ""
    retired: bool = False
    synonyms: list[str] = field(default_factory=list)
    common: list[tuple[str, str]] = field(default_factory=list)  # language, name
    ids: dict[str, str] = field(default_factory=dict)
    lineage: dict[str, str] = field(default_factory=dict)


def columns_of(sheet: Sheet) -> tuple[dict[str, str], list[str]]:
    """(header -> what it says, headers that say nothing here). Raises Invalid for a language or register that is none, where a
    column stands twice, and where nothing names the species.
    """
    known: dict[str, str] = {}
    unread = []
    for header in sheet.headers:
        plain = header.lower().replace(" ", "_")
        plain = ALIKE.get(plain, plain)
        prefix, colon, rest = plain.partition(":")
        if plain in (*COLUMNS, *LEVELS):
            known[header] = plain
        elif colon and prefix == "name":
            known[header] = f"name:{clean_language(rest)}"
        elif colon and prefix == "id":
            known[header] = f"id:{clean_register(rest)}"
        elif header:
            unread.append(header)
    meanings = list(known.values())
    twice = next((each for each in meanings if meanings.count(each) > 1), None)
    if twice:
        raise Invalid(say("file: two columns say %(column)s", column=twice))
    if NAME not in meanings and SCIENTIFIC not in meanings:
        raise Invalid(say("file: it has no column called name or scientific_name in line 1"))
    return known, unread


def said_of(row: Row, columns: dict[str, str]) -> tuple[Said, list[Problem]]:
    """A row's words, and what is wrong with them."""
    said, problems = Said(row.line), []
    for header, column in columns.items():
        cell = row.cells.get(header, "")
        if not cell:
            continue
        try:
            READERS[column.partition(":")[0]](said, column, cell)
        except Invalid as error:
            words = str(error).partition(": ")[2] or str(error)
            problems.append(Problem(row.line, header, words))
    said.name = said.name or said.scientific_name
    if not said.name and not problems:
        problems.append(Problem(row.line, NAME, say("it is empty")))
    return said, problems


def read_name(said: Said, column: str, cell: str) -> None:
    """The list's own name, or the common names of a language."""
    language = column.partition(":")[2]
    if language:
        said.common += [(language, clean_name(each)) for each in listed(cell)]
    else:
        said.name = clean_name(cell)


def read_rank(said: Said, _column: str, cell: str) -> None:
    """One of RANKS."""
    said.rank = clean_rank(cell.lower())


def read_key(said: Said, _column: str, cell: str) -> None:
    """A letter or digit that a species may have."""
    if cell.upper() not in FREE_KEYS or len(cell) != 1:
        raise Invalid(say("key: %(key)s is not a key for a species", key=cell[:20]))
    said.key = cell.upper()


def read_sensitivity(said: Said, _column: str, cell: str) -> None:
    """One of SENSITIVITIES."""
    if cell.lower() not in SENSITIVITIES:
        one_of = ", ".join(each for each in SENSITIVITIES if each)
        raise Invalid(say("sensitivity: %(cell)s is not one of %(one_of)s", cell=cell[:40], one_of=one_of))
    said.sensitivity = cell.lower()


def read_retired(said: Said, _column: str, cell: str) -> None:
    """Yes or no."""
    if cell.lower() not in (*YES, *NO):
        raise Invalid(say("retired: %(cell)s is neither yes nor no", cell=cell[:40]))
    said.retired = cell.lower() in YES


def read_level(said: Said, column: str, cell: str) -> None:
    """A taxon above."""
    said.lineage[column] = clean_name(cell)


def read_scientific(said: Said, _column: str, cell: str) -> None:
    """The scientific name."""
    said.scientific_name = clean_scientific(cell)


def read_parent(said: Said, _column: str, cell: str) -> None:
    """The name of the taxon right above."""
    said.parent = clean_name(cell)


def read_synonyms(said: Said, _column: str, cell: str) -> None:
    """a | b."""
    said.synonyms = list(dict.fromkeys(clean_name(each) for each in listed(cell)))


def read_id(said: Said, column: str, cell: str) -> None:
    """Its identifier in a register."""
    said.ids[column.partition(":")[2]] = clean_value(cell)


READERS: dict[str, Callable[[Said, str, str], None]] = {
    NAME: read_name, SCIENTIFIC: read_scientific, RANK: read_rank, PARENT: read_parent, SYNONYMS: read_synonyms, KEY: read_key,
    SENSITIVITY: read_sensitivity, RETIRED: read_retired, "id": read_id, **dict.fromkeys(LEVELS, read_level),
}  # fmt: skip
