"""Add what people counted in visits and what makes events follow, static detections, and looks at empty photos."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def points(table: str, column: str, at: str, ondelete: str | None = "CASCADE") -> sa.ForeignKeyConstraint:
    """A foreign key with the name that the program expects."""
    return sa.ForeignKeyConstraint([column], [f"{at}.id"], name=op.f(f"fk_{table}_{column}_{at}"), ondelete=ondelete)


def key(table: str, column: str = "id") -> sa.PrimaryKeyConstraint:
    """A primary key with the name that the program expects."""
    return sa.PrimaryKeyConstraint(column, name=op.f(f"pk_{table}"))


def number(name: str, *, optional: bool = False) -> sa.Column[int]:
    """An integer column."""
    return sa.Column(name, sa.Integer(), nullable=optional)


def share(name: str) -> sa.Column[float]:
    """A corner, as a share of the photo."""
    return sa.Column(name, sa.Double(), nullable=False)


def at(name: str, *, optional: bool = False) -> sa.Column[object]:
    """A moment."""
    return sa.Column(name, sa.DateTime(), nullable=optional)


def upgrade() -> None:
    """Events of projects that are here already are made by the worker when it next looks."""
    op.add_column("event", sa.Column("named", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_event_time", "event", ["project_id", "first_at", "id"])
    op.create_table(
        "event_count", number("id"), number("project_id"), number("deployment_id"), number("species_id"),
        number("first_image_id"), number("count", optional=True), number("unseen"), number("user_id"), number("act_id"),
        at("created_at"), points("event_count", "project_id", "project"), points("event_count", "deployment_id", "deployment"),
        points("event_count", "species_id", "species", None), points("event_count", "user_id", "user_account", None),
        points("event_count", "act_id", "act", None), key("event_count"),
    )  # fmt: skip
    op.create_index(
        "ix_event_count_key", "event_count", ["project_id", "deployment_id", "species_id", "first_image_id"]
    )
    op.create_table(
        "event_mark", number("id"), number("project_id"), number("deployment_id", optional=True),
        number("image_id", optional=True), points("event_mark", "project_id", "project"), key("event_mark"),
    )  # fmt: skip
    op.create_index(op.f("ix_event_mark_project_id"), "event_mark", ["project_id"])
    op.create_table(
        "events_made", number("project_id"), sa.Column("under", sa.String(200), nullable=False), at("made_at"),
        points("events_made", "project_id", "project"), key("events_made", "project_id"),
    )  # fmt: skip
    op.create_table(
        "static_group", number("id"), number("project_id"), number("deployment_id"), share("x_min"), share("y_min"),
        share("x_max"), share("y_max"), number("first_box_id"), sa.Column("verdict", sa.String(12), nullable=False),
        number("act_id", optional=True), at("created_at"), points("static_group", "project_id", "project"),
        points("static_group", "deployment_id", "deployment"), points("static_group", "act_id", "act", None),
        key("static_group"),
    )  # fmt: skip
    op.create_index(op.f("ix_static_group_project_id"), "static_group", ["project_id"])
    op.create_index(op.f("ix_static_group_deployment_id"), "static_group", ["deployment_id"])
    op.create_table(
        "static_hit", number("box_id"), number("group_id"), points("static_hit", "box_id", "box"),
        points("static_hit", "group_id", "static_group"), key("static_hit", "box_id"),
    )  # fmt: skip
    op.create_index(op.f("ix_static_hit_group_id"), "static_hit", ["group_id"])
    op.create_table(
        "empty_sample", number("id"), number("project_id"), number("seed"), number("population"), share("count_above"),
        number("user_id"), at("created_at"), points("empty_sample", "project_id", "project"),
        points("empty_sample", "user_id", "user_account", None), key("empty_sample"),
    )  # fmt: skip
    op.create_index(op.f("ix_empty_sample_project_id"), "empty_sample", ["project_id"])
    op.create_table(
        "empty_draw", number("id"), number("sample_id"), number("position"), number("image_id"),
        points("empty_draw", "sample_id", "empty_sample"), points("empty_draw", "image_id", "image"), key("empty_draw"),
        sa.UniqueConstraint("sample_id", "image_id", name=op.f("uq_empty_draw_sample_id_image_id")),
    )  # fmt: skip
    op.create_table(
        "empty_check", number("id"), number("project_id"), number("image_id"), number("user_id"), number("act_id"),
        sa.Column("verdict", sa.String(8), nullable=False), at("created_at"),
        points("empty_check", "project_id", "project"), points("empty_check", "image_id", "image"),
        points("empty_check", "user_id", "user_account", None), points("empty_check", "act_id", "act", None),
        key("empty_check"),
    )  # fmt: skip
    op.create_index("ix_empty_check_image", "empty_check", ["project_id", "image_id"])
    op.execute(sa.text("INSERT INTO event_mark (project_id) SELECT id FROM project"))


def downgrade() -> None:
    """Back; what people counted in visits and said of empty photos is lost."""
    for table in (
        "empty_check",
        "empty_draw",
        "empty_sample",
        "static_hit",
        "static_group",
        "events_made",
        "event_mark",
        "event_count",
    ):
        op.drop_table(table)
    op.drop_index("ix_event_time", "event")
    op.drop_column("event", "named")
