"""What a data package says of the study as a whole (Camtrap DP's profile): asked on the Export page, kept with the project."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import func, select

from app.exports.label_rows import LABELS
from app.exports.study import Station, Study
from app.formats.camtrap_dp import OWN
from models.audit import AuditEntry
from models.errors import Invalid
from models.image import Image
from models.label import Label
from models.project import Project
from models.words import mark, say

STANDARD = "https://raw.githubusercontent.com/tdwg/camtrap-dp/1.0.2"
DESIGNS = {
    "simpleRandom": mark("Random places"),
    "systematicRandom": mark("Places on a grid with a random start"),
    "clusteredRandom": mark("Random clusters of places"),
    "experimental": mark("An experiment: places by treatment"),
    "targeted": mark("Places chosen for a species or a feature"),
    "opportunistic": mark("Places as they came"),
}
ROLES = ("contact", "principalInvestigator", "rightsHolder", "publisher", "contributor")
# SPDX names; the first is the one that the community asks for
DATA_LICENSES = ("CC0-1.0", "CC-BY-4.0")
MEDIA_LICENSES = ("CC-BY-4.0", "CC0-1.0", "CC-BY-NC-4.0")
MOST_TEXT = 5000


@dataclass
class Publication:
    """contributors: {title, role, email, organization}, the first one a contact."""

    title: str = ""
    description: str = ""
    design: str = ""
    contributors: list[dict[str, str]] = field(default_factory=list)
    data_license: str = DATA_LICENSES[0]
    media_license: str = MEDIA_LICENSES[0]

    @classmethod
    def of(cls, project: Project) -> Publication:
        """What was said so far."""
        said = project.publication or {}
        return cls(**{name: said[name] for name in cls.__dataclass_fields__ if name in said})

    @property
    def contributor_lines(self) -> str:
        """One a line: name; role; e-mail; organization."""
        parts = ("title", "role", "email", "organization")
        return "\n".join("; ".join(each.get(part, "") for part in parts).rstrip("; ") for each in self.contributors)

    def as_row(self) -> dict[str, Any]:
        """For Project.publication."""
        return asdict(self)


def publication_from(form: Mapping[str, str]) -> Publication:
    """What a person filled in. Raises Invalid, naming the field."""
    made = Publication(
        text_of(form, "title", 300), text_of(form, "description", MOST_TEXT), form.get("design", ""),
        [contributor(row, number) for number, row in enumerate(form.get("contributors", "").splitlines(), 1) if row.strip()],
        form.get("data_license", DATA_LICENSES[0]), form.get("media_license", MEDIA_LICENSES[0]),
    )  # fmt: skip
    if made.design and made.design not in DESIGNS:
        raise Invalid("design: " + say("choose how the places of the cameras were chosen"))
    if made.data_license not in DATA_LICENSES or made.media_license not in MEDIA_LICENSES:
        raise Invalid("data_license: " + say("choose one of the list"))
    return made


def text_of(form: Mapping[str, str], name: str, most: int) -> str:
    """One field, without what surrounds it. Raises Invalid."""
    text = form.get(name, "").strip()
    if len(text) > most or "\0" in text:
        raise Invalid(f"{name}: " + say("at most %(most)s characters that can be shown", most=f"{most:,}"))
    return text


def contributor(written: str, number: int) -> dict[str, str]:
    """name; role; e-mail; organization: all but the name may be left out. Raises Invalid with the line."""
    parts = [part.strip() for part in written.split(";")]
    name, role, email, organization = (*parts, "", "", "")[:4]
    if not name or len(written) > 500 or len(parts) > 4:
        raise Invalid("contributors: " + say("line %(number)s: name; role; e-mail; organization", number=number))
    if role and role not in ROLES:
        raise Invalid(
            "contributors: "
            + say("line %(number)s: the role is one of %(roles)s", number=number, roles=", ".join(ROLES))
        )
    if email and "@" not in email:
        raise Invalid("contributors: " + say("line %(number)s: that is no e-mail address", number=number))
    said = {"title": name, "role": role or "contact", "email": email, "organization": organization}
    return {key: value for key, value in said.items() if value}


def lacking(project: Project) -> list[str]:
    """What the standard asks for and nobody said yet, in words."""
    said = Publication.of(project)
    wanted = (
        (said.design, say("how the places of the cameras were chosen")),
        (said.contributors, say("at least one person or institution to contact")),
    )
    return [words for value, words in wanted if not value]


def described(project: Project) -> Publication:
    """Raises Invalid where the standard asks for something that nobody said yet."""
    missing = lacking(project)
    if missing:
        raise Invalid(
            "publication: "
            + say(
                "Camtrap DP asks for: %(missing)s. An administrator fills it in on the Export page, Camtrap DP.",
                missing="; ".join(missing),
            )
        )
    return Publication.of(project)


def package(
    study: Study, about: Publication, stations: list[Station], taxa: set[int], others: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """datapackage.json. stations: those in the package. taxa: species ids that its rows name. others: scientific name -> what
    imported packages say of it; those that are none of the taxa are named besides."""
    project = study.project
    known = {each["scientificName"]: each for each in (taxonomic(study, species_id) for species_id in taxa)}
    listed = [both(others.get(name, {}), known.get(name, {})) for name in sorted(known.keys() | others)]
    starts = [each.starts_at for each in stations if each.starts_at]
    ends = [each.ends_at for each in stations if each.ends_at]
    rounded = [each.point.decimals for each in stations if each.point and each.point.decimals is not None]
    made: dict[str, Any] = {
        "resources": [resource(name) for name in ("deployments", "media", "observations")] + [labels_resource()],
        "profile": f"{STANDARD}/camtrap-dp-profile.json",
        "name": f"waterhole-{project.id}",
        "created": created(study),
        "title": about.title or project.name,
        "contributors": about.contributors,
        "description": about.description or project.note or project.name,
        "version": "1.0",
        "keywords": ["camera traps"],
        "licenses": [
            {"name": about.data_license, "scope": "data"}, {"name": about.media_license, "scope": "media"},
        ],
        "project": {
            "title": about.title or project.name, "samplingDesign": about.design, "captureMethod": capture_methods(study),
            "individualAnimals": False, "observationLevel": ["media", "event"],
        },
        "spatial": spatial(stations),
        "temporal": {
            "start": f"{min(starts, default=project.created_at):%Y-%m-%d}",
            "end": f"{max(ends, default=project.created_at):%Y-%m-%d}",
        },
        "taxonomic": listed,
        OWN: {
            "deployments": {each.name: beside(each) for each in stations},
            "species": {study.scientific(each): as_listed(study, each) for each in sorted(taxa)},
        },
    }  # fmt: skip
    if rounded:
        made["coordinatePrecision"] = 10 ** -min(rounded)
    return made


def beside(station: Station) -> dict[str, Any]:
    """What deployments.csv has no column for: the zone by its name, what people wrote, when the camera did not work."""
    return {
        "zone": station.zone, "comments": station.deployment.comments,
        "problems": [[each.kind, each.from_at.isoformat(), each.to_at.isoformat()] for each in station.problems],
    }  # fmt: skip


def as_listed(study: Study, species_id: int) -> dict[str, str]:
    """A species as the list has it: it may have no scientific name, and a rank that is none of the standard's."""
    species = study.taxa[species_id].species
    return {"name": species.name, "scientificName": species.scientific_name, "rank": species.rank}


