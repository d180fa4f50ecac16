"""How high the sun stands, to about half a degree: enough to tell day from night.

Formulas: NOAA Global Monitoring Laboratory, "General Solar Position Calculations" (Fourier series after Spencer 1971).
"""

from __future__ import annotations

import datetime as dt
from math import acos, cos, degrees, pi, radians, sin


def elevation_deg(at_utc: dt.datetime, latitude: float, longitude: float) -> float:
    """Degrees above the horizon, -90 to 90. at_utc: without a zone, of UTC. Degrees WGS84, east positive."""
    hour = at_utc.hour + at_utc.minute / 60 + at_utc.second / 3600
    year = 2 * pi / 365 * (at_utc.timetuple().tm_yday - 1 + (hour - 12) / 24)
    equation_min = 229.18 * (
        0.000075 + 0.001868 * cos(year) - 0.032077 * sin(year) - 0.014615 * cos(2 * year) - 0.040849 * sin(2 * year)
    )
    declination = (
        0.006918 - 0.399912 * cos(year) + 0.070257 * sin(year) - 0.006758 * cos(2 * year) + 0.000907 * sin(2 * year)
        - 0.002697 * cos(3 * year) + 0.00148 * sin(3 * year)
    )  # fmt: skip
    hour_angle = radians((60 * hour + equation_min + 4 * longitude) / 4 - 180)
    north = radians(latitude)
    zenith = sin(north) * sin(declination) + cos(north) * cos(declination) * cos(hour_angle)
    return 90 - degrees(acos(max(-1.0, min(1.0, zenith))))
