"""keep the total of an order

Revision ID: c6f2091d8e57
Revises: a83c5e1f7b24
Create Date: 2026-02-17 14:11:35

"""

import sqlalchemy as sa
from alembic import op

revision = "c6f2091d8e57"
down_revision = "a83c5e1f7b24"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("orders") as batch:
        batch.add_column(sa.Column("total_cents", sa.Integer(), nullable=True))
    orders = sa.table("orders", sa.column("id"), sa.column("total_cents"))
    lines = sa.table("order_lines", sa.column("order_id"), sa.column("quantity"), sa.column("price_cents"))
    total = sa.select(sa.func.coalesce(sa.func.sum(lines.c.quantity * lines.c.price_cents), 0))
    op.execute(
        orders.update().values(total_cents=total.where(lines.c.order_id == orders.c.id).scalar_subquery())
    )
    with op.batch_alter_table("orders") as batch:
        batch.alter_column("total_cents", existing_type=sa.Integer(), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("orders") as orders:
        orders.drop_column("total_cents")
