"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("holder", sa.String(length=128), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("until_unix_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "stamps",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_stamps")),
    )
    op.create_table(
        "workspaces",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("created_unix_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_workspaces")),
    )
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("workspace", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_unix_s", sa.Double(), nullable=False),
        sa.Column("expires_unix_s", sa.Double(), nullable=True),
        sa.Column("revoked_unix_s", sa.Double(), nullable=True),
        sa.Column("last_used_unix_s", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["workspace"], ["workspaces.name"], name=op.f("fk_api_keys_workspace")),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_keys_digest")),
    )
    op.create_index(op.f("ix_api_keys_version"), "api_keys", ["version"], unique=False)

    op.create_table(
        "endpoints",
        sa.Column("endpoint_id", sa.String(length=32), nullable=False),
        sa.Column("workspace", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("subdomain", sa.String(length=63), nullable=False),
        sa.Column("machine_type", sa.String(length=64), nullable=False),
        sa.Column("creator_email", sa.String(length=320), nullable=False),
        sa.Column("inference_version", sa.String(length=64), nullable=False),
        sa.Column("min_replicas", sa.Integer(), nullable=False),
        sa.Column("max_replicas", sa.Integer(), nullable=False),
        sa.Column("duration_h", sa.Double(), nullable=False),
        sa.Column("delete_on_expiration", sa.Boolean(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("desired", sa.String(length=16), nullable=False),
        sa.Column("actual", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("num_replicas", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("observed_generation", sa.Integer(), nullable=False),
        sa.Column("created_unix_s", sa.Double(), nullable=False),
        sa.Column("changed_unix_s", sa.Double(), nullable=False),
        sa.Column("expires_unix_s", sa.Double(), nullable=True),
        sa.Column("deleted_unix_s", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["workspace"], ["workspaces.name"], name=op.f("fk_endpoints_workspace")),
        sa.PrimaryKeyConstraint("endpoint_id", name=op.f("pk_endpoints")),
    )
    op.create_index(
        "uq_endpoints_live_name",
        "endpoints",
        ["workspace", "name"],
        unique=True,
        sqlite_where=sa.text("deleted_unix_s IS NULL"),
        postgresql_where=sa.text("deleted_unix_s IS NULL"),
    )
    op.create_index(
        "uq_endpoints_live_subdomain",
        "endpoints",
        ["subdomain"],
        unique=True,
        sqlite_where=sa.text("deleted_unix_s IS NULL"),
        postgresql_where=sa.text("deleted_unix_s IS NULL"),
    )

    op.create_table(
        "workflow_versions",
        sa.Column("version_id", sa.String(length=32), nullable=False),
        sa.Column("workspace", sa.String(length=64), nullable=False),
        sa.Column("workflow", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_unix_s", sa.Double(), nullable=False),
        sa.Column("deleted_unix_s", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["workspace"], ["workspaces.name"], name=op.f("fk_workflow_versions_workspace")),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_workflow_versions")),
        sa.UniqueConstraint(
            "workspace", "workflow", "version", name=op.f("uq_workflow_versions_workspace_workflow_version")
        ),
    )
    op.create_table(
        "endpoint_events",
        sa.Column("event_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("endpoint_id", sa.String(length=32), nullable=False),
        sa.Column("at_unix_s", sa.Double(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["endpoints.endpoint_id"], name=op.f("fk_endpoint_events_endpoint_id")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_endpoint_events")),
    )
    op.create_index(
        op.f("ix_endpoint_events_endpoint_id_at_unix_s"), "endpoint_events", ["endpoint_id", "at_unix_s"], unique=False
    )

    op.create_table(
        "usage_intervals",
        sa.Column("interval_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("endpoint_id", sa.String(length=32), nullable=False),
        sa.Column("replica", sa.String(length=128), nullable=False),
        sa.Column("began_unix_s", sa.Double(), nullable=False),
        sa.Column("seen_unix_s", sa.Double(), nullable=False),
        sa.Column("ended_unix_s", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["endpoints.endpoint_id"], name=op.f("fk_usage_intervals_endpoint_id")
        ),
        sa.PrimaryKeyConstraint("interval_id", name=op.f("pk_usage_intervals")),
    )
    op.create_index(
        op.f("ix_usage_intervals_endpoint_id_began_unix_s"),
        "usage_intervals",
        ["endpoint_id", "began_unix_s"],
        unique=False,
    )
    op.create_index(
        "uq_usage_intervals_open",
        "usage_intervals",
        ["endpoint_id", "replica"],
        unique=True,
        sqlite_where=sa.text("ended_unix_s IS NULL"),
        postgresql_where=sa.text("ended_unix_s IS NULL"),
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_table("usage_intervals")
    op.drop_table("endpoint_events")
    op.drop_table("workflow_versions")
    op.drop_table("endpoints")
    op.drop_table("api_keys")
    op.drop_table("workspaces")
    op.drop_table("stamps")
    op.drop_table("leases")
