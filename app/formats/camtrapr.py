"""camtrapR 3.0.3 (jniedballa/camtrapR): the columns of its record table and of its station table."""

from __future__ import annotations

DATETIME, DATE, TIME = "%Y-%m-%d %H:%M:%S", "%Y-%m-%d", "%H:%M:%S"
RECORDS = (
    "Station", "Camera", "Species", "DateTimeOriginal", "Date", "Time", "delta.time.secs", "delta.time.mins",
    "delta.time.hours", "delta.time.days", "Directory", "FileName",
)  # fmt: skip
STATIONS = ("Station", "Camera", "Setup_date", "Retrieval_date")  # then Problem1_from, Problem1_to, Problem2_from, ...
MISSING = "NA"
