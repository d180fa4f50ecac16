"""Add what people do to boxes: who moved, added or deleted which, and which row stands in whose place."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

POINTS = (
    ("project_id", "project", "CASCADE"),
    ("box_id", "box", None),
    ("becomes_id", "box", None),
    ("user_id", "user_account", None),
    ("act_id", "act", None),
)
INDEXED = ("project_id", "box_id", "becomes_id", "act_id")


def upgrade() -> None:
    """A new table; plain columns on boxes, since SQLite takes those without making the table anew."""
    op.add_column("box", sa.Column("drawn", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("box", sa.Column("deleted_at", sa.DateTime(), nullable=True))
    op.add_column("box", sa.Column("replaced_by_id", sa.Integer(), nullable=True))
    op.create_table(
        "box_edit",
        sa.Column("id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=name == "becomes_id") for name, _table, _on_delete in POINTS),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [name], [f"{table}.id"], name=op.f(f"fk_box_edit_{name}_{table}"), ondelete=on_delete
            )
            for name, table, on_delete in POINTS
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_box_edit")),
    )
    for name in INDEXED:
        op.create_index(op.f(f"ix_box_edit_{name}"), "box_edit", [name])


def downgrade() -> None:
    """Back; boxes that people drew stay, and so do those that they replaced or deleted, which count again."""
    op.drop_table("box_edit")
    for name in ("replaced_by_id", "deleted_at", "drawn"):
        op.drop_column("box", name)
