"""Add what an estimate's interval rests on: how exact its sample is, and how many crops no draw has reached."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Plain columns only: SQLite takes these without making the table anew, which would delete what points at it.
COLUMNS = ("effective", "unreached")


def upgrade() -> None:
    """What was found before took every audited crop for as good as any other, and spoke of no crop that came later."""
    for name in COLUMNS:
        op.add_column("estimate", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE estimate SET effective = audited")


def downgrade() -> None:
    """Back."""
    for name in reversed(COLUMNS):
        op.drop_column("estimate", name)
