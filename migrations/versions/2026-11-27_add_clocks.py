"""Add corrections of clocks, what looks wrong about clocks, folder patterns, and how bright a photo is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def points(table: str, column: str, at: str, ondelete: str | None = "CASCADE") -> sa.ForeignKeyConstraint:
    """A foreign key with the name that the program expects."""
    return sa.ForeignKeyConstraint([column], [f"{at}.id"], name=op.f(f"fk_{table}_{column}_{at}"), ondelete=ondelete)


def number(name: str, *, optional: bool = False) -> sa.Column[int]:
    """An integer column."""
    return sa.Column(name, sa.Integer(), nullable=optional)


def moment(name: str, *, optional: bool = True) -> sa.Column[object]:
    """A date with a time."""
    return sa.Column(name, sa.DateTime(), nullable=optional)


def upgrade() -> None:
    """Every clock is believed, folders are read as before, and photos that are here have no brightness."""
    op.add_column("image", sa.Column("brightness", sa.Integer(), nullable=True))
    op.create_table(
        "clock_correction", number("id"), number("project_id"), number("deployment_id"),
        sa.Column("kind", sa.String(10), nullable=False), sa.Column("parameters", sa.JSON(), nullable=False),
        moment("from_at"), moment("to_at"), sa.Column("reason", sa.String(500), nullable=False),
        number("user_id", optional=True), moment("made_at", optional=False), moment("taken_back_at"),
        number("taken_back_by_id", optional=True), points("clock_correction", "project_id", "project"),
        points("clock_correction", "deployment_id", "deployment"),
        points("clock_correction", "user_id", "user_account", None),
        points("clock_correction", "taken_back_by_id", "user_account", None),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_correction")),
    )  # fmt: skip
    op.create_index(op.f("ix_clock_correction_deployment_id"), "clock_correction", ["deployment_id"])
    op.create_table(
        "clock_finding", number("id"), number("project_id"), number("deployment_id"),
        sa.Column("kind", sa.String(10), nullable=False), sa.Column("mark", sa.String(100), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False), sa.Column("proposal", sa.JSON(), nullable=False),
        moment("found_at", optional=False), moment("dismissed_at"), number("dismissed_by_id", optional=True),
        points("clock_finding", "project_id", "project"), points("clock_finding", "deployment_id", "deployment"),
        points("clock_finding", "dismissed_by_id", "user_account", None),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_finding")),
        sa.UniqueConstraint("deployment_id", "kind", "mark", name=op.f("uq_clock_finding_deployment_id_kind_mark")),
    )  # fmt: skip
    op.create_index(op.f("ix_clock_finding_project_id"), "clock_finding", ["project_id"])
    op.create_table(
        "folder_pattern", number("id"), number("project_id"), sa.Column("pattern", sa.String(200), nullable=False),
        number("user_id", optional=True), moment("made_at", optional=False), moment("taken_back_at"),
        number("taken_back_by_id", optional=True), points("folder_pattern", "project_id", "project"),
        points("folder_pattern", "user_id", "user_account", None),
        points("folder_pattern", "taken_back_by_id", "user_account", None),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_folder_pattern")),
    )  # fmt: skip
    op.create_index(op.f("ix_folder_pattern_project_id"), "folder_pattern", ["project_id"])


def downgrade() -> None:
    """Back; corrections are lost, and the times stay as they were corrected."""
    for table in ("folder_pattern", "clock_finding", "clock_correction"):
        op.drop_table(table)
    op.drop_column("image", "brightness")
