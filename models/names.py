"""Every name under which a species is found: common names of all languages, synonyms, and the names of those merged into it."""

from __future__ import annotations

import re
from collections import defaultdict

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.errors import Invalid
from models.languages import clean_language
from models.meaning import meanings
from models.species import CommonName, Species, Synonym, TaxonId, clean_name, folded

REGISTER = re.compile(r"[a-z][a-z0-9_.-]{0,39}")
REGISTERS = ("gbif", "col", "itis", "iucn", "wikidata", "wildlife_insights")  # offered; others may be typed


def other_names(session: Session, project_id: int) -> dict[int, list[str]]:
    """Species id -> the names besides its own and its scientific one, each once. A merged species lends its names."""
    found: dict[int, dict[str, None]] = defaultdict(dict)
    meant = meanings(session, project_id)
    for species_id, name in session.execute(
        select(Synonym.species_id, Synonym.name).where(Synonym.project_id == project_id).order_by(Synonym.id)
    ):
        found[meant.of(species_id)][name] = None
    for species_id, name in session.execute(
        select(CommonName.species_id, CommonName.name)
        .join(Species, Species.id == CommonName.species_id)
        .where(Species.project_id == project_id)
        .order_by(CommonName.id)
    ):
        found[meant.of(species_id)][name] = None
    if meant:
        merged = select(Species.id, Species.name, Species.scientific_name).where(Species.id.in_(meant.merged))
        for row in session.execute(merged.order_by(Species.id)):
            found[meant.of(row.id)] |= {name: None for name in (row.name, row.scientific_name) if name}
    return {species_id: list(names) for species_id, names in found.items()}


def commonly(session: Session, project_id: int, name: str) -> Species | None:
    """The species that is called so in any language, whatever the case and accents; None where that is none or several."""
    wanted = folded(" ".join(name.split()))
    rows = session.execute(
        select(CommonName.species_id, CommonName.name)
        .join(Species, Species.id == CommonName.species_id)
        .where(Species.project_id == project_id)
    )
    meant = meanings(session, project_id)
    found = {meant.of(species_id) for species_id, called in rows if folded(called) == wanted}
    return session.get(Species, found.pop()) if len(found) == 1 else None


def called_in(session: Session, project_id: int, language: str) -> dict[int, str]:
    """Species id -> its first common name in the language: pt-BR is asked before pt."""
    if not language:
        return {}
    short = language.split("-")[0]
    rows = session.execute(
        select(CommonName.species_id, CommonName.language, CommonName.name)
        .join(Species, Species.id == CommonName.species_id)
        .where(Species.project_id == project_id, or_(*(CommonName.language == each for each in {language, short})))
        .order_by(CommonName.id)
    ).all()
    found: dict[int, str] = {}
    for wanted in (language, short):
        for row in rows:
            if row.language == wanted:
                found.setdefault(row.species_id, row.name)
    return found


def name_in(session: Session, species: Species, language: str, name: str) -> CommonName:
    """One more common name. Raises Invalid when it is there already, or the language is none."""
    cleaned, spoken = clean_name(name), clean_language(language)
    same = (CommonName.species_id == species.id, CommonName.language == spoken, CommonName.name == cleaned)
    if session.scalar(select(CommonName.id).where(*same)) is not None:
        raise Invalid(f"name: {cleaned} is already one of its names in {spoken}")
    made = CommonName(species_id=species.id, language=spoken, name=cleaned)
    session.add(made)
    session.flush()
    return made


def set_id(session: Session, species: Species, register: str, value: str) -> TaxonId:
    """What it is called in a register; another value takes the place of the one before. Raises Invalid."""
    kept, cleaned = clean_register(register), clean_value(value)
    known = select(TaxonId).where(TaxonId.species_id == species.id, TaxonId.register == kept)
    made = session.scalar(known)
    if made is None:
        made = TaxonId(species_id=species.id, register=kept)
        session.add(made)
    made.value = cleaned
    session.flush()
    return made


def ids_in(session: Session, project_id: int, register: str) -> dict[int, str]:
    """Species id -> its identifier in a register, for exports. A merged species lends its own where the other has none."""
    rows = session.execute(
        select(TaxonId.species_id, TaxonId.value)
        .join(Species, Species.id == TaxonId.species_id)
        .where(Species.project_id == project_id, TaxonId.register == register)
    )
    own = dict(rows.all())
    meant = meanings(session, project_id)
    return {meant.of(species_id): value for species_id, value in own.items()} | own


def clean_register(register: str) -> str:
    """Small letters. Raises Invalid."""
    typed = register.strip().lower().replace(" ", "_")
    if not REGISTER.fullmatch(typed):
        raise Invalid(f"register: {register[:40]!r} is no name of a register, like gbif")
    return typed


def clean_value(value: str) -> str:
    """An identifier: one line, 1 to 200 characters. Raises Invalid."""
    try:
        return clean_name(value)
    except Invalid as error:
        raise Invalid(str(error).replace("name:", "value:", 1)) from error
