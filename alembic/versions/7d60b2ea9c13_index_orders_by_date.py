"""index orders by date

Revision ID: 7d60b2ea9c13
Revises: 51f8c3d9a40e
Create Date: 2026-02-05 10:33:46

"""

from alembic import op

revision = "7d60b2ea9c13"
down_revision = "51f8c3d9a40e"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_orders_placed_at", "orders", ["placed_at"])


def downgrade() -> None:
    op.drop_index("ix_orders_placed_at", table_name="orders")
