"""merge coupons and catalogue

Revision ID: a83c5e1f7b24
Revises: e2a94b61c7f8, 7d60b2ea9c13
Create Date: 2026-02-09 08:58:00

"""

revision = "a83c5e1f7b24"
down_revision = ("e2a94b61c7f8", "7d60b2ea9c13")
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
