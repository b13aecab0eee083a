"""Answers of models that were paid for, and what servers charge less for."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "model_answer",
        sa.Column("question", sa.Text, primary_key=True),
        sa.Column("at", sa.Double, nullable=False, index=True),
        sa.Column("response", sa.LargeBinary, nullable=False),
    )
    op.add_column("model_request", sa.Column("cached_tokens", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("model_request", sa.Column("cached_input_per_million", sa.Text))
