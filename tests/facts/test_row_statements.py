"""SQL that mends the version table, run on real databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import create_engine, text

from alembic_ext.facts.row_statements import delete_rows, keep_one, write_id
from alembic_ext.facts.version_table import VersionTable


def table(*rows: str | None, name: str = "alembic_version", schema: str | None = None) -> VersionTable:
    return VersionTable(name=name, schema=schema, exists=True, rows=rows, column_width=32)


@pytest.mark.parametrize(
    ("dialect", "place"),
    [
        ("sqlite", '"Order"."My Versions"'),
        ("mariadb", "`Order`.`My Versions`"),
        ("postgresql", '"Order"."My Versions"'),
    ],
)
def test_names_are_quoted_as_the_product_does(dialect: str, place: str) -> None:
    used = table("a'b%", name="My Versions", schema="Order")

    assert delete_rows(used, dialect, ["a'b%"]) == f"DELETE FROM {place} WHERE version_num = 'a''b%';"


def test_rows_that_mysql_takes_for_equal_are_told_apart() -> None:
    assert "CAST" not in delete_rows(table("A", "b"), "mysql", ["A"])
    assert delete_rows(table("A", "a"), "mysql", ["A"]) == (
        "DELETE FROM alembic_version WHERE CAST(version_num AS BINARY) = CAST('A' AS BINARY);"
    )


def test_a_backslash_is_doubled_where_it_escapes() -> None:
    assert "'a\\\\b'" in delete_rows(table("a\\b"), "mysql", ["a\\b"])
    assert "'a\\b'" in delete_rows(table("a\\b"), "postgresql", ["a\\b"])


@pytest.mark.parametrize(
    ("dialect", "change"),
    [
        ("mariadb", "MODIFY version_num VARCHAR(40) NOT NULL"),
        ("postgresql", "ALTER COLUMN version_num TYPE VARCHAR(40)"),
    ],
)
def test_a_column_that_is_too_narrow_is_widened_first(dialect: str, change: str) -> None:
    first, second = write_id(table("x" * 32), dialect, "x" * 32, "x" * 40).splitlines()

    assert first == f"ALTER TABLE alembic_version {change};"
    assert second.startswith("UPDATE alembic_version SET version_num = 'xxxx")


CASES = [
    pytest.param(("ccc3", "ccc3"), lambda used, of: keep_one(used, of, "ccc3"), ["ccc3"], id="twice"),
    pytest.param(("aaa1", "ccc3"), lambda used, of: delete_rows(used, of, ["aaa1"]), ["ccc3"], id="ancestor"),
    pytest.param((None, "ccc3"), lambda used, of: delete_rows(used, of, [None]), ["ccc3"], id="null"),
    pytest.param(("", "ccc3"), lambda used, of: delete_rows(used, of, [""]), ["ccc3"], id="blank"),
    pytest.param(("\t", "ccc3"), lambda used, of: delete_rows(used, of, ["\t"]), ["ccc3"], id="tab"),
    pytest.param(("CCC3", "ccc3"), lambda used, of: delete_rows(used, of, ["CCC3"]), ["ccc3"], id="case"),
    pytest.param(
        ("ccc3 ", "ccc3"), lambda used, of: delete_rows(used, of, ["ccc3 "]), ["ccc3"], id="blank-behind"
    ),
    pytest.param(("CCC3\n",), lambda used, of: write_id(used, of, "CCC3\n", "ccc3"), ["ccc3"], id="new-line"),
    pytest.param(("a'b\\c",), lambda used, of: delete_rows(used, of, ["a'b\\c"]), [], id="quote"),
    pytest.param(
        ("x" * 32,), lambda used, of: write_id(used, of, "x" * 32, "x" * 40), ["x" * 40], id="truncated"
    ),
]


@pytest.mark.parametrize(("rows", "sql", "left"), CASES)
def test_the_sql_leaves_the_right_rows_on_every_engine(
    database: str, rows: tuple[str | None, ...], sql: Callable[[VersionTable, str], str], left: list[str]
) -> None:
    """Pasted as it is shown, into a table without a key."""
    engine = create_engine(database)
    used = replace(table(*rows), width_enforced=engine.dialect.name != "sqlite")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        for row in rows:
            connection.execute(text("INSERT INTO alembic_version VALUES (:row)"), {"row": row})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in sql(used, engine.dialect.name).splitlines():
            connection.exec_driver_sql(statement)
        found = [row[0] for row in connection.execute(text("SELECT version_num FROM alembic_version"))]
    engine.dispose()
    assert found == left
