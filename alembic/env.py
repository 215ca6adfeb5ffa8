from alembic_ext.env import run_migrations

run_migrations("shop_models:Base")
