"""add coupons

Revision ID: e2a94b61c7f8
Revises: 9b27e5f03d6a
Create Date: 2026-02-03 11:02:27

"""

import sqlalchemy as sa
from alembic import op

revision = "e2a94b61c7f8"
down_revision = "9b27e5f03d6a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "coupons",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(32), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_coupons"),
        sa.UniqueConstraint("code", name="uq_coupons_code"),
    )
    with op.batch_alter_table("orders") as orders:
        orders.add_column(sa.Column("coupon_id", sa.Integer(), nullable=True))
        orders.create_foreign_key("fk_orders_coupon_id_coupons", "coupons", ["coupon_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("orders") as orders:
        orders.drop_constraint("fk_orders_coupon_id_coupons", type_="foreignkey")
        orders.drop_column("coupon_id")
    op.drop_table("coupons")
