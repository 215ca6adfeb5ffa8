"""The shop at the root of the repository: what the README shows must work, on every engine."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.project import DOORS, Project
from tests.servers import run

CHECKOUT = Path(__file__).parent.parent
HEAD = "c6f2091d8e57"


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    """A copy of the sample project, on its SQLite database."""
    root = tmp_path / "shop"
    root.mkdir()
    for name in ("alembic.ini", "config.yaml", "config.blue.yaml", "run_alembic.py"):
        shutil.copy(CHECKOUT / name, root)
    shutil.copytree(CHECKOUT / "alembic", root / "alembic", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "data").mkdir()
    return Project(root, f"sqlite:///{root / 'data' / 'shop.db'}", "alembic")


@pytest.fixture
def shop_on(shop: Project, database: str) -> Project:
    """The same on each engine."""
    shop.write_config(f"database:\n  url: {database}\n")
    return Project(shop.root, database, "alembic")


def test_the_history_goes_up_and_down_and_agrees_with_the_models(shop_on: Project) -> None:
    shop_on.alembic("upgrade", "head").expect()
    assert "No new upgrade operations detected" in shop_on.alembic("check").expect().stdout

    shop_on.alembic("downgrade", "base").expect()
    assert "orders" not in shop_on.dump()
    shop_on.alembic("upgrade", "head").expect()
    assert "No new upgrade operations detected" in shop_on.alembic("check").expect().stdout


def test_the_data_step_fills_the_totals_of_orders_already_there(shop_on: Project) -> None:
    shop_on.alembic("upgrade", "a83c5e1f7b24").expect()
    shop_on.sql(
        "INSERT INTO customers (id, name, email) VALUES (1, '李雷', 'lilei@example.org')",
        "INSERT INTO products (id, sku, name, price_cents) VALUES (1, 'TEA-01', 'Green tea', 450)",
        "INSERT INTO orders (id, customer_id, placed_at) VALUES (1, 1, '2026-02-10 10:00:00'), (2, 1, '2026-02-11 10:00:00')",
        "INSERT INTO order_lines (id, order_id, product_id, quantity, price_cents) VALUES (1, 1, 1, 3, 450), (2, 1, 1, 1, 400)",
    )
    shop_on.alembic("upgrade", "head").expect()

    assert shop_on.sql("SELECT id, status, total_cents FROM orders ORDER BY id") == [
        (1, "open", 1750),
        (2, "open", 0),
    ]


def test_the_rename_keeps_the_values(shop_on: Project) -> None:
    shop_on.alembic("upgrade", "9b27e5f03d6a").expect()
    shop_on.sql("INSERT INTO products (id, sku, title, price_cents) VALUES (1, 'TEA-01', 'Green tea', 450)")
    shop_on.alembic("upgrade", "head").expect()

    assert shop_on.sql("SELECT name FROM products") == [("Green tea",)]


def test_the_sample_database_lies_in_the_project_from_wherever_it_is_run(
    shop: Project, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shop.alembic("-c", str(shop.ini), "upgrade", "head", cwd=elsewhere).expect()

    assert run(shop.url, "SELECT version_num FROM alembic_version") == [(HEAD,)]
    assert list(elsewhere.iterdir()) == []


def test_the_blue_configuration_takes_its_server_from_the_environment(shop: Project, mariadb: object) -> None:
    from tests.servers import PASSWORD, Server

    assert isinstance(mariadb, Server)
    name = mariadb.create_database()
    variables = {
        "CONFIG_FILE": "config.blue.yaml",
        "MYSQL_HOST": "127.0.0.1",
        "MYSQL_PORT": str(mariadb.port),
        "MYSQL_USER": "admin",
        "MYSQL_PASSWORD": PASSWORD,
        "MYSQL_DATABASE": name,
    }
    shop.alembic("upgrade", "head", env=variables).expect()

    assert run(mariadb.url(name), "SELECT version_num FROM alembic_version") == [(HEAD,)]
    assert not (shop.root / "data" / "shop.db").exists()


def test_the_environment_is_no_package() -> None:
    """With an ``__init__.py`` the folder would hide the library from every program started beside it."""
    assert list((CHECKOUT / "alembic").rglob("__init__.py")) == []


def test_a_database_built_by_the_sample_holds_no_leftovers(shop: Project) -> None:
    shop.alembic("upgrade", "head").expect()
    connection = sqlite3.connect(shop.root / "data" / "shop.db")
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()

    assert tables == {"alembic_version", "coupons", "customers", "order_lines", "orders", "products"}


@pytest.mark.parametrize("door", DOORS)
def test_the_doctor_is_content_with_the_sample_through_every_door(shop: Project, door: str) -> None:
    shop.alembic("upgrade", "head").expect()
    assert shop.doctor(door=door).expect().codes == set()
