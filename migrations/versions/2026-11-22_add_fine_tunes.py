"""Add fine-tunes: their rows and wishes, vectors of later embedders, jobs that pause, checkpoints whose files went."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Plain columns only: SQLite takes these without making the table anew, which would delete what points at it.
COLUMNS = (
    ("project", "fine_tune_every", sa.Integer(), "2000"),
    ("project", "previous_embedder_id", sa.Integer(), None),
    ("job", "unit", sa.String(length=10), "photos"),
    ("job", "pause_requested", sa.Boolean(), sa.false()),
    ("checkpoint", "removed_at", sa.DateTime(), None),
)


def upgrade() -> None:
    """Add columns, then the table."""
    for table, name, kind, of_old_rows in COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=of_old_rows is None, server_default=of_old_rows))
    op.create_table(
        "fine_tune",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("start_id", sa.Integer(), nullable=False),
        sa.Column("embedder_id", sa.Integer(), nullable=True),
        sa.Column("label_max_id", sa.Integer(), nullable=False),
        sa.Column("label_count", sa.Integer(), nullable=False),
        sa.Column("class_count", sa.Integer(), nullable=False),
        sa.Column("labels_sha256", sa.String(length=64), nullable=False),
        sa.Column("began_at", sa.DateTime(), nullable=False),
        sa.Column("judged_at", sa.DateTime(), nullable=True),
        sa.Column("helped", sa.Boolean(), nullable=True),
        sa.Column("before", sa.Double(), nullable=True),
        sa.Column("after", sa.Double(), nullable=True),
        sa.Column("steps", sa.Integer(), nullable=True),
        sa.Column("words", sa.String(length=1000), nullable=False),
        sa.Column("switched_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_fine_tune_project_id_project"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_fine_tune_job_id_job"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["start_id"], ["checkpoint.id"], name=op.f("fk_fine_tune_start_id_checkpoint")),
        sa.ForeignKeyConstraint(["embedder_id"], ["checkpoint.id"], name=op.f("fk_fine_tune_embedder_id_checkpoint")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fine_tune")),
        sa.UniqueConstraint("job_id", name=op.f("uq_fine_tune_job_id")),
    )
    op.create_index(op.f("ix_fine_tune_project_id"), "fine_tune", ["project_id"])
    op.create_table(
        "vector_part",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("embedder_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_vector_part_project_id_project"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["embedder_id"], ["checkpoint.id"], name=op.f("fk_vector_part_embedder_id_checkpoint")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vector_part")),
    )
    op.create_index("ix_vector_part_project_embedder", "vector_part", ["project_id", "embedder_id"])
    op.create_index("ix_box_vectors", "box", ["project_id", "embedder_id", "vector_row"])
    op.drop_index("ix_box_project_embedder", table_name="box")


def downgrade() -> None:
    """Back; the verdicts are lost."""
    op.create_index("ix_box_project_embedder", "box", ["project_id", "embedder_id"])
    op.drop_index("ix_box_vectors", table_name="box")
    op.drop_table("vector_part")
    op.drop_table("fine_tune")
    for table, name, *_rest in reversed(COLUMNS):
        op.drop_column(table, name)
