"""What the database itself says of where it is."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import create_engine

from alembic_ext.connections import Reader
from alembic_ext.facts.target import read_target
from alembic_ext.settings import Settings


def test_a_file_that_only_a_creator_names_is_known(tmp_path: Path) -> None:
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(tmp_path / "app.db"))
    with engine.connect() as connection:
        target = read_target(Reader(connection), engine.url, Settings(root=tmp_path), assumed=False)
    engine.dispose()

    assert target.database == str(tmp_path / "app.db")


def test_a_database_in_memory_has_no_file(tmp_path: Path) -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        target = read_target(Reader(connection), engine.url, Settings(root=tmp_path), assumed=False)
    engine.dispose()

    assert target.database == ":memory:"
