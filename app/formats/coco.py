"""COCO Camera Traps (agentmorris/MegaDetector, data format document): field names and fixed ids."""

from __future__ import annotations

import re

VERSION = "1.0"
EMPTY_ID, EMPTY_NAME = 0, "empty"
DATETIME = "%Y-%m-%d %H:%M:%S"
IMAGE = (
    "id", "file_name", "width", "height", "rights_holder", "datetime", "seq_id", "seq_num_frames", "frame_num",
    "location", "corrupt",
)  # fmt: skip
IMAGE_REQUIRED = ("id", "file_name")
ANNOTATION = (
    "id", "image_id", "category_id", "count", "bbox", "bbox_relative", "sequence_level_annotation",
)  # fmt: skip
ANNOTATION_REQUIRED = ("id", "image_id", "category_id")
FORBIDDEN = ("sequence", "sequence_id")  # keys of an image that its format refuses
OURS = "waterhole_"  # how a further field of ours begins
KEPT = ("seq_id", "seq_num_frames", "frame_num", "rights_holder", "corrupt")  # of an image: as its file says


def category_word(name: str) -> str:
    """A name as a category has it: small letters, no blanks."""
    return re.sub(r"\s+", "_", name.strip().lower())
