"""What was lost: what a format cannot carry of this project, each with how many (FORMATS 8). Cheap enough for a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from app.exports.coarse import EXTREME
from app.exports.study import Study
from models.act import Act
from models.box import Box, counted
from models.event import EventCount
from models.image import ABSENT, COUNTING, QUARANTINED, REFUSED, WAITING, CountCorrection, Image
from models.label import Label
from models.note import Note
from models.species import TAXON, Species
from models.words import mark_many, say_many

Count = Callable[["Facts"], int]


@dataclass
class Facts:
    """Figures of a project that notes are made of, each read once and only where it is asked for."""

    study: Study

    @cached_property
    def undated(self) -> int:
        """Photos without a time."""
        return self._images(Image.taken_at.is_(None), Image.state.in_(COUNTING))

    @cached_property
    def not_seen(self) -> int:
        """Photos that nobody has looked through."""
        return self._images(Image.state == WAITING)

    @cached_property
    def failed(self) -> int:
        """Photos that cannot be opened."""
        return self._images(Image.state.in_((QUARANTINED, REFUSED)))

    @cached_property
    def corrected_clocks(self) -> int:
        """Photos whose camera's clock was wrong."""
        return self._images(Image.taken_at != Image.captured_at)

    @cached_property
    def without_period(self) -> int:
        """Cameras of which nobody said from when to when."""
        return sum(each.starts_at is None or each.ends_at is None for each in self.study.stations.values())

    @cached_property
    def without_place(self) -> int:
        """Cameras without coordinates."""
        return sum(each.point is None for each in self.study.stations.values())

    @cached_property
    def described(self) -> int:
        """Cameras with coordinates or a period."""
        stations = self.study.stations.values()
        return sum(
            each.point is not None or each.starts_at is not None or each.ends_at is not None for each in stations
        )

    @cached_property
    def coarse(self) -> int:
        """Cameras whose coordinates are rounded."""
        return sum(each.point is not None and each.point.decimals is not None for each in self.study.stations.values())

    @cached_property
    def problems(self) -> int:
        """Times in which a camera did not work."""
        return sum(len(each.problems) for each in self.study.stations.values())

    @cached_property
    def outside(self) -> int:
        """Photos from before or after the period of their camera."""
        found = 0
        for each in self.study.stations.values():
            if each.starts_at and each.ends_at:
                here = Image.deployment_id == each.deployment.id
                found += self._images(
                    Image.state.in_(COUNTING), here, (Image.taken_at < each.starts_at) | (Image.taken_at > each.ends_at)
                )
        return found

    @cached_property
    def published_species(self) -> int:
        """Species whose places are not published at all."""
        return sum(each.species.sensitivity == EXTREME for each in self.study.taxa.values())

    @cached_property
    def other_voices(self) -> int:
        """Labels that do not settle a name."""
        every = self._count(Label.id, Label.project_id == self.study.project.id)
        return every - self._count(Box.id, Box.project_id == self.study.project.id, Box.settled_label_id.is_not(None))

    @cached_property
    def unnamed_in_latin(self) -> int:
        """Species without a scientific name."""
        return self._count(
            Species.id, Species.project_id == self.study.project.id, Species.kind == TAXON, Species.scientific_name == "",
            Species.retired_at.is_(None), Species.merged_into_id.is_(None),
        )  # fmt: skip

    @cached_property
    def counted_by_people(self) -> int:
        """Figures that people gave for photos."""
        images = select(Image.id).where(Image.project_id == self.study.project.id)
        return self._count(CountCorrection.id, CountCorrection.image_id.in_(images))

    @cached_property
    def counted_beside_boxes(self) -> int:
        """Figures that people gave here for photos with boxes, and for all animals of a photo without."""
        has_box = select(Box.id).where(Box.image_id == CountCorrection.image_id, counted(self.study.project)).exists()
        of_all = and_(CountCorrection.species_id.is_(None), CountCorrection.count > 0)
        said_here = or_(Act.id.is_(None), Act.kind != "import", Image.state != ABSENT)
        rows = CountCorrection.standing(Image.project_id == self.study.project.id, said_here, or_(has_box, of_all))
        pairs = rows.join(Image, Image.id == CountCorrection.image_id).with_only_columns(
            CountCorrection.image_id, CountCorrection.species_id
        )
        return (
            self.study.session.scalar(select(func.count()).select_from(pairs.order_by(None).distinct().subquery())) or 0
        )

    @cached_property
    def counted_whole(self) -> int:
        """Figures that people gave for photos, without a species."""
        images = select(Image.id).where(Image.project_id == self.study.project.id)
        return self._count(
            CountCorrection.id, CountCorrection.image_id.in_(images), CountCorrection.species_id.is_(None)
        )

    @cached_property
    def unnamed(self) -> int:
        """Outlines of animals without any name."""
        return self._count(
            Box.id, Box.project_id == self.study.project.id, Box.deleted_at.is_(None), Box.kind == "animal",
            Box.settled_species_id.is_(None), Box.guess_species_id.is_(None), Box.score >= self.study.project.count_above,
        )  # fmt: skip

    @cached_property
    def unseen(self) -> int:
        """Visits of which a person says that more were there than photos show, or how many."""
        return self._count(EventCount.id, EventCount.project_id == self.study.project.id)

    @cached_property
    def boxes(self) -> int:
        """Outlines."""
        return self._count(Box.id, Box.project_id == self.study.project.id, Box.deleted_at.is_(None))

    @cached_property
    def notes(self) -> int:
        """Comments and flags."""
        ids = select(Box.id).where(Box.project_id == self.study.project.id)
        return self._count(Note.id, Note.box_id.in_(ids))

    @cached_property
    def observed(self) -> int:
        """Labels that say sex, age or behaviour."""
        said = (Label.sex != "") | (Label.life_stage != "") | (Label.behaviour != "")
        return self._count(Label.id, Label.project_id == self.study.project.id, said)

    @cached_property
    def people(self) -> int:
        """Photos on which people named a person, or the detector sees one."""
        if self.study.options.people:
            return 0
        here = select(Box.image_id).where(
            Box.project_id == self.study.project.id, Box.kind == "person", Box.score >= self.study.project.count_above,
            Box.deleted_at.is_(None), Box.settled_species_id.is_(None),
        )  # fmt: skip
        named = select(Box.image_id).where(
            Box.project_id == self.study.project.id,
            Box.settled_species_id.in_([i for i, each in self.study.taxa.items() if each.species.kind == "person"]),
        )
        return self._images(Image.id.in_(here.union(named)))

    def _images(self, *which: object) -> int:
        return self._count(Image.id, Image.project_id == self.study.project.id, *which)

    def _count(self, what: InstrumentedAttribute[int], *which: object) -> int:
        return self.study.session.scalar(select(func.count(what)).where(*which)) or 0  # type: ignore[arg-type]


