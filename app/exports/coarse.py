"""Coordinates of sensitive species go out rounded to a fixed grid, the same on every export (PRACTICE 1.5).

Categories are Chapman's, as in camtrapdp::round_coordinates: high keeps 1 decimal, medium 2, low 3; extreme is not published. The
uncertainty grows by what rounding hides: the diagonal of a grid cell in metres, which shrinks towards the poles.
"""

from __future__ import annotations

from typing import NamedTuple

DECIMALS = {"high": 1, "medium": 2, "low": 3}
EXTREME = "extreme"
STRICTNESS = ("", "low", "medium", "high")
GPS_M = 30  # where nobody said how sure the coordinates are
# |latitude| from -> metres that 1, 2, 3 decimals hide
HIDDEN_M = (
    (85.0, (11211, 1121, 112)),
    (60.0, (12461, 1246, 125)),
    (30.0, (14697, 1470, 147)),
    (0.0, (15691, 1570, 157)),
)


class Point(NamedTuple):
    """WGS84 degrees. decimals: None where it was not rounded."""

    latitude: float
    longitude: float
    uncertainty_m: int | None
    decimals: int | None = None


def coarsened(point: Point, sensitivity: str) -> Point:
    """As it may go out beside a species so sensitive: "", low, medium or high."""
    if sensitivity not in DECIMALS:
        return point
    decimals = DECIMALS[sensitivity]
    hidden = next(metres for least, metres in HIDDEN_M if abs(point.latitude) >= least)[decimals - 1]
    return Point(
        round(point.latitude, decimals), round(point.longitude, decimals),
        (GPS_M if point.uncertainty_m is None else point.uncertainty_m) + hidden, decimals,
    )  # fmt: skip


def stricter(one: str, other: str) -> str:
    """The one of two categories that hides more."""
    return max(one, other, key=STRICTNESS.index)
