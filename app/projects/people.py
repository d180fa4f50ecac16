"""The figures of one person in words, for administrators and the person alone; and how far people agree, for everybody."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from sqlalchemy.orm import Session

from app.projects import people_queries
from app.projects.people_queries import Judged
from models.agreement import ENOUGH_CROPS, fleiss_kappa, in_words, wilson95
from models.consensus import EXPERT, VOICE
from models.words import figure, mark, say, say_many

PAUSE_S = 120.0  # longer between two answers is no work
INSTANT_S = 0.2  # shorter are answers that came in together after an offline while
ENOUGH = 10  # answers, for a person as for one species


@dataclass(frozen=True)
class Right:
    """How often answers are as the expert says. of_100: low and high with 95%, None where there are too few."""

    right: int
    of: int
    of_100: tuple[int, int] | None


@dataclass(frozen=True)
class SpeciesRight:
    """Of the crops that an expert calls so. instead: the commonest other name that the person gave, and how often."""

    name: str
    right: Right
    instead: str


@dataclass(frozen=True)
class Figures:
    """What the page of a person shows. a_minute: None where there are too few answers to time."""

    answers: int
    a_minute: float | None
    timed: int
    gold: Right
    settled: Right
    species: list[SpeciesRight]


def figures_of(session: Session, project_id: int, user_id: int) -> Figures:
    """Everything of one person."""
    found = people_queries.judged(session, project_id, user_id)
    gaps = worked_gaps_s(people_queries.answer_times(session, project_id, user_id))
    return Figures(
        answers=people_queries.answered_count(session, project_id, user_id),
        a_minute=60 / median(gaps) if len(gaps) >= ENOUGH else None,
        timed=len(gaps),
        gold=right_of([each for each in found if each.is_gold]),
        settled=right_of(found),
        species=by_species(found, people_queries.species_names(session, project_id)),
    )


def worked_gaps_s(times: Sequence[dt.datetime]) -> list[float]:
    """Seconds between two answers, without pauses and without what came in together."""
    gaps = [(after - before).total_seconds() for before, after in pairwise(times)]
    return [gap for gap in gaps if INSTANT_S <= gap <= PAUSE_S]


def right_of(found: Sequence[Judged]) -> Right:
    """Of these crops."""
    right = sum(each.said == each.settled for each in found)
    low, high = wilson95(right, len(found)) if found else (0.0, 1.0)
    return Right(right, len(found), (round(100 * low), round(100 * high)) if len(found) >= ENOUGH else None)


def by_species(found: Sequence[Judged], names: dict[int, str]) -> list[SpeciesRight]:
    """Those with enough crops, the most first."""
    of: dict[int, list[Judged]] = defaultdict(list)
    for each in found:
        of[each.settled].append(each)
    lines = []
    for species_id, crops in sorted(of.items(), key=lambda pair: (-len(pair[1]), names[pair[0]].casefold())):
        others = Counter(each.said for each in crops if each.said != species_id).most_common(1)
        instead = ""
        if others:
            (other, count) = others[0]
            instead = say(
                "%(name)s, %(count)s of %(of)s", name=names[other], count=figure(count), of=figure(len(crops))
            )
        if len(crops) >= ENOUGH:
            lines.append(SpeciesRight(names[species_id], right_of(crops), instead))
    return lines


def waiting_words(session: Session, project_id: int) -> str:
    """What the crops wait for that somebody named and that have no name by the project's rule; empty where there is none."""
    counts = people_queries.waiting_counts(session, project_id)
    whom = {VOICE: mark("%(count)s for another person’s voice"), EXPERT: mark("%(count)s for an expert")}
    parts = [say(words, count=figure(counts[kind])) for kind, words in whom.items() if counts.get(kind)]
    if not parts:
        return ""
    total = sum(counts.values())
    return say_many(
        "%(num)s crop has answers and no name yet: %(parts)s.",
        "%(num)s crops have answers and no name yet: %(parts)s.",
        total,
        parts=", ".join(parts),
    )


def agreement_words(session: Session, project_id: int) -> str:
    """How far people who named the same crops agree; empty while no crop has two voices."""
    crops = people_queries.crops_of_several(session, project_id)
    if not crops:
        return ""
    if len(crops) < ENOUGH_CROPS:
        return say_many(
            "Too few to say: %(num)s of the %(enough)s crops needed was named by two people or more.",
            "Too few to say: %(num)s of the %(enough)s crops needed were named by two people or more.",
            len(crops),
            enough=ENOUGH_CROPS,
        )
    alike = sum(len(names) == 1 for names in crops)
    kappa = fleiss_kappa(crops)
    whole = say(
        "on %(alike)s of %(of)s crops that two or more named, all say the same.",
        alike=figure(alike),
        of=figure(len(crops)),
    )
    if kappa is None:
        return say("Only one name was said: %(whole)s", whole=whole)
    how_well = in_words(kappa)
    return say(
        "People agree %(how_well)s (Fleiss’ κ %(kappa)s): %(whole)s",
        how_well=how_well,
        kappa=f"{kappa:.2f}",
        whole=whole,
    )
