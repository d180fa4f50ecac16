"""Add the loss of fine-tunes: what a project wishes, and what each one took."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Plain columns only: SQLite takes these without making the table anew, which would delete what points at it.
COLUMNS = (("project", "fine_tune_loss"), ("fine_tune", "loss"))


def upgrade() -> None:
    """All fine-tunes so far were taught by triplets."""
    for table, name in COLUMNS:
        op.add_column(table, sa.Column(name, sa.String(length=20), nullable=False, server_default="triplet"))


def downgrade() -> None:
    """Back; which loss a project wished is lost."""
    for table, name in reversed(COLUMNS):
        op.drop_column(table, name)
