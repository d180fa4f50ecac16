"""Add imports: foreign files, their rows with verdicts, and names that they say and no label says."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0015"
branch_labels = None
depends_on = None


def points(table: str, column: str, at: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    """A foreign key with the name that the program expects."""
    return sa.ForeignKeyConstraint([column], [f"{at}.id"], name=op.f(f"fk_{table}_{column}_{at}"), ondelete=ondelete)


def text(name: str, length: int) -> sa.Column[str]:
    """Words that are never missing."""
    return sa.Column(name, sa.String(length), nullable=False)


def number(name: str, *, optional: bool = False) -> sa.Column[int]:
    """An integer column."""
    return sa.Column(name, sa.Integer(), nullable=optional)


def structure(name: str) -> sa.Column[object]:
    """JSON that is never missing."""
    return sa.Column(name, sa.JSON(), nullable=False)


def upgrade() -> None:
    """Three tables."""
    op.create_table(
        "import", number("id"), number("project_id"), text("format", 30), text("name", 255), structure("files"),
        text("sha256", 64), number("by_id"), text("state", 10), structure("options"), structure("source"), structure("counts"),
        text("error", 1000), sa.Column("job_id", sa.String(36)), number("act_id", optional=True),
        number("batch_id", optional=True), sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("taken_at", sa.DateTime()), points("import", "project_id", "project", "CASCADE"),
        points("import", "by_id", "user_account"), points("import", "job_id", "job"), points("import", "act_id", "act"),
        points("import", "batch_id", "batch"), sa.PrimaryKeyConstraint("id", name=op.f("pk_import")), sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_index("ix_import_project", "import", ["project_id", "id"])
    op.create_table(
        "import_row", number("id"), number("import_id"), number("number"), text("place", 120), text("kind", 12),
        text("photo", 1024), structure("record"), text("verdict", 8), text("field", 120), text("reason", 300),
        number("image_id", optional=True), sa.Column("is_taken", sa.Boolean(), nullable=False), structure("taken"),
        points("import_row", "import_id", "import", "CASCADE"), sa.PrimaryKeyConstraint("id", name=op.f("pk_import_row")),
        sa.UniqueConstraint("import_id", "number", name=op.f("uq_import_row_import_id_number")),
    )  # fmt: skip
    op.create_index("ix_import_row_verdict", "import_row", ["import_id", "verdict", "number"])
    op.create_index("ix_import_row_photo", "import_row", ["import_id", "photo", "number"])
    op.create_table(
        "imported_name", number("id"), number("project_id"), number("import_id"), number("image_id"),
        number("box_id", optional=True), number("rank"), text("name", 200), number("species_id", optional=True),
        sa.Column("p", sa.Double()), number("count", optional=True), sa.Column("by_machine", sa.Boolean(), nullable=False),
        number("checkpoint_id", optional=True), text("who", 200), text("reason", 300),
        points("imported_name", "project_id", "project", "CASCADE"), points("imported_name", "import_id", "import", "CASCADE"),
        points("imported_name", "image_id", "image", "CASCADE"), points("imported_name", "box_id", "box", "CASCADE"),
        points("imported_name", "species_id", "species"), points("imported_name", "checkpoint_id", "checkpoint"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imported_name")),
    )  # fmt: skip
    for column in ("image", "box", "import"):
        op.create_index(f"ix_imported_name_{column}", "imported_name", [f"{column}_id"])


def downgrade() -> None:
    """Back; what imports brought stays, where it came from is lost."""
    for table in ("imported_name", "import_row", "import"):
        op.drop_table(table)
