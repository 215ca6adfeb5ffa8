"""rename title of products to name

Revision ID: 51f8c3d9a40e
Revises: 9b27e5f03d6a
Create Date: 2026-02-04 16:25:10

"""

import sqlalchemy as sa
from alembic import op

revision = "51f8c3d9a40e"
down_revision = "9b27e5f03d6a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("products") as products:
        products.alter_column(
            "title", new_column_name="name", existing_type=sa.String(200), existing_nullable=False
        )


def downgrade() -> None:
    with op.batch_alter_table("products") as products:
        products.alter_column(
            "name", new_column_name="title", existing_type=sa.String(200), existing_nullable=False
        )
