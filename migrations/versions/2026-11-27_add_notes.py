"""Add notes: flags for an expert and comments beside crops."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

POINTS = (("project", "CASCADE"), ("box", None), ("user_account", None), ("act", None))


def upgrade() -> None:
    """A new table."""
    op.create_table(
        "note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("box_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("act_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_note_{column}_{table}"), ondelete=on_delete
            )
            for (table, on_delete), column in zip(POINTS, ("project_id", "box_id", "user_id", "act_id"), strict=True)
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
    )
    op.create_index("ix_note_project_kind", "note", ["project_id", "kind"])
    op.create_index(op.f("ix_note_box_id"), "note", ["box_id"])


def downgrade() -> None:
    """Back; what was noted is lost."""
    op.drop_table("note")
