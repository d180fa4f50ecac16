"""Add privacy: who opened a photo with people, what a project hides from whom, and what each person set for the eyes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

POINTS = (("project", "CASCADE"), ("image", "CASCADE"), ("user_account", None))
# Plain columns only: SQLite takes these without making the table anew, which would delete what points at it.
COLUMNS = (
    ("project", "opened_by", sa.String(length=10), "expert"),
    ("project", "hides_unseen", sa.Boolean(), sa.false()),
    ("user_account", "letters", sa.Boolean(), sa.true()),
    ("user_account", "bright", sa.Integer(), "0"),
    ("user_account", "contrast", sa.Integer(), "0"),
)


def upgrade() -> None:
    """Nobody opened anything yet; experts and administrators may."""
    op.create_table(
        "opening",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(), nullable=False),
        sa.Column("ends_at", sa.DateTime(), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_opening_{column}_{table}"), ondelete=on_delete
            )
            for (table, on_delete), column in zip(POINTS, ("project_id", "image_id", "user_id"), strict=True)
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening")),
    )
    op.create_index("ix_opening_user_image", "opening", ["user_id", "image_id"])
    for table, name, kind, default in COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=False, server_default=default))


def downgrade() -> None:
    """Back; who opened what is left in the history alone."""
    for table, name, _kind, _default in reversed(COLUMNS):
        op.drop_column(table, name)
    op.drop_table("opening")
