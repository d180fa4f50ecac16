"""Which rows belong to a project, found from the foreign keys alone: a table that is added belongs without a word here."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, select

from models.base import Base

# Of the installation, or of the moment: none of it goes along with a project.
OUTSIDE = (
    "user_account", "user_session", "one_time_link", "lease", "job_shard", "worker_beat", "deletion", "deleted_photo",
)  # fmt: skip
FIRST = ("project", "species", "job", "checkpoint")  # others name them inside JSON, so they are known before
# Numbers that point without a foreign key (SQLite adds a column with one only by making the table anew).
POINTS = {
    ("box", "replaced_by_id"): "box",
    ("checkpoint", "label_max_id"): "label",
    ("deployment", "site_id"): "site",
    ("event", "first_image_id"): "image",
    ("fine_tune", "label_max_id"): "label",
    ("project", "previous_embedder_id"): "checkpoint",
    ("round", "drawn_up_to"): "box",
    ("species", "parent_id"): "species",
    ("species", "merged_into_id"): "species",
}


def key_of(table: Table) -> Column[Any]:
    """The one column of its primary key."""
    return next(iter(table.primary_key.columns))


def target_of(column: Column[Any]) -> Table | None:
    """The table that a column points at, with a foreign key or without."""
    for point in column.foreign_keys:
        return point.column.table
    name = POINTS.get((column.table.name, column.name))
    return Base.metadata.tables[name] if name else None


def own_rows(table: Table, project_id: int) -> ColumnElement[bool] | None:
    """The condition for rows of a project; None for a table of the installation."""
    if table.name in OUTSIDE:
        return None
    if table.name == "project":
        return table.c.id == project_id
    if "project_id" in table.c:
        return table.c.project_id == project_id
    for column, parent in owners(table):
        above = own_rows(parent, project_id)
        if above is not None:
            return column.in_(select(key_of(parent)).where(above))
    return None


def owners(table: Table) -> Iterator[tuple[Column[Any], Table]]:
    """What a row cannot be without: (column, the table that it points at)."""
    for column in table.columns:
        parent = target_of(column)
        if parent is not None and parent is not table and column.foreign_keys and not column.nullable:
            yield column, parent


@cache
def tables() -> tuple[Table, ...]:
    """Every table with rows of projects, those first that others cannot be without."""
    own = [table for table in Base.metadata.tables.values() if own_rows(table, 0) is not None]
    own.sort(key=lambda table: (FIRST.index(table.name) if table.name in FIRST else len(FIRST), table.name))
    placed: list[Table] = []
    while own:
        ready = next(
            table for table in own if all(parent in placed or parent not in own for _column, parent in owners(table))
        )
        placed.append(ready)
        own.remove(ready)
    return tuple(placed)
