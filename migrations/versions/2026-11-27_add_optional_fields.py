"""Add what may be said of an animal beside its name, and the order in which the newest crops of a species are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Plain columns only: SQLite takes these without making the table anew, which would delete what points at it.
COLUMNS = (
    ("label", "sex", sa.String(length=10), ""),
    ("label", "life_stage", sa.String(length=10), ""),
    ("label", "behaviour", sa.String(length=60), ""),
    ("project", "asks_sex", sa.Boolean(), sa.false()),
    ("project", "asks_life_stage", sa.Boolean(), sa.false()),
    ("project", "behaviours", sa.Text(), ""),
)
SETTLED = ["project_id", "settled_species_id"]


def upgrade() -> None:
    """Nothing was said of any of them, and no project asks."""
    for table, name, kind, empty in COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=False, server_default=empty))
    op.drop_index("ix_box_project_settled", "box")
    op.create_index("ix_box_project_settled", "box", [*SETTLED, "settled_label_id"])


def downgrade() -> None:
    """Back; what was said of sex, life stage and behaviour is lost."""
    op.drop_index("ix_box_project_settled", "box")
    op.create_index("ix_box_project_settled", "box", SETTLED)
    for table, name, _kind, _empty in reversed(COLUMNS):
        op.drop_column(table, name)
