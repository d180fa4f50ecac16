"""Add language: which one a person reads; empty is what the browser asks for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody has chosen."""
    op.add_column("user_account", sa.Column("language", sa.String(length=20), nullable=False, server_default=""))


def downgrade() -> None:
    """Back."""
    op.drop_column("user_account", "language")