# note -> (one, many, how many)
NOTES: dict[str, tuple[str, str, Count]] = {
    "undated": (
        *mark_many("%(num)s photo without a time is left out.", "%(num)s photos without a time are left out."),
        lambda facts: facts.undated,
    ),
    "not_seen": (
        *mark_many(
            "%(num)s photo that nobody has looked through yet is left out.",
            "%(num)s photos that nobody has looked through yet are left out.",
        ),
        lambda facts: facts.not_seen,
    ),
    "failed": (
        *mark_many(
            "%(num)s photo that cannot be opened is left out.", "%(num)s photos that cannot be opened are left out."
        ),
        lambda facts: facts.failed,
    ),
    "period": (
        *mark_many(
            "%(num)s camera has no period and is left out with its photos.",
            "%(num)s cameras have no period and are left out with their photos.",
        ),
        lambda facts: facts.without_period,
    ),
    "no_effort": (
        *mark_many(
            "%(num)s camera has no period: its effort is not known, which is not zero.",
            "%(num)s cameras have no period: their effort is not known, which is not zero.",
        ),
        lambda facts: facts.without_period,
    ),
    "place": (
        *mark_many(
            "%(num)s camera has no coordinates and is left out with its photos.",
            "%(num)s cameras have no coordinates and are left out with their photos.",
        ),
        lambda facts: facts.without_place,
    ),
    "places": (
        *mark_many("%(num)s camera’s place and period stay here.", "%(num)s cameras’ places and periods stay here."),
        lambda facts: facts.described,
    ),
    "outside": (
        *mark_many(
            "%(num)s photo lies outside of its camera’s period and is left out; correct the clock or the period.",
            "%(num)s photos lie outside of their camera’s period and are left out; correct the clock or the period.",
        ),
        lambda facts: facts.outside,
    ),
    "coarse": (
        *mark_many(
            "%(num)s camera has its coordinates rounded, since a sensitive species was seen there.",
            "%(num)s cameras have their coordinates rounded, since sensitive species were seen there.",
        ),
        lambda facts: facts.coarse,
    ),
    "extreme": (
        *mark_many(
            "%(num)s species is not published; the photos that show it are left out.",
            "%(num)s species are not published; the photos that show them are left out.",
        ),
        lambda facts: facts.published_species,
    ),
    "people": (
        *mark_many("%(num)s photo of people is left out.", "%(num)s photos of people are left out."),
        lambda facts: facts.people,
    ),
    "private": (
        *mark_many(
            "%(num)s photo of people is marked as not public.", "%(num)s photos of people are marked as not public."
        ),
        lambda facts: facts.people,
    ),
    "latin": (
        *mark_many(
            "%(num)s species has no scientific name; its name in the list stands in its place.",
            "%(num)s species have no scientific name; their names in the list stand in their place.",
        ),
        lambda facts: facts.unnamed_in_latin,
    ),
    "voices": (
        *mark_many(
            "%(num)s voice that does not settle a name stays here.",
            "%(num)s voices that do not settle a name stay here.",
        ),
        lambda facts: facts.other_voices,
    ),
    "counts": (
        *mark_many(
            "%(num)s count that a person gave for a photo stays here.",
            "%(num)s counts that people gave for photos stay here.",
        ),
        lambda facts: facts.counted_by_people,
    ),
    "counts_boxed": (
        *mark_many(
            "%(num)s count that a person gave for a photo with boxes stays here.",
            "%(num)s counts that people gave for photos with boxes stay here.",
        ),
        lambda facts: facts.counted_beside_boxes,
    ),
    "whole_counts": (
        *mark_many(
            "%(num)s count that a person gave for a whole photo, whatever the species, stays here.",
            "%(num)s counts that people gave for whole photos, whatever the species, stay here.",
        ),
        lambda facts: facts.counted_whole,
    ),
    "unnamed": (
        *mark_many(
            "%(num)s outline that nobody and no classifier named is left out.",
            "%(num)s outlines that nobody and no classifier named are left out.",
        ),
        lambda facts: facts.unnamed,
    ),
    "unseen": (
        *mark_many(
            "%(num)s figure of a person for a visit stays here.", "%(num)s figures of people for visits stay here."
        ),
        lambda facts: facts.unseen,
    ),
    "boxes": (
        *mark_many("%(num)s outline stays here.", "%(num)s outlines stay here."),
        lambda facts: facts.boxes,
    ),
    "observed": (
        *mark_many(
            "%(num)s answer with sex, age or behaviour stays here.",
            "%(num)s answers with sex, age or behaviour stay here.",
        ),
        lambda facts: facts.observed,
    ),
    "notes": (
        *mark_many("%(num)s comment or flag stays here.", "%(num)s comments and flags stay here."),
        lambda facts: facts.notes,
    ),
    "clocks": (
        *mark_many(
            "%(num)s photo has a corrected time; what its camera wrote stays here.",
            "%(num)s photos have a corrected time; what their cameras wrote stays here.",
        ),
        lambda facts: facts.corrected_clocks,
    ),
    "problems": (
        *mark_many(
            "%(num)s time in which a camera did not work stays here.",
            "%(num)s times in which cameras did not work stay here.",
        ),
        lambda facts: facts.problems,
    ),
}

