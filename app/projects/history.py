"""The project's history in words: who did what when, with the old and the new value."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.audit import AuditEntry

# act -> what is said; {names} are the entry's details
ACTS = {
    "project.started": "Started the project {name}",
    "job.stopped": "Stopped the worker at: {line}",
    "settings.detector": "Detector settings",
    "settings.rounds": "Round settings",
    "settings.goal": "When to stop",
    "settings.gaps": "Bursts and events",
    "settings.people": "Rules for several people",
    "settings.fields": "What is asked beside a name",
    "settings.privacy": "Privacy",
    "photo.opened": "Opened a photo with people: {file} (photo {image})",
    "job.paused": "Paused the worker at: {line}",
    "job.went_on": "Let the worker go on with: {line}",
    "settings.embedding": "Embedding settings",
    "embedder.asked": "Asked to fine-tune the embedding",
    "embedder.tuned": "The fine-tuned embedder took over",
    "embedder.used": "Went over to embedder {name}",
    "embedder.removed": "Removed the files of embedder {name}",
    "network.activated": "Rolled back the {kind} to {name}",
    "member.added": "Added {name} as {role}",
    "member.role": "Changed the role of {name}",
    "member.removed": "Removed {name}, who was {role}",
    "species.added": "Added the species {name}",
    "species.renamed": "Renamed a species",
    "species.key": "Changed the key of {name}",
    "species.synonym": "Found under another name: {name}, also {synonym}",
    "species.synonym_removed": "No longer found under {synonym}: {name}",
    "species.retired": "Retired the species {name}",
    "species.brought_back": "Brought back the species {name}",
    "species.placed": "Moved {name} in the tree",
    "species.sensitivity": "Changed how coarse the places of {name} go out",
    "species.common_name": "Named {name} in the language {language}: {common}",
    "species.common_name_removed": "No longer called {common} in the language {language}: {name}",
    "species.id": "Identified {name} in {register}: {value}",
    "species.id_removed": "No longer {value} in {register}: {name}",
    "species.imported": "Imported a species list: {added} new, {changed} changed",
    "species.merged": "Merged {name} into {into}",
    "species.unmerged": "Undid the merge of {name} into {into}",
    "species.split": "Split {name}: {crops} crops are called {into}",
    "species.unsplit": "Took a split of {name} back",
    "settings.names": "Language of names, and when guesses are added up",
}
FIELDS = {
    "count_above": "A box counts at or above",
    "classify_above": "A crop is made at or above",
    "strategy": "What is asked next",
    "first_round": "Crops in the first round",
    "round_size": "Crops in a round",
    "target": "Stop when right at least",
    "label_budget": "Label budget",
    "fine_tune_every": "Fine-tuned by itself every, answers",
    "fine_tune_loss": "How a fine-tune teaches",
    "consensus": "When a crop has its name",
    "gold_one_in": "Answers for one gold crop",
    "sequence_gap_s": "One burst up to, seconds",
    "event_gap_minutes": "One visit up to, minutes",
    "asks_sex": "Sex is asked",
    "asks_life_stage": "Age is asked",
    "behaviours": "Behaviours",
    "opened_by": "People are shown to",
    "hides_unseen": "Photos are hidden until somebody has looked",
    "role": "Role",
    "name": "Name",
    "scientific_name": "Scientific name",
    "rank": "Rank",
    "key": "Key",
    "in_use": "In use",
    "parent": "Right above it",
    "sensitivity": "Sensitivity",
    "language": "Language of names",
    "roll_up_above": "Guesses are added up to",
}


@dataclass(frozen=True)
class Line:
    """One entry for people."""

    at: dt.datetime
    who: str
    what: str
    changes: list[tuple[str, str, str]]  # (field, old, new)


class Details(dict[str, Any]):
    """An entry's details; one that is missing shows as a dash."""

    def __missing__(self, key: str) -> str:
        """An older program wrote fewer details."""
        return "–"


def lines(entries: list[AuditEntry]) -> list[Line]:
    """Newest first, as they came."""
    return [
        Line(
            entry.at,
            entry.user.name if entry.user else str(entry.details.get("by") or "the command line"),
            ACTS.get(entry.act, entry.act).format_map(Details(entry.details)),
            changes_of(entry.details.get("changes")),
        )
        for entry in entries
    ]


def changes_of(changes: object) -> list[tuple[str, str, str]]:
    """{"field": [old, new]} in words."""
    if not isinstance(changes, Mapping):
        return []
    return [
        (FIELDS.get(str(field), str(field)), shown(pair[0]), shown(pair[1]))
        for field, pair in changes.items()
        if isinstance(pair, list) and len(pair) == 2
    ]


def shown(value: object) -> str:
    """True as yes, 0.9 as 0.90, 0.125 as 0.125, 1000 as 1,000, nothing as a dash."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.2f}" if round(value, 2) == value else f"{value:g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
