"""Several workers on one database: who they are, who leads, whose turn it is to send; evidence for all of them. And
proposals half as long: their descriptions are text, and no longer hex.
"""

import sqlalchemy as sa
from alembic import op

from pnyx_contracts.types import Proposal
from pnyx_tools.follow import to_kept

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    connection = op.get_bind()
    table = sa.table("proposal", sa.column("proposal"), sa.column("content"))
    for row in connection.execute(table.select()).all():
        kept = to_kept(Proposal.model_validate_json(row.content))
        connection.execute(table.update().where(table.c.proposal == row.proposal).values(content=kept))
    op.create_table("trait", sa.Column("name", sa.Text, primary_key=True), sa.Column("value", sa.Text, nullable=False))
    op.create_table(
        "worker",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("beat_at", sa.Double, nullable=False),
        sa.Column("gone", sa.Boolean, nullable=False),
    )
    op.create_table("lead", sa.Column("duty", sa.Text, primary_key=True), sa.Column("worker", sa.Text, nullable=False))
    op.create_table(
        "turn",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("urgent", sa.Boolean, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("taken", sa.Boolean, nullable=False),
    )
    op.create_table(
        "evidence",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
