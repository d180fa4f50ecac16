"""Add how sure a rolled-up name must be, the language of common names, and the way to the merged species."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

MERGED = sa.text("merged_into_id IS NOT NULL")


def upgrade() -> None:
    """Names roll up at 0.65, no language stands beside the list's own names, and nothing was merged."""
    op.add_column("project", sa.Column("roll_up_above", sa.Double(), nullable=False, server_default="0.65"))
    op.add_column("project", sa.Column("names_language", sa.String(35), nullable=False, server_default=""))
    op.add_column("species", sa.Column("before_merge", sa.JSON(), nullable=False, server_default="{}"))
    op.create_index(
        "ix_species_merged", "species", ["project_id"], sqlite_where=MERGED, postgresql_where=MERGED
    )  # fmt: skip


def downgrade() -> None:
    """Back; the bar, the language and what undoing a merge gives back are lost."""
    op.drop_index("ix_species_merged", "species")
    op.drop_column("species", "before_merge")
    op.drop_column("project", "names_language")
    op.drop_column("project", "roll_up_above")
