"""The species list as a CSV that an import reads back to the letter: one row a species, in the order in which they were added."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cells import guard, line
from app.species.fields import COLUMNS, KEY, NAME, PARENT, RANK, RETIRED, SCIENTIFIC, SENSITIVITY, SYNONYMS
from app.species.sheet import joined
from models.meaning import meanings
from models.species import TAXON, CommonName, Species, Synonym, TaxonId


def written(session: Session, project_id: int) -> Iterator[str]:
    """Line after line. A merged species is not a row of its own: its names are synonyms of the one that it means."""
    meant = meanings(session, project_id)
    here = select(Species).where(Species.project_id == project_id, Species.kind == TAXON).order_by(Species.id)
    rows = list(session.scalars(here))
    names = {row.id: row.name for row in rows}
    synonyms, common, ids = beside(session, project_id)
    for row in rows:
        if meant.of(row.id) != row.id:
            lent = [row.name, *synonyms.pop(row.id, [])]
            synonyms[meant.of(row.id)] += [name for name in lent if name.lower() != names[meant.of(row.id)].lower()]
    languages = sorted({language for each in common.values() for language in each})
    registers = sorted({register for each in ids.values() for register in each})
    yield line([*COLUMNS, *(f"name:{each}" for each in languages), *(f"id:{each}" for each in registers)])
    for row in rows:
        if meant.of(row.id) != row.id:
            continue
        parent = meant.of(row.parent_id)
        cells = {
            NAME: row.name, SCIENTIFIC: row.scientific_name, RANK: row.rank, PARENT: names.get(parent or 0, ""),
            KEY: row.hotkey or "", SENSITIVITY: row.sensitivity, SYNONYMS: joined(synonyms[row.id]),
            RETIRED: "yes" if row.retired_at else "",
        }  # fmt: skip
        more = [joined(common[row.id][each]) for each in languages] + [ids[row.id].get(each, "") for each in registers]
        yield line(guard(cell) for cell in [*(cells[column] for column in COLUMNS), *more])


def beside(
    session: Session, project_id: int
) -> tuple[dict[int, list[str]], dict[int, dict[str, list[str]]], dict[int, dict[str, str]]]:
    """By species id: synonyms, common names by language, identifiers by register."""
    synonyms: dict[int, list[str]] = defaultdict(list)
    common: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    ids: dict[int, dict[str, str]] = defaultdict(dict)
    here = select(Species.id).where(Species.project_id == project_id)
    for synonym in session.scalars(select(Synonym).where(Synonym.project_id == project_id).order_by(Synonym.id)):
        synonyms[synonym.species_id].append(synonym.name)
    for name in session.scalars(select(CommonName).where(CommonName.species_id.in_(here)).order_by(CommonName.id)):
        common[name.species_id][name.language].append(name.name)
    for each in session.scalars(select(TaxonId).where(TaxonId.species_id.in_(here))):
        ids[each.species_id][each.register] = each.value
    return synonyms, common, ids
