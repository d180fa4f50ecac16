"""Add rules for several people: when voices name a crop, crops asked beside the rounds, gold, and who asked for crops last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

WAITS = sa.text("waits_for IS NOT NULL")


def upgrade() -> None:
    """Under the rule `single`, which every project has had, no crop waits for another voice.

    SQLite makes the picks' table anew, and leases point at it: who is at a desk now gets the crops again, under new leases.
    """
    op.add_column("project", sa.Column("consensus", sa.String(length=40), nullable=False, server_default="single"))
    op.add_column("project", sa.Column("gold_one_in", sa.Integer(), nullable=False, server_default="30"))
    op.add_column("membership", sa.Column("asked_at", sa.DateTime(), nullable=True))
    op.add_column("box", sa.Column("waits_for", sa.String(length=8), nullable=True))
    op.create_index(
        "ix_box_waits", "box", ["project_id", "waits_for"], sqlite_where=WAITS, postgresql_where=WAITS
    )  # fmt: skip
    op.execute("DELETE FROM lease")
    with op.batch_alter_table("pick") as pick:
        pick.alter_column("round_id", existing_type=sa.Integer(), nullable=True)
        pick.add_column(sa.Column("user_id", sa.Integer(), nullable=True))
        pick.create_foreign_key(op.f("fk_pick_user_id_user_account"), "user_account", ["user_id"], ["id"])


def downgrade() -> None:
    """Back. What was said beside the rounds stays said; that it was asked there is lost, and crops that wait have no name."""
    op.execute("DELETE FROM lease")
    op.execute("DELETE FROM pick WHERE round_id IS NULL")
    with op.batch_alter_table("pick") as pick:
        pick.drop_constraint(op.f("fk_pick_user_id_user_account"), type_="foreignkey")
        pick.drop_column("user_id")
        pick.alter_column("round_id", existing_type=sa.Integer(), nullable=False)
    op.drop_index("ix_box_waits", "box")
    op.drop_column("box", "waits_for")
    op.drop_column("membership", "asked_at")
    op.drop_column("project", "gold_one_in")
    op.drop_column("project", "consensus")
