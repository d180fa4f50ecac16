"""The project's history in words: who did what when, with the old and the new value."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.audit import TOKEN, AuditEntry
from models.words import figure, mark, retold, say, translated, written

# act -> what is said; {names} are the entry's details
ACTS = {
    "project.started": mark("Started the project %(name)s"),
    "job.stopped": mark("Stopped the worker at: %(line)s"),
    "settings.detector": mark("Detector settings"),
    "settings.rounds": mark("Round settings"),
    "settings.goal": mark("When to stop"),
    "settings.gaps": mark("Bursts and events"),
    "settings.people": mark("Rules for several people"),
    "settings.fields": mark("What is asked beside a name"),
    "settings.privacy": mark("Privacy"),
    "photo.opened": mark("Opened a photo with people: %(file)s (photo %(image)s)"),
    "job.paused": mark("Paused the worker at: %(line)s"),
    "job.went_on": mark("Let the worker go on with: %(line)s"),
    "settings.embedding": mark("Embedding settings"),
    "embedder.asked": mark("Asked to fine-tune the embedding"),
    "embedder.tuned": mark("The fine-tuned embedder took over"),
    "embedder.used": mark("Went over to embedder %(name)s"),
    "embedder.removed": mark("Removed the files of embedder %(name)s"),
    "network.activated": mark("Rolled back the %(kind)s to %(name)s"),
    "member.added": mark("Added %(name)s as %(role)s"),
    "member.role": mark("Changed the role of %(name)s"),
    "member.removed": mark("Removed %(name)s, who was %(role)s"),
    "species.added": mark("Added the species %(name)s"),
    "species.renamed": mark("Renamed a species"),
    "species.key": mark("Changed the key of %(name)s"),
    "species.synonym": mark("Found under another name: %(name)s, also %(synonym)s"),
    "species.synonym_removed": mark("No longer found under %(synonym)s: %(name)s"),
    "species.retired": mark("Retired the species %(name)s"),
    "species.brought_back": mark("Brought back the species %(name)s"),
    "deployment.added": mark("Added the deployment %(name)s"),
    "deployment.saved": mark("Changed the deployment %(name)s"),
    "site.saved": mark("Described the site %(name)s"),
    "deployment.table": mark("Deployments from a table: %(new)s new, %(changed)s changed"),
    "folders.applied": mark("Deployments from the folders: %(pattern)s"),
    "folders.taken_back": mark("Took back the folder pattern %(pattern)s"),
    "clock.corrected": mark("Corrected the clock of %(name)s"),
    "clock.taken_back": mark("Took back a correction of the clock of %(name)s"),
    "clock.dismissed": mark("Called the clock of %(name)s not wrong"),
    "project.archived": mark("Archived the project"),
    "project.unarchived": mark("Brought the project back from the archive"),
    "project.taken_back": mark("Brought back the deleted project %(name)s"),
    "project.deleted_now": mark("Deleted the project %(name)s for good"),
    "batch.deleted": mark("Deleted the batch %(name)s: %(photos)s photos, %(answers)s answers"),
    "batch.taken_back": mark("Brought back the batch %(name)s"),
    "batch.deleted_now": mark("Deleted the batch %(name)s for good"),
    "photo.erased": mark("Erased a photo on request (photo %(image)s)"),
    "photo.setup": mark("Marked %(count)s photos as %(setup)s"),
    "camera.fell": mark("The camera %(camera)s fell: %(at)s"),
    "camera.stands": mark("Took back that the camera %(camera)s fell: %(at)s"),
    "project.unbundled": mark("Brought the project here in a bundle, as %(name)s"),
    "species.placed": mark("Moved %(name)s in the tree"),
    "species.sensitivity": mark("Changed how coarse the places of %(name)s go out"),
    "species.common_name": mark("Named %(name)s in the language %(language)s: %(common)s"),
    "species.common_name_removed": mark("No longer called %(common)s in the language %(language)s: %(name)s"),
    "species.id": mark("Identified %(name)s in %(register)s: %(value)s"),
    "species.id_removed": mark("No longer %(value)s in %(register)s: %(name)s"),
    "species.imported": mark("Imported a species list: %(added)s new, %(changed)s changed"),
    "species.merged": mark("Merged %(name)s into %(into)s"),
    "species.unmerged": mark("Undid the merge of %(name)s into %(into)s"),
    "species.split": mark("Split %(name)s: %(crops)s crops are called %(into)s"),
    "species.unsplit": mark("Took a split of %(name)s back"),
    "settings.names": mark("Language of names, and when guesses are added up"),
}
FIELDS = {
    "count_above": mark("A box counts at or above"),
    "classify_above": mark("A crop is made at or above"),
    "strategy": mark("What is asked next"),
    "first_round": mark("Crops in the first round"),
    "round_size": mark("Crops in a round"),
    "target": mark("Stop when right at least"),
    "label_budget": mark("Label budget"),
    "fine_tune_every": mark("Fine-tuned by itself every, answers"),
    "fine_tune_loss": mark("How a fine-tune teaches"),
    "consensus": mark("When a crop has its name"),
    "gold_one_in": mark("Answers for one gold crop"),
    "sequence_gap_s": mark("One burst up to, seconds"),
    "event_gap_minutes": mark("One visit up to, minutes"),
    "asks_sex": mark("Sex is asked"),
    "asks_life_stage": mark("Age is asked"),
    "behaviours": mark("Behaviours"),
    "opened_by": mark("People are shown to"),
    "hides_unseen": mark("Photos are hidden until somebody has looked"),
    "role": mark("Role"),
    "name": mark("Name"),
    "scientific_name": mark("Scientific name"),
    "rank": mark("Rank"),
    "key": mark("Key"),
    "in_use": mark("In use"),
    "site": mark("Site"),
    "camera": mark("Camera"),
    "camera_model": mark("Camera model"),
    "starts_at": mark("Start"),
    "ends_at": mark("End"),
    "zone": mark("Zone"),
    "latitude": mark("Latitude"),
    "longitude": mark("Longitude"),
    "uncertainty_m": mark("Uncertainty, metres"),
    "comments": mark("Comments"),
    "title": mark("Longer name"),
    "problems": mark("Problems"),
    "event_rule": mark("A visit is independent of"),
    "cameras_independent": mark("Every camera has a timer of its own"),
    "parent": mark("Right above it"),
    "sensitivity": mark("Sensitivity"),
    "language": mark("Language of names"),
    "roll_up_above": mark("Guesses are added up to"),
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
            who(entry),
            translated(ACTS.get(entry.act, entry.act)) % Details(told(entry.details)),
            changes_of(entry.details.get("changes")),
        )
        for entry in entries
    ]


def who(entry: AuditEntry) -> str:
    """The person, and under which token where a script spoke for them."""
    if entry.user is None:
        return retold(str(entry.details.get("by") or written("the command line")))
    if token := entry.details.get(TOKEN):
        return say("%(person)s, token %(token)s", person=entry.user.name, token=token)
    return entry.user.name


def told(details: Mapping[str, Any]) -> dict[str, Any]:
    """The details with what is a sentence or a word of ours in the reader's language."""
    return {name: retold(str(value)) if name in ("line", "role", "kind") else value for name, value in details.items()}


def changes_of(changes: object) -> list[tuple[str, str, str]]:
    """{"field": [old, new]} in words."""
    if not isinstance(changes, Mapping):
        return []
    return [
        (translated(FIELDS.get(str(field), str(field))), shown(pair[0]), shown(pair[1]))
        for field, pair in changes.items()
        if isinstance(pair, list) and len(pair) == 2
    ]


def shown(value: object) -> str:
    """True as yes, 0.9 as 0.90, 0.125 as 0.125, 1000 as 1,000, nothing as a dash."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if isinstance(value, float):
        return f"{value:.2f}" if round(value, 2) == value else f"{value:g}"
    return figure(value) if isinstance(value, int) else str(value)
