"""What one process needs: the position, histories, proposals, signed transactions, the hold, messages to people."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "position", sa.Column("chain", sa.Text, primary_key=True), sa.Column("content", sa.Text, nullable=False)
    )
    op.create_table(
        "history",
        sa.Column("governor", sa.Text, primary_key=True),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "proposal",
        sa.Column("proposal", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in _PROPOSAL_TEXTS),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("tries", "updated_at", "created_block")),
        *(sa.Column(name, sa.Boolean, nullable=False) for name in ("from_history", "present")),
    )
    op.create_table(
        "outbox",
        sa.Column("purpose", sa.Text, primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "hold",
        sa.Column("chain", sa.Text, primary_key=True),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "notify_message",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
    )
    op.create_table(
        "notify_untold", sa.Column("place", sa.Text, primary_key=True), sa.Column("key", sa.Text, primary_key=True)
    )
    op.create_table(
        "notify_place",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("held_by", sa.Text, nullable=False),
        sa.Column("held_until", sa.Double, nullable=False),
        sa.Column("failures", sa.BigInteger, nullable=False),
        sa.Column("try_at", sa.Double, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
    )
    op.create_table(
        "notify_answered",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("proposal", "record_root", "person")),
    )


_PROPOSAL_TEXTS = (
    "content", "stage", "detail", "outcome", "reason", "record_root", "entry_transaction", "vote_transaction", "title",
    "deadline", "workflow",
)  # fmt: skip
