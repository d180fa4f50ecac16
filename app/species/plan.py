"""What a file would do to the species list, worked out before a row is written: what is new, what changes, what is wrong where.

A row is found again by any name of its species. An empty cell changes nothing, synonyms and common names are only added to, and a
name never moves from one species to another. A bad row takes the rows that hang below it along; the others are good without it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, count

from sqlalchemy.orm import Session

from app.species.fields import KEY, LEVELS, NAME, PARENT, SYNONYMS, Problem, Said, columns_of, said_of
from app.species.known import Known, Taxon
from app.species.sheet import Sheet
from models.species import SPECIES, Species
from models.taxonomy import DEEPEST
from models.words import say


@dataclass
class Plan:
    """new: in the order of the file, what hangs above it first. changes: words for each species that stands otherwise then."""

    sheet: Sheet
    columns: dict[str, str]
    unread: list[str]
    new: list[Taxon] = field(default_factory=list)
    changes: list[tuple[Taxon, list[str]]] = field(default_factory=list)
    same: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def seen(self) -> str:
        """Equal where the same would be done."""
        new = [(each.name, each.rank, each.above.name if each.above else "") for each in self.new]
        changed = [(taxon.name, words) for taxon, words in self.changes]
        bad = [(each.line, each.field) for each in self.problems]
        return hashlib.sha256(repr((new, changed, bad)).encode()).hexdigest()


def planned(session: Session, project_id: int, sheet: Sheet) -> Plan:
    """Reads the list once. Raises Invalid where a column cannot be read at all."""
    columns, unread = columns_of(sheet)
    plan = Plan(sheet, columns, unread)
    known = Known.of(session, project_id)
    bad: dict[str, int] = {}  # name -> its line
    told: list[Taxon] = []
    for row in sheet.rows:
        said, problems = said_of(row, columns)
        taxon, found = (None, problems) if problems else placed(known, said)
        plan.problems += found
        if taxon is None:
            bad.setdefault(said.name.lower(), row.line)
        else:
            told.append(taxon)
    levels = known.levels()
    above: list[Taxon] = []
    for taxon in list(told):
        if not hung(known, levels, above, taxon, plan, bad):
            told.remove(taxon)
    without_circles(known, told, plan)
    if KEY not in columns.values():
        free = iter(Species.free_keys(session, project_id))
        for taxon in told:
            if taxon.row is None and (taxon.rank or SPECIES) == SPECIES:
                taxon.key = next(free, "")
    sort_out(plan, told, above)
    plan.problems.sort(key=lambda each: each.line)
    return plan


def placed(known: Known, said: Said) -> tuple[Taxon | None, list[Problem]]:
    """The taxon that a row is about, and what is wrong with the names and the key it wants."""
    there = known.there(said.name)
    if there is None and said.name.lower() in known.fixed:
        return None, [
            Problem(said.line, NAME, say("%(name)s is no taxon and belongs to every project", name=said.name))
        ]
    rival = (
        there if there is not None and there.said else known.by_name.get(said.name.lower()) if there is None else None
    )
    rival = rival or (known.by_synonym.get(said.name.lower()) if there is None else None)
    if rival is not None:
        line = rival.said.line if rival.said else 0
        return None, [
            Problem(said.line, NAME, say("line %(line)s is about %(name)s already", line=line, name=rival.name))
        ]
    taxon = there or Taxon(said.name, said.scientific_name, said.rank or SPECIES)
    problems = list(taken(known, taxon, said))
    if problems:
        return None, problems
    taxon.said = said
    if there is None:
        known.add(taxon)
        taxon.key, taxon.sensitivity = said.key, said.sensitivity
    for name in said.synonyms:
        if name.lower() != taxon.name.lower():
            known.by_synonym.setdefault(name.lower(), taxon)
    if said.key:
        known.by_key[said.key] = taxon
    return taxon, []


def taken(known: Known, taxon: Taxon, said: Said) -> Iterator[Problem]:
    """Synonyms and a key that lead to another species."""
    for name in said.synonyms:
        owner = known.by_name.get(name.lower()) or known.by_synonym.get(name.lower())
        if (owner is not None and owner is not taxon) or name.lower() in known.fixed:
            called = owner.name if owner else name
            yield Problem(said.line, SYNONYMS, say("%(name)s is a name of %(owner)s already", name=name, owner=called))
    owner = known.by_key.get(said.key)
    if said.key and owner is not None and owner is not taxon:
        yield Problem(said.line, KEY, say("%(key)s belongs to %(owner)s", key=said.key, owner=owner.name))


def hung(
    known: Known, levels: dict[tuple[str, str], Taxon], made: list[Taxon], taxon: Taxon, plan: Plan, bad: dict[str, int]
) -> bool:
    """Hang it below the parent that its row names, and the levels of the row below each other; missing levels are made."""
    said = taxon.said
    assert said is not None
    lowest: Taxon | None = None
    for rank in LEVELS:
        name = said.lineage.get(rank, "")
        itself = rank == (said.rank or taxon.rank) and name.lower() in (
            taxon.name.lower(),
            taxon.scientific_name.lower(),
        )
        if not name or itself:
            continue
        level = levels.get((rank, name.lower()))
        if level is None:
            level = Taxon(free_name(known, name, rank), name, rank, new_parent=lowest)
            known.add(level)
            levels[rank, name.lower()] = level
            made.append(level)
        elif level.above is None and level is not lowest and level.said is None:
            level.new_parent = lowest
        if level is not taxon:
            lowest = level
    if said.parent:
        lowest = known.find(said.parent)
        if lowest is None:
            line = bad.get(said.parent.lower())
            words = (
                say("%(name)s does not go in (line %(line)s)", name=said.parent, line=line) if line
                else say("%(name)s is neither in the file nor in the list", name=said.parent)
            )  # fmt: skip
            refuse(known, taxon, plan, bad, PARENT, words)
            return False
    if lowest is not None and lowest is not taxon.parent:
        taxon.new_parent = lowest
    return True


def free_name(known: Known, name: str, rank: str) -> str:
    """Puma, else Puma (genus), else Puma (genus 2), ..."""
    numbered = (f"{name} ({rank} {number})" for number in count(2))
    free = (each for each in chain((name, f"{name} ({rank})"), numbered) if not known.is_taken(each))
    return next(free)


def refuse(known: Known, taxon: Taxon, plan: Plan, bad: dict[str, int], column: str, words: str) -> None:
    """The row of a taxon does not go in."""
    assert taxon.said is not None
    header = next((header for header, each in plan.columns.items() if each == column), column)
    plan.problems.append(Problem(taxon.said.line, header, words))
    bad.setdefault(taxon.name.lower(), taxon.said.line)
    if taxon.row is None:
        known.drop(taxon)
    taxon.said, taxon.new_parent = None, None


def without_circles(known: Known, told: list[Taxon], plan: Plan) -> None:
    """Refuse the rows that would stand above themselves or too deep, then those that hang below a refused new one."""
    circling = [taxon for taxon in told if taxon in ups(taxon)]
    without_these(known, told, plan, circling, lambda name: say("%(name)s would stand above itself", name=name))
    deep = [taxon for taxon in told if sum(1 for _ in ups(taxon)) > DEEPEST // 2]
    words = lambda name: say("%(name)s would hang more than %(most)s levels deep", name=name, most=DEEPEST // 2)  # noqa: E731
    without_these(known, told, plan, deep, words)


def without_these(known: Known, told: list[Taxon], plan: Plan, wrong: list[Taxon], words: Callable[[str], str]) -> None:
    """Refuse these rows, and those that hang below what then is not there."""
    bad: dict[str, int] = {}
    reasons = {taxon: words(taxon.name) for taxon in wrong}
    while reasons:
        gone = {taxon for taxon in reasons if taxon.row is None}
        for taxon, reason in reasons.items():
            refuse(known, taxon, plan, bad, PARENT, reason)
            told.remove(taxon)
        below = [taxon for taxon in told if taxon.new_parent in gone]
        reasons = {taxon: say("%(name)s does not go in", name=name_above(taxon)) for taxon in below}


def name_above(taxon: Taxon) -> str:
    """What it hangs below."""
    return taxon.above.name if taxon.above else ""


def sort_out(plan: Plan, told: list[Taxon], made: list[Taxon]) -> None:
    """Into what is new, what changes and what stays. Levels that only refused rows wanted are not made."""
    wanted = {up for taxon in told for up in ups(taxon)}
    plan.new = [level for level in made if level in wanted]
    for taxon in told:
        if taxon.row is None:
            plan.new.append(taxon)
        elif words := list(changes_of(taxon)):
            plan.changes.append((taxon, words))
        else:
            plan.same += 1
    moved = [
        up
        for up in dict.fromkeys(up for taxon in told for up in ups(taxon))
        if up.row and not up.said and up.new_parent
    ]
    plan.changes += [(up, [f"{PARENT}: {up.new_parent.name}"]) for up in moved if up.new_parent]


def ups(taxon: Taxon) -> Iterator[Taxon]:
    """What stands above it."""
    at = taxon.above
    for _ in range(DEEPEST):
        if at is None:
            return
        yield at
        at = at.above


def changes_of(taxon: Taxon) -> Iterator[str]:
    """What a row changes of a species that is there."""
    said, row = taxon.said, taxon.row
    assert said is not None and row is not None
    for column, before, after in (
        ("scientific_name", row.scientific_name, said.scientific_name), ("rank", row.rank, said.rank),
        ("key", row.hotkey or "", said.key), ("sensitivity", row.sensitivity, said.sensitivity),
        (PARENT, taxon.parent.name if taxon.parent else "", taxon.new_parent.name if taxon.new_parent else ""),
        *((f"id:{register}", taxon.ids.get(register, ""), value) for register, value in said.ids.items()),
    ):  # fmt: skip
        if after and after != before:
            yield f"{column}: {before} → {after}" if before else f"{column}: {after}"
    for name in fresh_synonyms(taxon):
        yield f"+ {name}"
    for language, name in said.common:
        if (language, name) not in taxon.common:
            yield f"+ {language}: {name}"
    if said.retired and row.retired_at is None:
        yield say("retired")


def fresh_synonyms(taxon: Taxon) -> list[str]:
    """Those of the row that do not lead to it yet."""
    assert taxon.said is not None
    own = {taxon.name.lower(), *taxon.names}
    return [name for name in taxon.said.synonyms if name.lower() not in own]
