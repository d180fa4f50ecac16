"""Every format under its name. Adding one is one row, and a file with its reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.imports import camtrap_dp, coco, columns, megadetector, wildlife_insights
from app.imports.files import Files
from app.imports.lines import How, Reading
from models.errors import Invalid
from models.words import mark

AUTO = "auto"


@dataclass(frozen=True)
class Format:
    """title, summary: for the page. absent: whether photos that the project lacks are written down where nobody says otherwise.

    asks: a table whose columns a person has to name first.
    """

    title: str
    summary: str
    read: Callable[[Files, How], Reading]
    absent: bool = False
    asks: bool = False


FORMATS: dict[str, Format] = {
    "megadetector": Format(
        "MegaDetector JSON", mark("Boxes, and a classifier's guesses: format 1.3 and later"), megadetector.read
    ),
    "camtrap-dp": Format(
        "Camtrap DP 1.0",
        mark("Deployments, photos, boxes and names: the zip of a package, or its four files together"),
        camtrap_dp.read,
        absent=True,
    ),
    "coco": Format("COCO Camera Traps", mark("Photos, boxes and names from a .json file"), coco.read, absent=True),
    "csv": Format(
        "A table (CSV)", mark("Names, counts or boxes; you say which column is what"), columns.read, asks=True
    ),
    "timelapse": Format(
        "Timelapse CSV", mark("Names and counts; you say which of your fields is what"), columns.read, asks=True
    ),
    "wildlife-insights": Format(
        "Wildlife Insights",
        mark("Deployments, photos and names: the upload set, or downloaded tables"),
        wildlife_insights.read,
        absent=True,
    ),
}


def recognise(files: Files) -> str:
    """The format that the files seem to have. Raises Invalid."""
    names = {name.lower() for name in files.members}
    if {"deployments.csv", "media.csv", "observations.csv"} <= names:
        return "camtrap-dp"
    if "images.csv" in names or any(
        name.startswith(("images_", "sequences")) and name.endswith(".csv") for name in names
    ):
        return "wildlife-insights"
    for name in files.members:
        with files.open(name) as file:
            head = file.read(1 << 16)
        if name.lower().endswith(".json"):
            return "megadetector" if b'"detection_categories"' in head or b'"format_version"' in head else "coco"
        if name.lower().endswith((".csv", ".txt", ".tsv")):
            return "timelapse" if b"RelativePath" in head.replace(b"\0", b"") else "csv"
    raise Invalid("files: nothing here looks like a file that can be imported. Choose the format yourself.")
