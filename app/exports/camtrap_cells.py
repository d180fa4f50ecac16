"""Cells of Camtrap DP that are made of one of our values each, and whether the standard has a place for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from app.cells import guard
from app.exports.clocks import zoned
from app.exports.queries import Photo
from app.exports.study import Station
from app.formats.camtrap_dp import DEPLOYMENTS, standard_path


def deployment_cells(station: Station) -> Iterator[str]:
    """One row of deployments.csv, of a station that has a period and a place."""
    row, site, kept = station.deployment, station.stay.site, station.deployment.details or {}
    assert station.point is not None and row.starts_at is not None and row.ends_at is not None
    known = {
        "deploymentID": guard(row.name), "locationID": guard(site.name) if site else "",
        "locationName": guard(site.title) if site else "", "latitude": degrees(station.point.latitude),
        "longitude": degrees(station.point.longitude),
        "coordinateUncertainty": "" if station.point.uncertainty_m is None else str(station.point.uncertainty_m),
        "deploymentStart": zoned(row.starts_at, station.zone), "deploymentEnd": zoned(row.ends_at, station.zone),
        "cameraID": guard(row.camera), "cameraModel": guard(row.camera_model), "deploymentComments": guard(comments(station)),
    }  # fmt: skip
    for column in DEPLOYMENTS:
        yield known[column] if column in known else plain(kept.get(column))


def comments(station: Station) -> str:
    """What people wrote, and when the camera did not work: the format has no column for it."""
    problems = [f"{each.kind} {each.from_at.isoformat()} to {each.to_at.isoformat()}" for each in station.problems]
    said = station.deployment.comments
    return f"{said} [{'; '.join(problems)}]".strip() if problems else said


def plain(value: Any) -> str:
    """A cell of a field that is only kept: true and false as the standard writes them."""
    if value is None:
        return ""
    return (
        str(value).lower() if isinstance(value, bool) else guard(value) if isinstance(value, str) else f"{value:.12g}"
    )


def file_path(photo: Photo) -> str:
    """As it was uploaded, or as its import wrote it; what the standard takes in no path is written as in a web address."""
    given = (photo.row.details or {}).get("filePath")
    return given or standard_path(photo.path)


def boxed(corners: Sequence[float]) -> dict[str, str]:
    """The four cells of a box."""
    x, y, width, height = outline(corners)
    return {"bboxX": x, "bboxY": y, "bboxWidth": width, "bboxHeight": height}


def outline(corners: Sequence[float]) -> tuple[str, str, str, str]:
    """bboxX, bboxY, bboxWidth, bboxHeight: left, top, width, height as shares, within the photo also after rounding."""
    if min(corners) < 0 or max(corners) > 1:
        corners = [min(max(each, 0.0), 1.0) for each in corners]
    x_min, y_min, x_max, y_max = [round(each, 6) for each in corners]
    return f"{x_min:.6f}", f"{y_min:.6f}", f"{max(x_max - x_min, 1e-6):.6f}", f"{max(y_max - y_min, 1e-6):.6f}"


def tags(said: dict[str, Any]) -> str:
    """key:value | key:value, without those that say nothing."""
    return " | ".join(f"{key}:{value}" for key, value in said.items() if value is not None)


def degrees(value: float) -> str:
    """At most 7 digits behind the point: a centimetre."""
    return f"{value:.7f}".rstrip("0").rstrip(".")