HIDDEN = ("extreme", "people")
# format -> what may be lost in it, the weightiest first
LOSSES: dict[str, tuple[str, ...]] = {
    "species.csv": ("boxes", "voices", "whole_counts", "notes"),
    "counts.csv": ("boxes", "voices", "observed", "notes", "unseen"),
    "effort.csv": ("no_effort", "coarse"),
    "records.csv": (*HIDDEN, "undated", "not_seen", "boxes", "voices", "observed", "notes"),
    "detections": ("no_effort", *HIDDEN, "undated", "not_seen", "boxes", "voices", "notes"),
    "camtrap-dp": (
        "period", "place", "outside", "undated", "not_seen", "failed", "extreme", "private", "coarse", "latin", "counts_boxed",
        "notes", "clocks",
    ),
    "coco": (*HIDDEN, "not_seen", "places", "voices", "counts_boxed", "notes", "clocks", "problems"),
    "megadetector": (*HIDDEN, "not_seen", "voices", "counts", "observed", "notes", "problems"),
    "timelapse": (*HIDDEN, "not_seen", "failed", "boxes", "voices", "whole_counts", "notes", "clocks", "problems"),
    "wildlife-insights": (
        "period", "place", "outside", "undated", "not_seen", "failed", *HIDDEN, "coarse", "unnamed", "boxes", "voices",
        "whole_counts", "notes", "clocks", "problems",
    ),
    "crops": (*HIDDEN, "not_seen", "failed", "voices", "counts", "observed", "notes"),
}  # fmt: skip


def lost_lines(name: str, study: Study) -> list[str]:
    """One sentence for each loss of which there are some in this project."""
    facts = Facts(study)
    found = []
    for loss in LOSSES.get(name, ()):
        one, many, count = NOTES[loss]
        if number := count(facts):
            found.append(say_many(one, many, number))
    return found
