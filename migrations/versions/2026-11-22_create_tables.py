"""Create every table of the first version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Tables that point at each other: SQLite takes these keys inside CREATE TABLE, PostgreSQL only once both tables stand.
LATE_KEYS = (
    ("project", "classifier_id", "checkpoint"),
    ("project", "detector_id", "checkpoint"),
    ("project", "embedder_id", "checkpoint"),
    ("box", "settled_label_id", "label"),
)


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "project",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("detector", sa.String(length=300), nullable=False),
        sa.Column("embedder", sa.String(length=300), nullable=False),
        sa.Column("classify_above", sa.Double(), nullable=False),
        sa.Column("count_above", sa.Double(), nullable=False),
        sa.Column("strategy", sa.String(length=40), nullable=False),
        sa.Column("first_round", sa.Integer(), nullable=False),
        sa.Column("round_size", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("sequence_gap_s", sa.Integer(), nullable=False),
        sa.Column("event_gap_minutes", sa.Integer(), nullable=False),
        sa.Column("detector_id", sa.Integer(), nullable=True),
        sa.Column("embedder_id", sa.Integer(), nullable=True),
        sa.Column("classifier_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["classifier_id"], ["checkpoint.id"], name=op.f("fk_project_classifier_id_checkpoint"), use_alter=True
        ),
        sa.ForeignKeyConstraint(
            ["detector_id"], ["checkpoint.id"], name=op.f("fk_project_detector_id_checkpoint"), use_alter=True
        ),
        sa.ForeignKeyConstraint(
            ["embedder_id"], ["checkpoint.id"], name=op.f("fk_project_embedder_id_checkpoint"), use_alter=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project")),
        sa.UniqueConstraint("name", name=op.f("uq_project_name")),
    )
    op.create_table(
        "user_account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.String(length=300), nullable=True),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("theme", sa.String(length=10), nullable=False),
        sa.Column("disabled_at", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("email", name=op.f("uq_user_account_email")),
    )
    op.create_table(
        "worker_beat",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("device", sa.String(length=200), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("beat_at", sa.DateTime(), nullable=False),
        sa.Column("worked_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worker_beat")),
    )
    op.create_table(
        "act",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("taken_back", sa.Boolean(), nullable=False),
        sa.Column("takes_back_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_act_project_id_project")),
        sa.ForeignKeyConstraint(["takes_back_id"], ["act.id"], name=op.f("fk_act_takes_back_id_act")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_act_user_id_user_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_act")),
        sa.UniqueConstraint("user_id", "key", name=op.f("uq_act_user_id_key")),
    )
    with op.batch_alter_table("act", schema=None) as batch_op:
        batch_op.create_index("ix_act_project_user", ["project_id", "user_id", "id"], unique=False)

    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_audit_entry_project_id_project")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_audit_entry_user_id_user_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_entry_project_id"), ["project_id"], unique=False)

    op.create_table(
        "batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("boxes_file", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["user_account.id"], name=op.f("fk_batch_by_id_user_account")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_batch_project_id_project"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
    )
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_batch_project_id"), ["project_id"], unique=False)

    op.create_table(
        "deployment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_deployment_project_id_project"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployment")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_deployment_project_id_name")),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=True),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("line", sa.String(length=300), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("rate_per_s", sa.Double(), nullable=True),
        sa.Column("error", sa.String(length=1000), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("worker", sa.String(length=100), nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_job_project_id_project"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("key", name=op.f("uq_job_key")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index("ix_job_project", ["project_id", "asked_at"], unique=False)
        batch_op.create_index("ix_job_state", ["state", "asked_at"], unique=False)

    op.create_table(
        "membership",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("joined_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_membership_project_id_project"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_membership_user_id_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
        sa.UniqueConstraint("project_id", "user_id", name=op.f("uq_membership_project_id_user_id")),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_membership_user_id"), ["user_id"], unique=False)

    op.create_table(
        "one_time_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("used_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["user_account.id"], name=op.f("fk_one_time_link_made_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_one_time_link_user_id_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_link")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_one_time_link_token_sha256")),
    )
    with op.batch_alter_table("one_time_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_one_time_link_user_id"), ["user_id"], unique=False)

    op.create_table(
        "species",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("scientific_name", sa.String(length=200), nullable=False),
        sa.Column("rank", sa.String(length=20), nullable=False),
        sa.Column("hotkey", sa.String(length=1), nullable=True),
        sa.Column("retired_at", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_species_project_id_project"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_species")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_species_project_id_name")),
    )
    with op.batch_alter_table("species", schema=None) as batch_op:
        batch_op.create_index("uq_species_hotkey", ["project_id", "hotkey"], unique=True)

    op.create_table(
        "user_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_user_session_user_id_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_session")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_user_session_token_sha256")),
    )
    with op.batch_alter_table("user_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_user_session_user_id"), ["user_id"], unique=False)

    op.create_table(
        "checkpoint",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("file", sa.String(length=300), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("job_id", sa.String(length=36), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("card", sa.JSON(), nullable=False),
        sa.Column("label_count", sa.Integer(), nullable=True),
        sa.Column("labels_sha256", sa.String(length=64), nullable=True),
        sa.Column("label_max_id", sa.Integer(), nullable=True),
        sa.Column("classes", sa.JSON(), nullable=False),
        sa.Column("predictions", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_checkpoint_job_id_job")),
        sa.ForeignKeyConstraint(["parent_id"], ["checkpoint.id"], name=op.f("fk_checkpoint_parent_id_checkpoint")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_checkpoint_project_id_project"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkpoint")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("checkpoint", schema=None) as batch_op:
        batch_op.create_index("ix_checkpoint_project_kind", ["project_id", "kind", "id"], unique=False)

    op.create_table(
        "job_shard",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("step", sa.String(length=60), nullable=False),
        sa.Column("worker", sa.String(length=100), nullable=False),
        sa.Column("done_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_shard_job_id_job"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_shard")),
        sa.UniqueConstraint("job_id", "step", name=op.f("uq_job_shard_job_id_step")),
    )
    op.create_table(
        "sequence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(), nullable=True),
        sa.Column("last_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["deployment_id"], ["deployment.id"], name=op.f("fk_sequence_deployment_id_deployment"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sequence")),
    )
    with op.batch_alter_table("sequence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sequence_deployment_id"), ["deployment_id"], unique=False)

    op.create_table(
        "synonym",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("species_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_synonym_project_id_project"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["species_id"], ["species.id"], name=op.f("fk_synonym_species_id_species"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_synonym")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_synonym_project_id_name")),
    )
    with op.batch_alter_table("synonym", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_synonym_species_id"), ["species_id"], unique=False)

    op.create_table(
        "image",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("sequence_id", sa.Integer(), nullable=True),
        sa.Column("path", sa.String(length=1024), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=True),
        sa.Column("shard", sa.Integer(), nullable=True),
        sa.Column("width_px", sa.Integer(), nullable=True),
        sa.Column("height_px", sa.Integer(), nullable=True),
        sa.Column("captured_at", sa.DateTime(), nullable=True),
        sa.Column("sub_second", sa.String(length=10), nullable=True),
        sa.Column("make", sa.String(length=200), nullable=True),
        sa.Column("camera_model", sa.String(length=200), nullable=True),
        sa.Column("serial", sa.String(length=200), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("detector_id", sa.Integer(), nullable=True),
        sa.Column("processed_at", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_image_batch_id_batch")),
        sa.ForeignKeyConstraint(["deployment_id"], ["deployment.id"], name=op.f("fk_image_deployment_id_deployment")),
        sa.ForeignKeyConstraint(["detector_id"], ["checkpoint.id"], name=op.f("fk_image_detector_id_checkpoint")),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_image_job_id_job")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_image_project_id_project"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["sequence_id"], ["sequence.id"], name=op.f("fk_image_sequence_id_sequence")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_image")),
        sa.UniqueConstraint("project_id", "sha256", name=op.f("uq_image_project_id_sha256")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("image", schema=None) as batch_op:
        batch_op.create_index("ix_image_batch_state", ["batch_id", "state"], unique=False)
        batch_op.create_index("ix_image_deployment_time", ["deployment_id", "captured_at"], unique=False)
        batch_op.create_index("ix_image_job_shard", ["job_id", "shard"], unique=False)
        batch_op.create_index("ix_image_project_state", ["project_id", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_image_sequence_id"), ["sequence_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_image_sha256"), ["sha256"], unique=False)

    op.create_table(
        "round",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("strategy", sa.String(length=40), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("embedder_id", sa.Integer(), nullable=True),
        sa.Column("classifier_id", sa.Integer(), nullable=True),
        sa.Column("job_id", sa.String(length=36), nullable=True),
        sa.Column("chosen_at", sa.DateTime(), nullable=False),
        sa.Column("opened_at", sa.DateTime(), nullable=True),
        sa.Column("full_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["classifier_id"], ["checkpoint.id"], name=op.f("fk_round_classifier_id_checkpoint")),
        sa.ForeignKeyConstraint(["embedder_id"], ["checkpoint.id"], name=op.f("fk_round_embedder_id_checkpoint")),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_round_job_id_job")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_round_project_id_project"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round")),
        sa.UniqueConstraint("project_id", "number", name=op.f("uq_round_project_id_number")),
    )
    with op.batch_alter_table("round", schema=None) as batch_op:
        batch_op.create_index("ix_round_project_state", ["project_id", "state"], unique=False)

    op.create_table(
        "batch_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(length=1024), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batch.id"], name=op.f("fk_batch_file_batch_id_batch"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name=op.f("fk_batch_file_image_id_image")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch_file")),
        sa.UniqueConstraint("batch_id", "path", name=op.f("uq_batch_file_batch_id_path")),
    )
    with op.batch_alter_table("batch_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_batch_file_image_id"), ["image_id"], unique=False)
        batch_op.create_index("ix_batch_file_state", ["batch_id", "state"], unique=False)

    op.create_table(
        "box",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("x_min", sa.Double(), nullable=False),
        sa.Column("y_min", sa.Double(), nullable=False),
        sa.Column("x_max", sa.Double(), nullable=False),
        sa.Column("y_max", sa.Double(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("detector_id", sa.Integer(), nullable=True),
        sa.Column("embedder_id", sa.Integer(), nullable=True),
        sa.Column("vector_file", sa.String(length=120), nullable=True),
        sa.Column("vector_row", sa.Integer(), nullable=True),
        sa.Column("guess_species_id", sa.Integer(), nullable=True),
        sa.Column("guess_p", sa.Double(), nullable=True),
        sa.Column("guess_classifier_id", sa.Integer(), nullable=True),
        sa.Column("settled_species_id", sa.Integer(), nullable=True),
        sa.Column("settled_label_id", sa.Integer(), nullable=True),
        sa.Column("settled_at", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["detector_id"], ["checkpoint.id"], name=op.f("fk_box_detector_id_checkpoint")),
        sa.ForeignKeyConstraint(["embedder_id"], ["checkpoint.id"], name=op.f("fk_box_embedder_id_checkpoint")),
        sa.ForeignKeyConstraint(
            ["guess_classifier_id"], ["checkpoint.id"], name=op.f("fk_box_guess_classifier_id_checkpoint")
        ),
        sa.ForeignKeyConstraint(["guess_species_id"], ["species.id"], name=op.f("fk_box_guess_species_id_species")),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name=op.f("fk_box_image_id_image"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_box_project_id_project"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["settled_label_id"], ["label.id"], name=op.f("fk_box_settled_label_id_label"), use_alter=True
        ),
        sa.ForeignKeyConstraint(["settled_species_id"], ["species.id"], name=op.f("fk_box_settled_species_id_species")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_box")),
        sa.UniqueConstraint("image_id", "ordinal", name=op.f("uq_box_image_id_ordinal")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("box", schema=None) as batch_op:
        batch_op.create_index("ix_box_project_embedder", ["project_id", "embedder_id"], unique=False)
        batch_op.create_index("ix_box_project_guess", ["project_id", "guess_species_id"], unique=False)
        batch_op.create_index("ix_box_project_score", ["project_id", "score"], unique=False)
        batch_op.create_index("ix_box_project_settled", ["project_id", "settled_species_id"], unique=False)

    op.create_table(
        "count_correction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("species_id", sa.Integer(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("act_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["act_id"], ["act.id"], name=op.f("fk_count_correction_act_id_act")),
        sa.ForeignKeyConstraint(
            ["image_id"], ["image.id"], name=op.f("fk_count_correction_image_id_image"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["species_id"], ["species.id"], name=op.f("fk_count_correction_species_id_species")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_count_correction_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_count_correction")),
    )
    with op.batch_alter_table("count_correction", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_count_correction_image_id"), ["image_id"], unique=False)

    op.create_table(
        "label",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("box_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("act_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("species_id", sa.Integer(), nullable=True),
        sa.Column("certain", sa.Boolean(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=True),
        sa.Column("takes_back_id", sa.Integer(), nullable=True),
        sa.Column("guess", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["act_id"], ["act.id"], name=op.f("fk_label_act_id_act")),
        sa.ForeignKeyConstraint(["box_id"], ["box.id"], name=op.f("fk_label_box_id_box")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_label_project_id_project"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_label_round_id_round")),
        sa.ForeignKeyConstraint(["species_id"], ["species.id"], name=op.f("fk_label_species_id_species")),
        sa.ForeignKeyConstraint(["takes_back_id"], ["label.id"], name=op.f("fk_label_takes_back_id_label")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_label_user_id_user_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("label", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_label_act_id"), ["act_id"], unique=False)
        batch_op.create_index("ix_label_box", ["box_id", "id"], unique=False)
        batch_op.create_index("ix_label_project", ["project_id", "id"], unique=False)
        batch_op.create_index("ix_label_user_project", ["user_id", "project_id", "id"], unique=False)

    op.create_table(
        "pick",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("box_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("skips", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["box_id"], ["box.id"], name=op.f("fk_pick_box_id_box")),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_pick_round_id_round"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pick")),
        sa.UniqueConstraint("round_id", "box_id", name=op.f("uq_pick_round_id_box_id")),
    )
    with op.batch_alter_table("pick", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pick_box_id"), ["box_id"], unique=False)
        batch_op.create_index("ix_pick_order", ["round_id", "state", "position"], unique=False)

    op.create_table(
        "lease",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pick_id", sa.Integer(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["pick_id"], ["pick.id"], name=op.f("fk_lease_pick_id_pick"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_lease_user_id_user_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lease")),
        sa.UniqueConstraint("pick_id", "slot", name=op.f("uq_lease_pick_id_slot")),
    )
    with op.batch_alter_table("lease", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lease_user_id"), ["user_id"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        for table, column, target in LATE_KEYS:
            op.create_foreign_key(f"fk_{table}_{column}_{target}", table, target, [column], ["id"])


def downgrade() -> None:
    """Drop every table."""
    if op.get_bind().dialect.name == "postgresql":
        for table, column, target in LATE_KEYS:
            op.drop_constraint(f"fk_{table}_{column}_{target}", table, type_="foreignkey")
    with op.batch_alter_table("lease", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lease_user_id"))

    op.drop_table("lease")
    with op.batch_alter_table("pick", schema=None) as batch_op:
        batch_op.drop_index("ix_pick_order")
        batch_op.drop_index(batch_op.f("ix_pick_box_id"))

    op.drop_table("pick")
    with op.batch_alter_table("label", schema=None) as batch_op:
        batch_op.drop_index("ix_label_user_project")
        batch_op.drop_index("ix_label_project")
        batch_op.drop_index("ix_label_box")
        batch_op.drop_index(batch_op.f("ix_label_act_id"))

    op.drop_table("label")
    with op.batch_alter_table("count_correction", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_count_correction_image_id"))

    op.drop_table("count_correction")
    with op.batch_alter_table("box", schema=None) as batch_op:
        batch_op.drop_index("ix_box_project_settled")
        batch_op.drop_index("ix_box_project_score")
        batch_op.drop_index("ix_box_project_guess")
        batch_op.drop_index("ix_box_project_embedder")

    op.drop_table("box")
    with op.batch_alter_table("batch_file", schema=None) as batch_op:
        batch_op.drop_index("ix_batch_file_state")
        batch_op.drop_index(batch_op.f("ix_batch_file_image_id"))

    op.drop_table("batch_file")
    with op.batch_alter_table("round", schema=None) as batch_op:
        batch_op.drop_index("ix_round_project_state")

    op.drop_table("round")
    with op.batch_alter_table("image", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_image_sha256"))
        batch_op.drop_index(batch_op.f("ix_image_sequence_id"))
        batch_op.drop_index("ix_image_project_state")
        batch_op.drop_index("ix_image_job_shard")
        batch_op.drop_index("ix_image_deployment_time")
        batch_op.drop_index("ix_image_batch_state")

    op.drop_table("image")
    with op.batch_alter_table("synonym", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_synonym_species_id"))

    op.drop_table("synonym")
    with op.batch_alter_table("sequence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sequence_deployment_id"))

    op.drop_table("sequence")
    op.drop_table("job_shard")
    with op.batch_alter_table("checkpoint", schema=None) as batch_op:
        batch_op.drop_index("ix_checkpoint_project_kind")

    op.drop_table("checkpoint")
    with op.batch_alter_table("user_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_session_user_id"))

    op.drop_table("user_session")
    with op.batch_alter_table("species", schema=None) as batch_op:
        batch_op.drop_index("uq_species_hotkey")

    op.drop_table("species")
    with op.batch_alter_table("one_time_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_one_time_link_user_id"))

    op.drop_table("one_time_link")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_membership_user_id"))

    op.drop_table("membership")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index("ix_job_state")
        batch_op.drop_index("ix_job_project")

    op.drop_table("job")
    op.drop_table("deployment")
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_batch_project_id"))

    op.drop_table("batch")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_entry_project_id"))

    op.drop_table("audit_entry")
    with op.batch_alter_table("act", schema=None) as batch_op:
        batch_op.drop_index("ix_act_project_user")

    op.drop_table("act")
    op.drop_table("worker_beat")
    op.drop_table("user_account")
    op.drop_table("project")
