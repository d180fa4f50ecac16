"""What a photo's rows of an import will do, before anything is done: the dry run counts it, the worker does it.

Decisions. Nobody's answer is touched: a crop that has a voice keeps it, and what the file says of it is kept beside. A box that
overlaps one that is here (IoU >= SAME) is that box. A name for a photo as a whole goes to its only box; with several boxes, or
with a box where the file says "empty", somebody has to look, and the photo's first box is flagged; a photo without a box keeps
it as a count of the photo. A name for a photo that nobody has looked through waits until its boxes are there. A machine's name
is no label.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from models.image import ABSENT, WAITING
from models.import_records import (
    ANIMAL,
    BLANK,
    HUMAN,
    MACHINE,
    MOST_GUESSES,
    PERSON,
    UNCLASSIFIED,
    UNKNOWN,
    VEHICLE,
    PhotoRecord,
    SightingRecord,
)
from models.imported import GOOD, KNOWN, LATER, PHOTO, ImportRow

SAME = 0.5  # overlap from which two boxes are about the same animal
ANSWERED = "a person has answered this crop; the answer stays"
NEEDS_LOOK = "the photo has several boxes, or says otherwise; somebody has to look"
FIXED = {
    BLANK: "not_animal",
    UNKNOWN: "cannot_tell",
    PERSON: "person",
    VEHICLE: "vehicle",
}  # kind -> kind of our answer


@dataclass
class BoxHere:
    """A box that stands: one of the project, or one that the plan makes (then it has no id yet)."""

    corners: Sequence[float]
    kind: str
    id: int | None = None
    is_counted: bool = True
    has_voice: bool = False
    sighting: SightingRecord | None = None
    row: ImportRow | None = None
    voice: SightingRecord | None = None  # what the plan says about it
    voice_row: ImportRow | None = None


@dataclass
class PhotoHere:
    """What the project knows of the photo; no id: it lacks it."""

    id: int | None
    state: str
    boxes: list[BoxHere] = field(default_factory=list)
    has_count: bool = False
    is_busy: bool = False  # a job looks through it right now
    deployment: str = ""
    may_move: bool = False  # its deployment is only guessed from the folder: nobody said anything about it


@dataclass
class KeptName:
    """A name that is kept beside. box: what it is about, none: the photo."""

    row: ImportRow
    box: BoxHere | None
    name: str
    scientific_name: str
    rank: int
    p: float | None
    count: int | None
    by_machine: bool
    who: str
    reason: str


@dataclass
class Plan:
    """What comes of one photo. flags: boxes somebody has to look at, with the words."""

    photo: PhotoHere
    record: PhotoRecord
    new_boxes: list[BoxHere] = field(default_factory=list)
    known_boxes: int = 0
    labels: list[BoxHere] = field(default_factory=list)
    names: list[KeptName] = field(default_factory=list)
    counts: list[tuple[ImportRow, SightingRecord]] = field(default_factory=list)
    flags: list[tuple[ImportRow, BoxHere, str]] = field(default_factory=list)
    is_given: bool = False  # a waiting photo whose boxes come from the file: no detector needs to look

    @property
    def moves(self) -> bool:
        """Whether the photo goes to the deployment that the file names."""
        said = self.record.deployment
        return bool(said) and self.photo.id is not None and self.photo.may_move and said != self.photo.deployment


def plan_photo(rows: Sequence[ImportRow], photo: PhotoHere) -> Plan:
    """The plan of one photo, and a verdict on each of its rows that was good so far."""
    described = next((row for row in rows if row.kind == PHOTO), None)
    plan = Plan(photo, PhotoRecord.of(described.record) if described else PhotoRecord())
    if photo.is_busy:
        for row in rows:
            row.judge(LATER, "its photo is being looked through")
        return plan
    said = [(row, each) for row in rows for each in sightings_of(row)]
    for row, sighting in said:
        if sighting.box is not None:
            say(plan, row, sighting, box_for(plan, row, sighting))
    looked = plan.record.is_looked or bool(plan.new_boxes)
    plan.is_given = photo.state == WAITING and looked
    whole = [(row, sighting) for row, sighting in said if sighting.box is None]
    for row, sighting in whole:
        say_whole(plan, row, sighting, alone=len([one for _row, one in whole if one.said_by == HUMAN]) == 1)
    judge_described(plan, described)
    return plan


def sightings_of(row: ImportRow) -> list[SightingRecord]:
    """What a row says: a sighting, or a photo with all of its own."""
    if row.kind == PHOTO:
        return [SightingRecord.of(each) for each in row.record.get("sightings", [])]
    return [SightingRecord.of(row.record)]


def box_for(plan: Plan, row: ImportRow, sighting: SightingRecord) -> BoxHere:
    """The box that is here already, else a new one."""
    assert sighting.box is not None
    said = sighting.box_kind or sighting.kind
    kind = said if said in (PERSON, VEHICLE) else ANIMAL
    here = closest(sighting.box, [box for box in plan.photo.boxes if box.kind == kind])
    if here is not None:
        plan.known_boxes += 1
        return here
    twin = next((box for box in plan.new_boxes if box.kind == kind and iou(box.corners, sighting.box) > 0.95), None)
    if twin is not None:
        return twin
    made = BoxHere(sighting.box, kind, sighting=sighting, row=row)
    plan.new_boxes.append(made)
    return made


def say(plan: Plan, row: ImportRow, sighting: SightingRecord, box: BoxHere) -> None:
    """A name about a box: a voice where nobody has spoken, else kept beside."""
    if sighting.said_by == MACHINE:
        keep_guesses(plan, row, sighting, box)
        row.judge(GOOD)
    elif sighting.said_by == HUMAN and names_something(sighting):
        if box.has_voice or box.voice is not None:
            keep(plan, row, sighting, box, ANSWERED)
        else:
            box.voice, box.voice_row = sighting, row
            plan.labels.append(box)
        row.judge(GOOD)
    elif row.kind != PHOTO:
        row.judge(GOOD if box.id is None else KNOWN, "" if box.id is None else "the box is here already")


def say_whole(plan: Plan, row: ImportRow, sighting: SightingRecord, *, alone: bool) -> None:
    """A name about the photo. alone: the only one that a person said of it."""
    if sighting.said_by == MACHINE:
        keep_guesses(plan, row, sighting, None)
        row.judge(GOOD)
        return
    if not names_something(sighting):
        row.judge(GOOD if plan.photo.state == ABSENT else KNOWN, "it names nothing")
        return
    if plan.photo.state == WAITING:
        row.judge(LATER, "its photo was not looked through yet; take the rest when it was")
        return
    counted = [box for box in [*plan.photo.boxes, *plan.new_boxes] if box.is_counted]
    row.judge(GOOD)
    if not counted:
        count_whole(plan, row, sighting)
    elif sighting.kind == BLANK and all(box.voice and box.voice.kind == BLANK for box in counted):
        pass  # the file says of each of its boxes that it is no animal
    elif sighting.kind == BLANK or len(counted) > 1 or not alone:
        look_at(plan, row, sighting, counted[0])
    elif counted[0].has_voice or counted[0].voice is not None:
        keep(plan, row, sighting, counted[0], ANSWERED)
    else:
        counted[0].voice, counted[0].voice_row = sighting, row
        plan.labels.append(counted[0])
        if (sighting.count or 1) > 1:
            count_whole(plan, row, sighting)


def count_whole(plan: Plan, row: ImportRow, sighting: SightingRecord) -> None:
    """How many of it in the photo, as a person counts; a count that a person made here stays."""
    if plan.photo.has_count:
        keep(plan, row, sighting, None, "a person has counted this photo; the count stays")
    elif sighting.kind == BLANK and plan.photo.state != ABSENT:
        row.judge(KNOWN, "nothing was found in it here either")
    else:
        before = sum(each.count or 1 for _row, each in plan.counts if same_seen(each, sighting))
        plan.counts.append((row, replace(sighting, count=before + (sighting.count or 1)) if before else sighting))


def same_seen(one: SightingRecord, other: SightingRecord) -> bool:
    """Whether two rows are about one species: two adults and a young one are three."""
    return (one.kind, one.called, one.scientific_name) == (other.kind, other.called, other.scientific_name)


def look_at(plan: Plan, row: ImportRow, sighting: SightingRecord, box: BoxHere) -> None:
    """Somebody has to say which of the boxes it is."""
    keep(plan, row, sighting, None, NEEDS_LOOK)
    many = f" ({sighting.count})" if sighting.count else ""
    plan.flags.append((row, box, f"{row.place}: {sighting.called or sighting.kind}{many}"))


def keep(plan: Plan, row: ImportRow, sighting: SightingRecord, box: BoxHere | None, reason: str) -> None:
    """What a person said elsewhere and no label says here."""
    name = sighting.called or sighting.kind
    plan.names.append(
        KeptName(row, box, name, sighting.scientific_name, 1, None, sighting.count, False, sighting.who, reason)
    )


def keep_guesses(plan: Plan, row: ImportRow, sighting: SightingRecord, box: BoxHere | None) -> None:
    """What a machine said, the likeliest first."""
    guesses = sighting.guesses or ([[sighting.called or sighting.kind, None]] if names_something(sighting) else [])
    for rank, (name, p) in enumerate(guesses[:MOST_GUESSES], start=1):
        scientific = sighting.scientific_name if rank == 1 else ""
        plan.names.append(KeptName(row, box, name, scientific, rank, p, sighting.count, True, sighting.who, ""))


def judge_described(plan: Plan, row: ImportRow | None) -> None:
    """The row of the photo itself: does it bring anything?"""
    if row is None:
        return
    brings = plan.photo.id is None or plan.is_given or plan.moves
    brings = brings or any(box.row is row for box in plan.new_boxes) or any(name.row is row for name in plan.names)
    row.judge(GOOD if brings else KNOWN, "" if brings else "all of it is here already")


def names_something(sighting: SightingRecord) -> bool:
    """A name, or one of the answers that are none."""
    return bool(sighting.called) or (sighting.kind in FIXED and sighting.kind != UNCLASSIFIED)


def closest(corners: Sequence[float], boxes: Iterable[BoxHere]) -> BoxHere | None:
    """The box that overlaps most, from SAME on."""
    best = max(boxes, key=lambda box: iou(corners, box.corners), default=None)
    return best if best is not None and iou(corners, best.corners) >= SAME else None


def iou(one: Sequence[float], other: Sequence[float]) -> float:
    """Overlap of two boxes over their union; corners as shares."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1]) - both)
