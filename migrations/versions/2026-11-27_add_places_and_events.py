"""Add sites, what is known of a deployment, corrected time, events, and the tree that species belong to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

EMPTY, NO = "", sa.false()
# (table, column, type, value of the rows that are there; None: it may be empty). Plain columns only: SQLite takes these without
# making the table anew, which would delete what points at it.
COLUMNS = (
    ("project", "event_rule", sa.String(20), "last_independent"),
    ("project", "cameras_independent", sa.Boolean(), sa.true()),
    ("project", "zone", sa.String(64), "UTC"),
    ("project", "publication", sa.JSON(), "{}"),
    ("deployment", "site_id", sa.Integer(), None),
    ("deployment", "camera", sa.String(100), EMPTY),
    ("deployment", "camera_model", sa.String(200), EMPTY),
    ("deployment", "starts_at", sa.DateTime(), None),
    ("deployment", "ends_at", sa.DateTime(), None),
    ("deployment", "zone", sa.String(64), EMPTY),
    ("deployment", "latitude", sa.Double(), None),
    ("deployment", "longitude", sa.Double(), None),
    ("deployment", "uncertainty_m", sa.Integer(), None),
    ("deployment", "comments", sa.String(2000), EMPTY),
    ("deployment", "details", sa.JSON(), "{}"),
    ("deployment", "version", sa.Integer(), "1"),
    ("image", "taken_at", sa.DateTime(), None),
    ("image", "capture_method", sa.String(20), EMPTY),
    ("image", "setup", sa.String(12), EMPTY),
    ("image", "favorite", sa.Boolean(), NO),
    ("image", "details", sa.JSON(), "{}"),
    ("species", "parent_id", sa.Integer(), None),
    ("species", "merged_into_id", sa.Integer(), None),
    ("species", "sensitivity", sa.String(10), EMPTY),
)
TIMES = "ix_image_deployment_time"


def points(table: str, column: str, at: str, ondelete: str | None = "CASCADE") -> sa.ForeignKeyConstraint:
    """A foreign key with the name that the program expects."""
    return sa.ForeignKeyConstraint([column], [f"{at}.id"], name=op.f(f"fk_{table}_{column}_{at}"), ondelete=ondelete)


def number(name: str, *, optional: bool = False) -> sa.Column[int]:
    """An integer column."""
    return sa.Column(name, sa.Integer(), nullable=optional)


def upgrade() -> None:
    """Every clock is believed, nobody said anything of the deployments, and events follow later."""
    for table, name, kind, value in COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=value is None, server_default=value))
    op.execute(sa.text("UPDATE image SET taken_at = captured_at"))
    op.drop_index(TIMES, "image")
    op.create_index(TIMES, "image", ["deployment_id", "taken_at"])
    op.create_table(
        "site", number("id"), number("project_id"), sa.Column("name", sa.String(255), nullable=False),
        sa.Column("title", sa.String(255), nullable=False), sa.Column("latitude", sa.Double()),
        sa.Column("longitude", sa.Double()), sa.Column("uncertainty_m", sa.Integer()),
        points("site", "project_id", "project"), sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_site_project_id_name")),
    )  # fmt: skip
    op.create_table(
        "problem_period", number("id"), number("deployment_id"), sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("from_at", sa.DateTime(), nullable=False), sa.Column("to_at", sa.DateTime(), nullable=False),
        sa.Column("note", sa.String(300), nullable=False), points("problem_period", "deployment_id", "deployment"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_problem_period")),
    )  # fmt: skip
    op.create_index(op.f("ix_problem_period_deployment_id"), "problem_period", ["deployment_id"])
    op.create_table(
        "event", number("id"), number("project_id"), number("deployment_id"), number("species_id"), number("first_image_id"),
        sa.Column("first_at", sa.DateTime(), nullable=False), sa.Column("last_at", sa.DateTime(), nullable=False),
        number("photos"), number("max_count"), points("event", "project_id", "project"),
        points("event", "deployment_id", "deployment"), points("event", "species_id", "species", None),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )  # fmt: skip
    op.create_index("ix_event_project", "event", ["project_id", "deployment_id", "first_at"])
    op.create_index("ix_event_species", "event", ["project_id", "species_id", "deployment_id", "first_at"])
    op.create_table(
        "common_name", number("id"), number("species_id"), sa.Column("language", sa.String(35), nullable=False),
        sa.Column("name", sa.String(200), nullable=False), points("common_name", "species_id", "species"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_common_name")),
        sa.UniqueConstraint("species_id", "language", "name", name=op.f("uq_common_name_species_id_language_name")),
    )  # fmt: skip
    op.create_table(
        "taxon_id", number("id"), number("species_id"), sa.Column("register", sa.String(40), nullable=False),
        sa.Column("value", sa.String(200), nullable=False), points("taxon_id", "species_id", "species"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_taxon_id")),
        sa.UniqueConstraint("species_id", "register", name=op.f("uq_taxon_id_species_id_register")),
    )  # fmt: skip


def downgrade() -> None:
    """Back; what was said of sites, deployments, clocks and the tree is lost."""
    for table in ("taxon_id", "common_name", "event", "problem_period", "site"):
        op.drop_table(table)
    op.drop_index(TIMES, "image")
    op.create_index(TIMES, "image", ["deployment_id", "captured_at"])
    for table, name, _kind, _value in reversed(COLUMNS):
        op.drop_column(table, name)
