"""A table of labelled pictures: CSV with `path` and `label`, and as many of the other columns as there are.

    path, label (or class, species), deployment (or location), sequence, split (train or test),
    x_min, y_min, x_max, y_max (pixels) with width and height

Decisions: columns go by name, in any order, others are ignored; a row that cannot be used is named by its line and left out;
a row without a box is the whole picture.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from worker.learning.sights import WHOLE, NotASet, Sight, Skipped, leads_out

LABEL, PLACE = ("label", "class", "species"), ("deployment", "location")
CORNERS = ("x_min", "y_min", "x_max", "y_max")
SPLITS = ("", "train", "test")
Row = Mapping[str, str]


def paths_of(table: Path) -> list[str]:
    """The `path` of every row that has one. Raises NotASet where the table is none."""
    return [row["path"] for _line, row in _rows(table) if row["path"]]


def sights_of_table(table: Path, photos: Path, skipped: Skipped) -> Iterator[Sight]:
    """One for each usable row. photos: the folder that `path` is below. Raises NotASet where the table is none."""
    for line, row in _rows(table):
        sight = _sight(row, photos, f"line {line}", skipped)
        if sight is not None:
            yield sight


def _rows(table: Path) -> Iterator[tuple[int, Row]]:
    """(line, the row's columns without the spaces around what they say)."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            columns = set(rows.fieldnames or ())
            if "path" not in columns or not columns.intersection(LABEL):
                raise NotASet(
                    f"{table} needs the columns path and label; it has {', '.join(sorted(columns)) or 'none'}."
                )
            for row in rows:
                yield (
                    rows.line_num,
                    {name: (value or "").strip() for name, value in row.items() if isinstance(name, str)},
                )
    except (UnicodeDecodeError, csv.Error) as error:
        raise NotASet(f"{table} is no CSV in UTF-8: {error}") from error


def _sight(row: Row, photos: Path, line: str, skipped: Skipped) -> Sight | None:
    name, label, split = row["path"], _first(row, LABEL), row.get("split", "").lower()
    box = _box(row)
    reason = ""
    if not name or not label:
        reason = "a row without path or label"
    elif leads_out(name):
        reason = "a path that leads out of the folder"
    elif split not in SPLITS:
        reason = f"a split that is neither train nor test: {split[:20]}"
    elif box is None:
        reason = "a box that is none"
    elif not (photos / name).is_file():
        reason = "no such file"
    if reason or box is None:
        skipped.add(reason, f"{line} {name}".strip())
        return None
    return Sight(photos / name, box, _size(row), label, _first(row, PLACE), row.get("sequence", ""), split)


def _first(row: Row, names: tuple[str, ...]) -> str:
    """What the first of these columns that is filled says."""
    return next((row[name] for name in names if row.get(name)), "")


def _size(row: Row) -> tuple[int, int] | None:
    """(width, height) in pixels, where the row says both."""
    try:
        width, height = int(row["width"]), int(row["height"])
    except (KeyError, ValueError):
        return None
    return (width, height) if width > 0 and height > 0 else None


def _box(row: Row) -> tuple[float, float, float, float] | None:
    """Shares of the picture; WHOLE where no corner is given, None for nonsense."""
    corners = [row.get(name, "") for name in CORNERS]
    if not any(corners):
        return WHOLE
    size = _size(row)
    try:
        pixels = [float(corner) for corner in corners]
    except ValueError:
        return None
    if size is None or not np.isfinite(pixels).all():
        return None
    box = np.clip(np.array(pixels) / [*size, *size], 0, 1).tolist()
    return (box[0], box[1], box[2], box[3]) if box[2] > box[0] and box[3] > box[1] else None