def resource(name: str) -> dict[str, str]:
    """One of the standard's three tables."""
    return {
        "name": name, "path": f"{name}.csv", "profile": "tabular-data-resource", "format": "csv", "mediatype": "text/csv",
        "encoding": "utf-8", "schema": f"{STANDARD}/{name}-table-schema.json",
    }  # fmt: skip


def labels_resource() -> dict[str, Any]:
    """Our own table, by the standard's way to add one."""
    fields = [
        {"name": column, "type": kind} | ({"format": "%Y-%m-%dT%H:%M:%S%z"} if kind == "datetime" else {})
        for column, kind in LABELS
    ]
    return {
        "name": "waterhole_labels", "path": "waterhole_labels.csv", "profile": "tabular-data-resource", "format": "csv",
        "mediatype": "text/csv", "encoding": "utf-8", "schema": {"fields": fields, "missingValues": [""]},
        "description": "Every voice that was given about a box, oldest first; settles: the one that names it now.",
    }  # fmt: skip


def capture_methods(study: Study) -> list[str]:
    """What the photos say; a camera that says nothing was set off by a movement."""
    found = study.session.scalars(select(Image.capture_method).where(Image.project_id == study.project.id).distinct())
    return sorted({each or "activityDetection" for each in found}) or ["activityDetection"]


def spatial(stations: list[Station]) -> dict[str, Any]:
    """GeoJSON: the rectangle round all places, as they go out; one place is a point."""
    places = [(each.point.longitude, each.point.latitude) for each in stations if each.point]
    if not places:
        return {"type": "Point", "coordinates": []}
    west, east = min(x for x, _y in places), max(x for x, _y in places)
    south, north = min(y for _x, y in places), max(y for _x, y in places)
    if (west, south) == (east, north):
        return {"type": "Point", "coordinates": [west, south]}
    corners = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "bbox": [west, south, east, north], "coordinates": [corners]}


def taxonomic(study: Study, species_id: int) -> dict[str, Any]:
    """One name that rows use."""
    taxon = study.taxa[species_id]
    made: dict[str, Any] = {"scientificName": study.scientific(species_id)}
    if "gbif" in taxon.ids:
        made["taxonID"] = taxon.ids["gbif"]
    if taxon.species.rank and taxon.species.rank != "group":
        made["taxonRank"] = taxon.species.rank
    names = {iso3(language): name for language, name in taxon.names.items()}
    if taxon.species.scientific_name:
        names.setdefault("eng", taxon.species.name)
    return made | ({"vernacularNames": names} if names else {})


def both(theirs: dict[str, Any], ours: dict[str, Any]) -> dict[str, Any]:
    """A taxon as an imported package lists it, with what is known of it here."""
    names = theirs.get("vernacularNames", {}) | ours.get("vernacularNames", {})
    return theirs | ours | ({"vernacularNames": names} if names else {})


def iso3(language: str) -> str:
    """The standard writes three letters (ISO 639-3); those of the commonest languages."""
    short = language.split("-")[0]
    known = {
        "en": "eng", "es": "spa", "pt": "por", "fr": "fra", "de": "deu", "nl": "nld", "it": "ita", "id": "ind", "sw": "swa",
        "zh": "zho", "ja": "jpn", "ru": "rus", "pl": "pol", "cs": "ces", "sv": "swe", "no": "nor", "da": "dan", "fi": "fin",
        "hi": "hin", "ar": "ara",
    }  # fmt: skip
    return known.get(short, short)


def created(study: Study) -> str:
    """When the state was made that the package shows, not when it was written: equal states, equal bytes."""
    moments = [study.project.created_at]
    for column, of in ((Label.created_at, Label.project_id), (Image.created_at, Image.project_id)):
        newest = study.session.scalar(select(func.max(column)).where(of == study.project.id))
        moments.extend([newest] if newest else [])
    entry = study.session.scalar(select(func.max(AuditEntry.at)).where(AuditEntry.project_id == study.project.id))
    moments.extend([entry] if entry else [])
    return f"{max(moments).astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
