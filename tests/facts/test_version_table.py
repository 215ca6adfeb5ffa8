"""The rows as stored, on every engine, and what is not claimed when they cannot be seen."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url

from alembic_ext.connections import NotVisibleError, Reader, guarded
from alembic_ext.facts.availability import Unavailable
from alembic_ext.facts.live_tables import read_live_tables
from alembic_ext.facts.privileges import Privileges, read_privileges
from alembic_ext.facts.version_table import VersionTable, read_version_table, read_version_tables_elsewhere
from tests import servers
from tests.servers import Server

MADE = "CREATE TABLE alembic_version (version_num VARCHAR(32))"


@contextmanager
def reading(url: str, **options: Any) -> Iterator[Reader]:
    engine = create_engine(url)
    try:
        with guarded(10), engine.connect() as connection:
            yield Reader(connection.execution_options(**options))
    finally:
        engine.dispose()


def make(url: str, *statements: str) -> None:
    servers.run(url, *statements)


def test_rows_are_as_stored(database: str) -> None:
    make(
        database,
        MADE,
        "INSERT INTO alembic_version VALUES ('abc'), (' ABC '), (''), ('abc')",
        "INSERT INTO alembic_version VALUES (NULL)",
    )
    with reading(database) as reader:
        table = read_version_table(reader, {})
    assert isinstance(table, VersionTable)
    assert sorted(row or "" for row in table.rows) == ["", "", " ABC ", "abc", "abc"]
    assert None in table.rows
    assert sorted(table.ids) == [" ABC ", "abc", "abc"]
    assert table.effective_width == (None if "sqlite" in database else 32)


def test_an_absent_table_is_absent(database: str) -> None:
    make(database, "CREATE TABLE other (id INT)")
    with reading(database) as reader:
        table = read_version_table(reader, {"version_table": "mine"})
        tables = read_live_tables(reader)
    assert isinstance(table, VersionTable)
    assert (table.name, table.exists, table.rows) == ("mine", False, ())
    assert table.effective_width == (None if "sqlite" in database else 32)
    assert tables.names == {"other"}


def test_the_table_and_schema_that_env_py_names_are_read(server: Server) -> None:
    name = server.create_database()
    url = server.url(name)
    schema = "app" if server.name == "postgresql" else server.create_database()
    if server.name == "postgresql":
        make(url, "CREATE SCHEMA app")
    make(
        url,
        f"CREATE TABLE {schema}.mine (version_num VARCHAR(40) NOT NULL)",
        f"INSERT INTO {schema}.mine VALUES ('a')",
    )
    options = {"version_table": "mine", "version_table_schema": schema}
    with reading(url) as reader:
        table = read_version_table(reader, options)
        assert isinstance(table, VersionTable)
        assert (table.exists, table.rows, table.column_width) == (True, ("a",), 40)
        assert read_version_tables_elsewhere(reader, table) == ()
        assert read_privileges(reader, table).missing == ()
    with reading(url, schema_translate_map={"here": schema, None: schema}) as reader:
        assert read_version_table(reader, {"version_table": "mine"}) == VersionTable(
            name="mine", exists=True, rows=("a",), column_width=40
        )
        assert read_live_tables(reader).names == {"mine"}
        by_symbol = read_version_table(reader, {**options, "version_table_schema": "here"})
        assert isinstance(by_symbol, VersionTable)
        assert by_symbol.rows == ("a",)


def test_a_table_in_another_schema_is_found(postgresql: Server) -> None:
    url = postgresql.url(postgresql.create_database())
    make(url, "CREATE SCHEMA app", f"{MADE.replace('alembic_version', 'app.alembic_version')}")
    make(url, "INSERT INTO app.alembic_version VALUES ('a')", "CREATE TABLE app.other (version_num int[])")
    with reading(url) as reader:
        table = read_version_table(reader, {})
        assert isinstance(table, VersionTable)
        found = read_version_tables_elsewhere(reader, table)
    assert isinstance(found, tuple)
    assert ("alembic_version", "app", ("a",)) in {(one.name, one.schema, one.rows) for one in found}


def test_a_table_under_another_case_is_found(database: str) -> None:
    make(
        database,
        "CREATE TABLE other_version (version_num VARCHAR(32))",
        "INSERT INTO other_version VALUES ('a')",
    )
    with reading(database) as reader:
        table = read_version_table(reader, {})
        assert isinstance(table, VersionTable)
        found = read_version_tables_elsewhere(reader, table)
    assert isinstance(found, tuple)
    assert [one.rows for one in found] == [("a",)]


def test_a_schema_of_the_search_path_without_usage_is_not_visible(postgresql: Server) -> None:
    database = postgresql.create_database()
    user = postgresql.create_user()
    postgresql.run("CREATE SCHEMA app", f"CREATE SCHEMA open_to_all AUTHORIZATION {user}", database=database)
    url = f"{postgresql.url(database, user=user)}?options=-csearch_path%3Dapp,open_to_all"
    with reading(url) as reader:
        table = read_version_table(reader, {})
    assert isinstance(table, Unavailable)
    assert table.because == "AX117"
    assert "app" in table.reason


def test_what_the_account_cannot_list_is_not_visible(mariadb: Server) -> None:
    database = mariadb.create_database()
    make(mariadb.url(database), MADE, "CREATE TABLE t (id INT)")
    user = mariadb.create_user()
    mariadb.run(f"GRANT SELECT ON {database}.alembic_version TO '{user}'@'%%'")
    with reading(mariadb.url(database, user=user)) as reader:
        with pytest.raises(NotVisibleError, match="one by one"):
            read_live_tables(reader)
        table = read_version_table(reader, {})
    assert isinstance(table, VersionTable)
    assert table.exists
    mariadb.run(f"GRANT SELECT ON {database}.* TO '{user}'@'%%'")
    with reading(mariadb.url(database, user=user)) as reader:
        assert read_live_tables(reader).names == {"alembic_version", "t"}


@pytest.mark.parametrize("privilege", ["PROCESS ON *", "EXECUTE ON {}", "CREATE TEMPORARY TABLES ON {}"])
def test_a_privilege_that_shows_no_table_makes_none_visible(mariadb: Server, privilege: str) -> None:
    database = mariadb.create_database()
    make(mariadb.url(database), MADE, "CREATE TABLE t (id INT)")
    user = mariadb.create_user()
    mariadb.run(
        f"GRANT {privilege.format(database)}.* TO '{user}'@'%%'",
        f"GRANT SELECT ON {database}.alembic_version TO '{user}'@'%%'",
    )
    with reading(mariadb.url(database, user=user)) as reader, pytest.raises(NotVisibleError):
        read_live_tables(reader)


@pytest.mark.parametrize("kind", ["my shop", "my.shop", "my`shop", "my shop.x` ON y.z TO w"])
def test_a_grant_on_a_database_with_a_strange_name_counts(mariadb: Server, kind: str) -> None:
    database = mariadb.create_database(f"{kind}{uuid.uuid4().hex[:6]}")
    url = make_url(mariadb.url()).set(database=database).render_as_string(hide_password=False)
    make(url, MADE)
    user = mariadb.create_user()
    mariadb.run(f"GRANT ALL ON {mariadb.quote(database)}.* TO '{user}'@'%%'")
    with reading(make_url(url).set(username=user).render_as_string(hide_password=False)) as reader:
        table = read_version_table(reader, {})
        assert isinstance(table, VersionTable)
        assert read_privileges(reader, table).missing == ()
        assert read_live_tables(reader).names == {"alembic_version"}


def test_without_a_default_database_the_named_ones_are_seen(mariadb: Server) -> None:
    database = mariadb.create_database()
    make(mariadb.url(database), MADE, "CREATE TABLE t (id INT)")
    with reading(mariadb.url()) as reader:
        tables = read_live_tables(reader, frozenset({database}))
        table = read_version_table(reader, {"version_table_schema": database})
        assert isinstance(table, VersionTable)
        assert read_privileges(reader, table).missing == ()
    assert tables.elsewhere == {(database, "alembic_version"), (database, "t")}


def test_privileges_of_a_role_are_seen(mariadb: Server) -> None:
    database = mariadb.create_database()
    make(mariadb.url(database), MADE)
    user = mariadb.create_user()
    role = f"r_{user}"
    mariadb.run(
        f"CREATE ROLE {role}",
        f"GRANT SELECT ON {database}.* TO {role}",
        f"GRANT {role} TO '{user}'@'%%'",
        f"SET DEFAULT ROLE {role} FOR '{user}'@'%%'",
    )
    try:
        with reading(mariadb.url(database, user=user)) as reader:
            assert read_live_tables(reader).names == {"alembic_version"}
            table = read_version_table(reader, {})
            assert isinstance(table, VersionTable)
            assert f"CREATE on {database}" in read_privileges(reader, table).missing
        mariadb.run(f"GRANT ALL ON {database}.* TO {role}")
        with reading(mariadb.url(database, user=user)) as reader:
            assert read_privileges(reader, table) == Privileges(account=f"{user}@%", missing=())
    finally:
        mariadb.run(f"DROP ROLE {role}")


def test_what_an_upgrade_lacks_is_named(server: Server) -> None:
    database = server.create_database()
    make(server.url(database), MADE)
    admin, reader_url = server.url(database), server.create_reader(database)
    with reading(admin) as reader:
        table = read_version_table(reader, {})
        assert isinstance(table, VersionTable)
        assert read_privileges(reader, table).missing == ()
    with reading(reader_url) as reader:
        lacking = read_privileges(reader, table)
    account = make_url(reader_url).username
    assert account is not None
    assert lacking.account.startswith(account)
    for privilege in ("CREATE", "INSERT", "UPDATE", "DELETE"):
        assert any(one.startswith(privilege) for one in lacking.missing), lacking


@pytest.mark.parametrize("pattern", ["shop_%%", r"shop\_%%"])
def test_a_grant_with_wildcards_counts(mariadb: Server, pattern: str) -> None:
    database = mariadb.create_database(f"shop_{mariadb.create_database()}")
    make(mariadb.url(database), MADE)
    user = mariadb.create_user()
    mariadb.run(f"GRANT ALL PRIVILEGES ON `{pattern}`.* TO '{user}'@'%%'")
    with reading(mariadb.url(database, user=user)) as reader:
        table = read_version_table(reader, {})
        assert isinstance(table, VersionTable)
        assert read_privileges(reader, table).missing == ()
        assert read_live_tables(reader).names == {"alembic_version"}


def test_a_privilege_that_is_not_granted_on_this_database_does_not_count(mariadb: Server) -> None:
    database = mariadb.create_database()
    make(mariadb.url(database), MADE)
    user = mariadb.create_user()
    mariadb.run(
        f"GRANT SELECT ON {database}.* TO '{user}'@'%%'", f"GRANT ALL ON elsewhere.* TO '{user}'@'%%'"
    )
    with reading(mariadb.url(database, user=user)) as reader:
        table = read_version_table(reader, {})
        assert isinstance(table, VersionTable)
        assert any(one.startswith("CREATE") for one in read_privileges(reader, table).missing)


def test_a_version_table_elsewhere_that_may_not_be_read_is_not_absent(postgresql: Server) -> None:
    database, user = postgresql.create_database(), postgresql.create_user()
    make(postgresql.url(database), "CREATE SCHEMA hidden", MADE.replace("alembic", "hidden.alembic"))
    with reading(postgresql.url(database, user=user)) as reader:
        table = read_version_table(reader, {})
        assert isinstance(table, VersionTable)
        found = read_version_tables_elsewhere(reader, table)
    assert found == Unavailable(
        "this account may not read the version table hidden.alembic_version", because="AX117"
    )


def test_tables_in_the_schemas_that_the_project_names_are_seen(server: Server) -> None:
    url = server.url(server.create_database())
    schema = "app" if server.name == "postgresql" else server.create_database()
    if server.name == "postgresql":
        make(url, "CREATE SCHEMA app")
    make(url, f"CREATE TABLE {schema}.t1 (id INT)", "CREATE TABLE t2 (id INT)")
    with reading(url, schema_translate_map={"named": schema}) as reader:
        tables = read_live_tables(reader, frozenset({"named", "nowhere"}))
    assert tables.names == {"t2"}
    assert tables.elsewhere == {("named", "t1")}


def test_postgresql_lets_only_the_owner_alter_a_table(postgresql: Server) -> None:
    database, user, role = postgresql.create_database(), postgresql.create_user(), postgresql.create_user()
    make(
        postgresql.url(database),
        "CREATE SCHEMA app",
        *(f"CREATE TABLE {name} (id INT)" for name in ("t1", "t2", "t3", "other", "app.t4")),
        f"ALTER TABLE t2 OWNER TO {user}",
        f"ALTER TABLE t3 OWNER TO {role}",
        f"GRANT {role} TO {user}",
        f"GRANT ALL ON SCHEMA public TO {user}",
    )
    with reading(postgresql.url(database, user=user)) as reader:
        table = read_version_table(reader, {})
        assert isinstance(table, VersionTable)
        found = read_privileges(reader, table, lambda: frozenset({"t1", "t2", "t3", "app.t4"}))
    assert found.missing == ("ownership of app.t4", "ownership of t1")
    make(postgresql.url(database), f"REVOKE {role} FROM {user}", f"DROP OWNED BY {user}")


def test_a_schema_that_does_not_exist_is_missing_for_who_may_not_create_it(postgresql: Server) -> None:
    database = postgresql.create_database()
    for url, missing in (
        (postgresql.url(database), ()),
        (postgresql.create_reader(database), ("a schema nowhere",)),
    ):
        with reading(url) as reader:
            table = read_version_table(reader, {"version_table_schema": "nowhere"})
            assert isinstance(table, VersionTable)
            assert read_privileges(reader, table).missing == missing


@pytest.mark.parametrize("way", ["option", "map", "set", "url"])
def test_the_record_of_another_tenant_is_not_the_one_that_is_missed(postgresql: Server, way: str) -> None:
    url = postgresql.url(postgresql.create_database())
    make(url, "CREATE SCHEMA a", "CREATE SCHEMA lone", "CREATE SCHEMA new", "CREATE TABLE a.t1 (id INT)")
    for schema in ("a", "lone"):
        make(
            url,
            MADE.replace("alembic", f"{schema}.alembic"),
            f"INSERT INTO {schema}.alembic_version VALUES ('x')",
        )
    query = "?options=-csearch_path%3Dnew" if way == "url" else ""
    with reading(url + query, schema_translate_map={None: "new"} if way == "map" else {}) as reader:
        if way == "set":
            reader.connection.exec_driver_sql("SET search_path TO new")
            reader.connection.commit()
        table = read_version_table(reader, {"version_table_schema": "new"} if way == "option" else {})
        assert isinstance(table, VersionTable)
        found = read_version_tables_elsewhere(reader, table, lambda: frozenset({"t1"}))
        assert isinstance(found, tuple)
    # a search path that the address has is no choice of env.py's: perhaps it was changed by mistake
    assert {one.schema for one in found} == ({"a", "lone"} if way == "url" else {"lone"})


def test_the_record_beside_the_tables_in_our_own_schema_is_missed(postgresql: Server) -> None:
    url = postgresql.url(postgresql.create_database())
    make(
        url, "CREATE SCHEMA new", "CREATE TABLE t1 (id INT)", MADE, "INSERT INTO alembic_version VALUES ('x')"
    )
    with reading(url) as reader:
        table = read_version_table(reader, {"version_table_schema": "new"})
        assert isinstance(table, VersionTable)
        found = read_version_tables_elsewhere(reader, table, lambda: frozenset({"t1"}))
    assert isinstance(found, tuple)
    assert [one.schema for one in found] == ["public"]
