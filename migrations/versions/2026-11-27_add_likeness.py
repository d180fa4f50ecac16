"""Add likeness: the place of each crop among those that look alike, and the name of its neighbours."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

POINTS = (
    ("box_id", "box", "CASCADE"),
    ("project_id", "project", "CASCADE"),
    ("embedder_id", "checkpoint", None),
    ("near_species_id", "species", None),
)


def upgrade() -> None:
    """A new table; the next learn job fills it."""
    op.create_table(
        "likeness",
        sa.Column("box_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("embedder_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Double(), nullable=False),
        sa.Column("near_species_id", sa.Integer(), nullable=True),
        sa.Column("near_share", sa.Double(), nullable=True),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_likeness_{column}_{table}"), ondelete=on_delete
            )
            for column, table, on_delete in POINTS
        ),
        sa.PrimaryKeyConstraint("box_id", name=op.f("pk_likeness")),
    )
    op.create_index("ix_likeness_project_place", "likeness", ["project_id", "place"])


def downgrade() -> None:
    """Back; it can be computed again."""
    op.drop_table("likeness")
