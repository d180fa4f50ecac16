"""MegaDetector results 1.6 (agentmorris/MegaDetector): its categories and what info may say."""

from __future__ import annotations

VERSION = "1.6"
OLDEST = 1.3  # that a reader takes
ANIMAL, PERSON, VEHICLE = "1", "2", "3"
CATEGORIES = {ANIMAL: "animal", PERSON: "person", VEHICLE: "vehicle"}
EMPTY = "0"  # informally; never written
INFO = (
    "format_version", "detector", "detection_completion_time", "classifier", "classification_completion_time",
    "detector_metadata", "classifier_metadata", "summary_report",
)  # fmt: skip
DETECTOR_METADATA = ("megadetector_version", "typical_detection_threshold", "conservative_detection_threshold")
UNNAMED_DETECTOR = "MegaDetector v4"  # what a file without info.detector comes from
ROUNDING = 0.001  # by how much a box may stand out of the frame
