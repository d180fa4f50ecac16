"""Add deletions: what was marked for deletion, by whom, when its files go, and which photos it took; archived projects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# (table, column, type, value of the rows that are there; None: it may be empty). Plain columns only, as SQLite takes them.
COLUMNS = (
    ("project", "archived_at", sa.DateTime(), None),
    ("project", "deletion_id", sa.Integer(), None),
    ("batch", "deletion_id", sa.Integer(), None),
    ("image", "state_before", sa.String(12), ""),
)

# By which a database finds what points at a row that is deleted; most rows point at nothing.
INDEXES = (
    ("ix_box_settled_label", "box", "settled_label_id"),
    ("ix_label_takes_back", "label", "takes_back_id"),
    ("ix_act_takes_back", "act", "takes_back_id"),
)


def upgrade() -> None:
    """Nothing is archived, nothing is deleted."""
    for name, table, column in INDEXES:
        where = sa.text(f"{column} IS NOT NULL")
        op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)
    for table, name, kind, value in COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=value is None, server_default=value))
    op.create_table(
        "deletion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("target_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(1024), nullable=False),
        sa.Column("by_id", sa.Integer()),
        sa.Column("by_name", sa.String(200), nullable=False),
        sa.Column("photos", sa.Integer(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("marked_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("asked_at", sa.DateTime()),
        sa.Column("taken_back_at", sa.DateTime()),
        sa.Column("done_at", sa.DateTime()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deletion")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deletion_project", "deletion", ["project_id", "kind"])
    op.create_table(
        "deleted_photo",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deletion_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("files_gone", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deletion_id"], ["deletion.id"], name=op.f("fk_deleted_photo_deletion_id_deletion"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deleted_photo")),
    )
    op.create_index("ix_deleted_photo_sha256", "deleted_photo", ["project_id", "sha256"])
    op.create_index("ix_deleted_photo_left", "deleted_photo", ["deletion_id", "files_gone"])


def downgrade() -> None:
    """Back; who deleted what is left in the history alone."""
    for name, table, _column in INDEXES:
        op.drop_index(name, table)
    op.drop_table("deleted_photo")
    op.drop_table("deletion")
    for table, name, _kind, _value in reversed(COLUMNS):
        op.drop_column(table, name)
