"""Add estimates: which picks were drawn by chance, what was said about the rest, and the goal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Plain columns only: SQLite takes these without making the table anew, which would delete what points at it.
COLUMNS = (
    ("project", "target", sa.Double(), "0.95"),
    ("project", "label_budget", sa.Integer(), "5000"),
    ("round", "drawn", sa.Integer(), "0"),
    ("round", "drawn_of", sa.Integer(), "0"),
    ("round", "drawn_up_to", sa.Integer(), "0"),
    ("round", "drawn_above", sa.Double(), "0"),
    ("pick", "chance", sa.Double(), None),
    ("pick", "passed_in", sa.Integer(), None),
)


def upgrade() -> None:
    """Add columns, then the table. Rounds of before drew nothing."""
    for table, name, kind, of_old_rows in COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=of_old_rows is None, server_default=of_old_rows))
    op.create_table(
        "estimate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("round_number", sa.Integer(), nullable=False),
        sa.Column("look", sa.Integer(), nullable=False),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.Column("classifier_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("labels", sa.Integer(), nullable=False),
        sa.Column("audited", sa.Integer(), nullable=False),
        sa.Column("rest", sa.Integer(), nullable=False),
        sa.Column("estimate", sa.Double(), nullable=True),
        sa.Column("low", sa.Double(), nullable=False),
        sa.Column("high", sa.Double(), nullable=False),
        sa.Column("always_low", sa.Double(), nullable=False),
        sa.Column("always_high", sa.Double(), nullable=False),
        sa.Column("by_guess", sa.JSON(), nullable=False),
        sa.Column("by_answer", sa.JSON(), nullable=False),
        sa.Column("kappa", sa.Double(), nullable=True),
        sa.Column("kappa_of_three", sa.Double(), nullable=True),
        sa.Column("target", sa.Double(), nullable=False),
        sa.Column("more", sa.Double(), nullable=True),
        sa.Column("more_low", sa.Double(), nullable=True),
        sa.Column("more_high", sa.Double(), nullable=True),
        sa.Column("stop_set", sa.JSON(), nullable=False),
        sa.Column("charts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_estimate_project_id_project"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["classifier_id"], ["checkpoint.id"], name=op.f("fk_estimate_classifier_id_checkpoint")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_estimate")),
        sa.UniqueConstraint("project_id", "round_number", name=op.f("uq_estimate_project_id_round_number")),
    )


def downgrade() -> None:
    """Back; what was drawn and what it said are lost."""
    op.drop_table("estimate")
    for table, name, *_rest in reversed(COLUMNS):
        op.drop_column(table, name)
