"""What real drivers raise, and what it is taken for."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from alembic_ext.connections import is_refusal
from alembic_ext.facts.driver_errors import (
    chain,
    first_line,
    number,
    permission_denied,
    sqlstate,
    table_missing,
)
from tests.servers import Server


def raised(url: str, statement: str) -> DBAPIError:
    engine: Any = create_engine(url)
    try:
        with engine.connect() as connection, pytest.raises(DBAPIError) as caught:
            connection.execute(text(statement))
    finally:
        engine.dispose()
    error: DBAPIError = caught.value
    return error


def test_a_missing_table_is_told_from_other_errors(database: str) -> None:
    missing = raised(database, "SELECT * FROM not_there")
    assert table_missing(missing)
    assert not permission_denied(missing)
    assert not is_refusal(missing)
    other = raised(database, "SELECT FROM WHERE")
    assert not table_missing(other)


def test_a_missing_schema_is_a_missing_table(postgresql: Server) -> None:
    url = postgresql.url(postgresql.create_database())
    assert table_missing(raised(url, "SELECT * FROM not_there.at_all"))


def test_a_missing_privilege_is_told(server: Server) -> None:
    database = server.create_database()
    server.run("CREATE TABLE t (id INT)", database=database)
    user = server.create_user()
    if server.name != "postgresql":
        server.run(
            f"CREATE TABLE {database}.other (id INT)", f"GRANT SELECT ON {database}.other TO '{user}'@'%%'"
        )
    denied = raised(server.url(database, user=user), "SELECT * FROM t")
    assert permission_denied(denied)
    assert not table_missing(denied)


def test_numbers_and_states_are_found_behind_the_wrapping(mariadb: Server, postgresql: Server) -> None:
    mysql = raised(mariadb.url(mariadb.create_database()), "SELECT * FROM t")
    assert number(mysql) == 1146
    postgres = raised(postgresql.url(postgresql.create_database()), "SELECT * FROM t")
    assert (number(postgres), sqlstate(postgres)) == (None, "42P01")
    wrapped = RuntimeError("over it")
    wrapped.__cause__ = mysql
    assert number(wrapped) == 1146
    assert list(chain(wrapped))[:2] == [wrapped, mysql]


def test_the_first_line_holds_neither_sql_nor_secrets() -> None:
    error = DBAPIError("SELECT secret", {"a": 1}, Exception("mysql://u:hidden@h/db is gone\nSELECT secret"))
    assert first_line(error) == "mysql://u:***@h/db is gone"
