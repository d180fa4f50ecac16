"""Wildlife Insights batch upload (FORMATS 6): images.csv, one row a photo and species; deployments, cameras and projects.csv.

The platform knows a species by its own identifier, which stands in the species list under the register wildlife_insights; a
species without one stops the export. A deployment without a period or a place is left out with its photos, and so are photos
without a time, outside of the period, or of which nobody and no classifier said what is on them. A row that a classifier named
has `Computer Vision` and its checkpoint in identified_by, and its probability in uncertainty.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from app.cells import guard, line
from app.exports.enclosing import enclose
from app.exports.naming import HUMAN, UNCLASSIFIED
from app.exports.per_species import Seen, per_species
from app.exports.publication import Publication
from app.exports.queries import Photo
from app.exports.rows import SpeciesRow
from app.exports.sinks import Archive, ByteSink
from app.exports.study import PERSON, Station, Study
from app.formats.wildlife_insights import (
    BLANK_ID,
    CAMERAS,
    COMPUTER,
    DATETIME,
    DEPLOYMENTS,
    IMAGES,
    PROJECTS,
    RANKS,
    REGISTER,
)
from models.box import Box, counted
from models.errors import Invalid
from models.meaning import meanings
from models.taxonomy import tree_of
from models.words import say

NAMES_SHOWN = 20
NUMBERS = ("longitude", "latitude")


def lacking(study: Study) -> list[str]:
    """What the platform asks for and the project does not say, in words: which species have no identifier there."""
    names = sorted(study.taxa[each].species.name for each in named(study) if REGISTER not in study.taxa[each].ids)
    if not names:
        return []
    shown = ", ".join(names[:NAMES_SHOWN]) + (", ..." if len(names) > NAMES_SHOWN else "")
    return [say("the identifier on Wildlife Insights (register wildlife_insights) of %(names)s", names=shown)]


def named(study: Study) -> set[int]:
    """Species ids that people or the classifier gave to counted boxes, as far as they may go out."""
    project = study.project
    name = Box.settled_species_id, Box.guess_species_id
    rows = study.session.execute(select(*name).where(Box.project_id == project.id, counted(project)).distinct())
    meant = meanings(study.session, project.id)
    found = {meant.of(settled or guess) for settled, guess in rows if settled or guess}
    kinds = {each: study.taxa[each].species.kind for each in found if each in study.taxa}
    hidden = study.extreme | {each for each, kind in kinds.items() if kind == PERSON and not study.options.people}
    return {each for each, kind in kinds.items() if kind != "not_animal"} - hidden


def write(study: Study, sink: ByteSink) -> None:
    """A zip with the four tables. Raises Invalid with the species that have no identifier on the platform."""
    if missing := lacking(study):
        raise Invalid(
            "species: " + say("%(missing)s is missing; give it on the Species page", missing="; ".join(missing))
        )
    upload = Upload(study)
    with Archive(sink) as archive:
        with archive.text("images.csv") as file:
            file.write(line(IMAGES))
            for cells in upload.images():
                file.write(line(cells))
                file.rows += 1
        for name, head, rows in (
            ("deployments.csv", DEPLOYMENTS, upload.deployments()),
            ("cameras.csv", CAMERAS, upload.cameras()),
            ("projects.csv", PROJECTS, upload.projects()),
        ):
            with archive.text(name) as file:
                file.write(line(head))
                for said in rows:
                    file.write(line(cell(column, said.get(column, "")) for column in head))
                    file.rows += 1
        enclose(archive, study, "wildlife-insights")


class Upload:
    """The rows of one upload: deployments and cameras are those of which photos go out."""

    def __init__(self, study: Study) -> None:
        """Reads the taxonomy."""
        self._study = study
        self._id = f"waterhole-{study.project.id}"
        self._tree = tree_of(study.session, study.project.id)
        self._ranks: dict[int, list[str]] = {}
        self._used: dict[str, Station] = {}

    def images(self) -> Iterator[list[str]]:
        """images.csv."""
        for photo, said in self._study.photos():
            station = self._study.stations[photo.deployment]
            if photo.taken_at is None or not station.is_whole or not station.is_within(photo.taken_at):
                continue
            for seen in per_species(photo, said, self._study.naming):
                if seen[1] != UNCLASSIFIED:
                    self._used[station.name] = station
                    yield self._image(photo, seen)

    def deployments(self) -> Iterator[dict[str, str]]:
        """deployments.csv."""
        for each in self._used.values():
            point, kept = each.point, each.deployment.details
            assert point is not None
            assert each.starts_at is not None and each.ends_at is not None
            yield {
                "project_id": self._id, "deployment_id": each.name, "placename": each.site_name,
                "longitude": f"{point.longitude:.8g}", "latitude": f"{point.latitude:.7g}",
                "start_date": f"{each.starts_at:{DATETIME}}", "end_date": f"{each.ends_at:{DATETIME}}",
                "camera_id": camera_of(each), "recorded_by": str(kept.get("setupBy", "")),
                "camera_functioning": "Camera Functioning" if not each.problems else "Unknown Failure",
            }  # fmt: skip

    def cameras(self) -> Iterator[dict[str, str]]:
        """cameras.csv: each once."""
        for camera, station in sorted({camera_of(each): each for each in self._used.values()}.items()):
            yield {
                "project_id": self._id, "camera_id": camera,
                "model": str(station.deployment.details.get("cameraModel", "")),
            }  # fmt: skip

    def projects(self) -> Iterator[dict[str, str]]:
        """projects.csv: its one row. What only the platform asks for is filled in there."""
        project, about = self._study.project, Publication.of(self._study.project)
        first = about.contributors[0] if about.contributors else {}
        yield {
            "project_name": about.title or project.name, "project_id": self._id,
            "project_objectives": about.description or project.note, "project_species": "Multiple",
            "project_individual_animals": "No", "project_blank_images": "No", "project_admin": first.get("title", ""),
            "project_admin_email": first.get("email", ""), "metadata_license": about.data_license,
            "image_license": about.media_license,
        }  # fmt: skip

    def _image(self, photo: Photo, seen: Seen) -> list[str]:
        species_id, _kind, row = seen
        assert photo.taken_at is not None
        cells = {
            "project_id": self._id, "deployment_id": guard(photo.deployment), "image_id": str(photo.id),
            "location": guard(photo.path), "identified_by": guard(by_whom(row)), "timestamp": f"{photo.taken_at:{DATETIME}}",
            "number_of_objects": str(row.count or 0), "highlighted": "1" if photo.row.favorite else "0",
            "uncertainty": doubt(row), "age": alike([each.life_stage for each in row.observed], row.count),
            "sex": alike([each.sex for each in row.observed], row.count),
        }  # fmt: skip
        if species_id is None:
            cells |= {"wi_taxon_id": BLANK_ID, "common_name": "Blank", "number_of_objects": "0"}
        else:
            taxon = self._study.taxa[species_id]
            if REGISTER not in taxon.ids:  # named after the list was made
                raise Invalid(
                    "species: " + say("%(name)s has no identifier on Wildlife Insights", name=taxon.species.name)
                )
            cells |= {
                "wi_taxon_id": taxon.ids[REGISTER],
                "common_name": guard(taxon.names.get("en", taxon.species.name)),
            }
            cells |= dict(zip(RANKS, self._ranks_of(species_id), strict=True))
        return [cells.get(column, "") for column in IMAGES]

    def _ranks_of(self, species_id: int) -> list[str]:
        """Class, order, family, genus, and the epithet."""
        if species_id not in self._ranks:
            at = {}
            for each in (*reversed(self._tree.above(species_id)), species_id):
                species = self._study.taxa[each].species
                at[species.rank] = guard(species.scientific_name)
            words = at.get("species", "").split()
            if len(words) > 1:
                at = {"genus": words[0]} | at | {"species": " ".join(words[1:])}
            self._ranks[species_id] = [at.get(rank, "") for rank in RANKS]
        return self._ranks[species_id]


def cell(column: str, text: str) -> str:
    """Numbers stay numbers."""
    return text if column in NUMBERS else guard(text)


def camera_of(station: Station) -> str:
    """Its number, else the deployment's name: every deployment has a camera there."""
    return station.deployment.camera or station.name


def by_whom(row: SpeciesRow) -> str:
    """A person, else the classifier or the detector."""
    return row.who if row.source == HUMAN else f"{COMPUTER}: {row.checkpoint}".removesuffix(": ")


def doubt(row: SpeciesRow) -> str:
    """The probability of a classifier's name; a person's doubt in words."""
    if row.source != HUMAN:
        return "" if row.probability is None else f"{row.probability:.3f}"
    return "not certain" if row.certain is False else ""


def alike(words: list[str], count: int | None) -> str:
    """What was said, where the same was said of every individual of the row."""
    return words[0].capitalize() if len(words) == count and len(set(words)) == 1 else ""
