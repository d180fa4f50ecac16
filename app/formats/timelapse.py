"""Timelapse 2.4 (saulgreenberg/Timelapse): the standard columns of its CSV, in the order of the default template."""

from __future__ import annotations

FILE, RELATIVE_PATH, DATE_TIME, DELETE_FLAG = "File", "RelativePath", "DateTime", "DeleteFlag"
ROOT_FOLDER = "RootFolder"  # optional, before the others
STANDARD = (FILE, RELATIVE_PATH, DATE_TIME, DELETE_FLAG)
DATETIME = "%Y-%m-%d %H:%M:%S"
OLD_DATE, OLD_TIME = "%d-%b-%Y", "%H:%M:%S"  # in two columns, Date and Time
# What our export adds: each must be a field of the user's template.
OURS = (
    "Species", "ScientificName", "Count", "Source", "Probability", "Who", "Certain", "Checkpoint", "Sex", "LifeStage",
    "Behaviour",
)  # fmt: skip
