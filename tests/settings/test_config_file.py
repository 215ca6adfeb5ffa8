"""Every shape in which projects write their database."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.settings.asking import ask, ask_yaml, url_of, write

PASSWORD = "p%w@r:d/#é"
QUOTED = quote(PASSWORD, safe="")
SECTIONS = """\
database:
  type: "${DATABASE_TYPE:mysql}"
  sqlite: {path: "./data/app.db"}
  mysql: {host: "${MYSQL_HOST:localhost}", port: "${MYSQL_PORT:3306}", username: u, password: "${PASSWORD}",
          database: shop, charset: utf8mb4, pool: {size: 5, recycle: 1800}}
  postgresql: {host: "${PG_HOST}", port: 5432, username: u, password: "${PASSWORD}", database: shop}
"""


@pytest.mark.parametrize(
    ("yaml", "key", "file"),
    [
        pytest.param("database: ./data/app.db", "database", "data/app.db", id="path"),
        pytest.param("database: 数据/app.db", "database", "数据/app.db", id="chinese-path"),
        pytest.param("database: sqlite:///app.db", "database", "app.db", id="url"),
        pytest.param("database: {url: 'sqlite:///app.db'}", "database.url", "app.db", id="url-key"),
        pytest.param("sqlalchemy: {url: 'sqlite:///app.db'}", "sqlalchemy.url", "app.db", id="sqlalchemy"),
        pytest.param("database_url: sqlite:///app.db", "database_url", "app.db", id="database_url"),
        pytest.param("DATABASE_URL: sqlite:///app.db", "DATABASE_URL", "app.db", id="DATABASE_URL"),
        pytest.param("db: {path: app.db}", "db", "app.db", id="db-path"),
        pytest.param("db: {type: sqlite, path: app.db}", "db", "app.db", id="db-type"),
        pytest.param(
            "database: {type: sqlite, sqlite: {path: app.db}}", "database.sqlite", "app.db", id="section"
        ),
        pytest.param(
            "database: {type: sqlite3, sqlite: {database: app.db}}", "database.sqlite", "app.db", id="alias"
        ),
        pytest.param(
            "database: {type: SQLite, sqlite: app.db}", "database.sqlite", "app.db", id="scalar-section"
        ),
        pytest.param("database: {sqlite: {path: app.db}}", "database.sqlite", "app.db", id="only-section"),
        pytest.param("database: {dialect: sqlite, name: app.db}", "database", "app.db", id="dialect"),
        pytest.param(
            "a: &a {path: app.db}\ndatabase: {type: sqlite, <<: *a}", "database", "app.db", id="merged"
        ),
    ],
)
def test_a_sqlite_file_is_found_in_every_shape(tmp_path: Path, yaml: str, key: str, file: str) -> None:
    settings = ask_yaml(tmp_path, yaml)

    database = settings.require_database()
    assert (database.url.drivername, database.url.database) == ("sqlite", str(tmp_path / file))
    assert database.source.key == key


@pytest.mark.parametrize("path", [":memory:", "{path: ':memory:', type: sqlite}", "sqlite:///:memory:"])
def test_sqlite_in_memory_stays_in_memory(tmp_path: Path, path: str) -> None:
    settings = ask_yaml(tmp_path, f"database: {path if path[0] == '{' else repr(path)}")

    assert settings.require_database().url.database == ":memory:"


def test_a_sqlite_uri_may_stand_without_a_scheme(tmp_path: Path) -> None:
    url = ask_yaml(tmp_path, "database: 'file:app.db?mode=ro'").require_database().url

    assert (url.database, dict(url.query)) == (
        f"file:{tmp_path.as_posix()}/app.db",
        {"mode": "ro", "uri": "true"},
    )


@pytest.mark.parametrize(
    ("yaml", "expected"),
    [
        pytest.param(
            f"database: 'mysql+pymysql://u:{QUOTED}@h/shop'", "mysql+pymysql://u:{}@h/shop", id="url-encoded"
        ),
        pytest.param(
            f"database: 'mysql+pymysql://u:{PASSWORD}@h/shop'",
            "mysql+pymysql://u:{}@h/shop",
            id="url-literal",
        ),
        pytest.param(
            "database: 'mysql+pymysql://u:${PASSWORD}@h/shop'",
            "mysql+pymysql://u:{}@h/shop",
            id="url-variable",
        ),
        pytest.param(
            "database: {url: 'mysql://u:${QUOTED}@h/shop'}", "mysql+pymysql://u:{}@h/shop", id="url-key"
        ),
        pytest.param(
            "sqlalchemy: {url: 'mariadb://u:${QUOTED}@h/shop'}",
            "mariadb+pymysql://u:{}@h/shop",
            id="sqlalchemy",
        ),
        pytest.param("database_url: '${WHOLE}'", "postgresql+psycopg://u:{}@h:5433/shop", id="whole-url"),
        pytest.param(SECTIONS, "mysql+pymysql://u:{}@localhost:3306/shop?charset=utf8mb4", id="sections"),
        pytest.param(
            SECTIONS.replace("type:", "dialect:"),
            "mysql+pymysql://u:{}@localhost:3306/shop?charset=utf8mb4",
            id="sections-by-dialect",
        ),
        pytest.param(
            f"database: {{dialect: mysql, driver: pymysql, host: h, port: 3307, user: u, password: '{PASSWORD}', name: shop, options: {{charset: utf8mb4}}}}",
            "mysql+pymysql://u:{}@h:3307/shop?charset=utf8mb4",
            id="flat",
        ),
        pytest.param(
            f"database: {{type: postgres, host: h, user: u, password: '{PASSWORD}', dbname: shop, sslmode: require}}",
            "postgresql+psycopg://u:{}@h/shop?sslmode=require",
            id="flat-postgres",
        ),
        pytest.param(
            f"database: {{drivername: mysql+pymysql, host: h, username: u, password: '{PASSWORD}', database: shop}}",
            "mysql+pymysql://u:{}@h/shop",
            id="drivername",
        ),
        pytest.param(
            f"database: {{type: mariadb, mysql: {{host: h, user: u, password: '{PASSWORD}', name: shop}}}}",
            "mariadb+pymysql://u:{}@h/shop",
            id="mariadb-in-a-mysql-section",
        ),
        pytest.param(
            f"database: {{type: dev, dev: {{url: 'mysql://u:{QUOTED}@h/shop'}}, prod: {{url: 'mysql://h/prod'}}}}",
            "mysql+pymysql://u:{}@h/shop",
            id="sections-per-environment",
        ),
    ],
)
def test_a_password_of_every_kind_of_character_works_in_every_shape(
    tmp_path: Path, yaml: str, expected: str
) -> None:
    environ = {"PASSWORD": PASSWORD, "QUOTED": QUOTED, "WHOLE": f"postgresql://u:{QUOTED}@h:5433/shop"}
    settings = ask_yaml(tmp_path, yaml, environ)

    assert settings.problems == ()
    url = settings.require_database().url
    assert url.password == PASSWORD
    assert url.set(password="PASSWORD").render_as_string(hide_password=False) == expected.format("PASSWORD")
    assert PASSWORD in settings.secrets
    assert PASSWORD not in repr(settings)


@hypothesis_settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(password=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1))
def test_any_password_from_a_variable_arrives(tmp_path: Path, password: str) -> None:
    settings = ask_yaml(tmp_path, SECTIONS, {"PASSWORD": password})

    assert settings.require_database().url.password == password


@hypothesis_settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    password=st.text(
        st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters="\ufeff\ufffe\uffff"),
        min_size=1,
    )
)
def test_any_password_written_in_the_file_arrives(tmp_path: Path, password: str) -> None:
    quoted = password.replace("$", "$$").replace("'", "''")
    settings = ask_yaml(tmp_path, f"database: {{type: mysql, password: '{quoted}', name: d}}")

    assert settings.require_database().url.password == password


@pytest.mark.parametrize(
    ("written", "password"),
    [
        ("012345", "012345"),
        ("no", "no"),
        ("1.10", "1.10"),
        ("0x1F", "0x1F"),
        ("12:30:45", "12:30:45"),
        ("2024-01-01", "2024-01-01"),
    ],
)
def test_scalars_under_the_database_key_are_text(tmp_path: Path, written: str, password: str) -> None:
    settings = ask_yaml(tmp_path, f"database: {{type: mysql, name: d, password: {written}}}")

    assert settings.require_database().url.password == password


def test_null_and_empty_values_count_as_not_given(tmp_path: Path) -> None:
    yaml = "database: {type: mysql, name: d, host: null, port: '', user: ~, password: '${P:}'}"

    assert url_of(ask_yaml(tmp_path, yaml)) == "mysql+pymysql:///d"


def test_the_database_key_leads_anywhere(tmp_path: Path) -> None:
    write(tmp_path / "alembic.ini", "[alembic]\n[alembic_ext]\ndatabase_key = services.db.dsn\n")
    settings = ask_yaml(tmp_path, "database: other.db\nservices: {db: {dsn: 'sqlite:///right.db'}}")

    assert url_of(settings) == f"sqlite:///{tmp_path / 'right.db'}"
    assert settings.require_database().source.key == "services.db.dsn"


@pytest.mark.parametrize(
    ("key", "yaml"),
    [
        ("a.b", "a.b: x.db"),
        ("a.b.c", "a: {b.c: x.db}"),
        ("list.1.url", "list: [{url: 'sqlite:///y.db'}, {url: 'sqlite:///x.db'}]"),
    ],
)
def test_the_database_key_goes_through_dots_and_lists(tmp_path: Path, key: str, yaml: str) -> None:
    write(tmp_path / "alembic.ini", f"[alembic]\n[alembic_ext]\ndatabase_key = {key}\n")

    assert url_of(ask_yaml(tmp_path, yaml)) == f"sqlite:///{tmp_path / 'x.db'}"


def test_a_database_key_that_leads_nowhere_is_no_database(tmp_path: Path) -> None:
    write(tmp_path / "alembic.ini", "[alembic]\n[alembic_ext]\ndatabase_key = a.b\n")
    (problem,) = ask_yaml(tmp_path, "database: x.db").problems

    assert (problem.code, problem.evidence["looked_for"]) == ("AX104", ["a.b"])


def test_of_several_places_the_first_is_used_and_the_others_are_said(tmp_path: Path) -> None:
    settings = ask_yaml(tmp_path, "DATABASE_URL: sqlite:///b.db\ndatabase: a.db")

    assert url_of(settings) == f"sqlite:///{tmp_path / 'a.db'}"
    assert "named.yaml: DATABASE_URL was not used, because database comes first." in settings.passed_over


def test_something_else_called_database_does_not_stand_in_the_way(tmp_path: Path) -> None:
    assert (
        url_of(ask_yaml(tmp_path, "database: {migrate: true}\ndb: a.db")) == f"sqlite:///{tmp_path / 'a.db'}"
    )


def test_sections_that_are_not_used_need_no_variables(tmp_path: Path) -> None:
    settings = ask_yaml(tmp_path, SECTIONS, {"DATABASE_TYPE": "sqlite"})

    assert url_of(settings) == f"sqlite:///{tmp_path / 'data/app.db'}"


def test_all_missing_variables_are_reported_with_line_and_key(tmp_path: Path) -> None:
    settings = ask_yaml(tmp_path, SECTIONS, {"DATABASE_TYPE": "postgresql", "PASSWORD": ""})

    assert settings.database is None
    assert [
        (problem.code, problem.line, problem.key, problem.evidence["variable"])
        for problem in settings.problems
    ] == [
        ("AX103", 6, "database.postgresql.host", "PG_HOST"),
        ("AX103", 6, "database.postgresql.password", "PASSWORD"),
    ]
    assert settings.problems[0].summary == (
        "named.yaml line 6: database.postgresql.host needs the variable PG_HOST, which is not set and has no default."
    )


def test_a_dotenv_beside_the_configuration_file_fills_in(tmp_path: Path) -> None:
    write(tmp_path / "conf" / ".env", f"PASSWORD='{PASSWORD}'\nDATABASE_TYPE=sqlite\n")
    write(tmp_path / ".env", "PASSWORD=wrong\n")
    write(tmp_path / "conf" / "a.yaml", SECTIONS)
    settings = ask(tmp_path, {"CONFIG_FILE": "conf/a.yaml", "DATABASE_TYPE": "mysql"})

    assert settings.require_database().url.password == PASSWORD


def test_a_dotenv_that_is_not_text_is_a_problem_of_its_own(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"PASSWORD=\xff\n")
    (problem,) = ask_yaml(tmp_path, SECTIONS).problems

    assert (problem.code, problem.summary) == ("AX102", ".env is not UTF-8 (line 1).")


def test_pool_options_are_converted(tmp_path: Path) -> None:
    yaml = (
        "database:\n  type: mysql\n  echo: debug\n  pool: {size: 1, timeout: 9}\n"
        "  mysql: {name: d, pool: {size: 5, max_overflow: '10', pool_timeout: 2.5, recycle: '${R:1800}', pre_ping: yes}}\n"
    )
    options = ask_yaml(tmp_path, yaml).require_database().engine_options

    assert options == {
        "echo": "debug",
        "pool_size": 5,
        "max_overflow": 10,
        "pool_timeout": 2.5,
        "pool_recycle": 1800,
        "pool_pre_ping": True,
    }


def test_options_go_to_the_url_and_connect_args_to_the_driver(tmp_path: Path) -> None:
    yaml = (
        "database: {type: mysql, name: d, options: {charset: utf8mb4, ssl: {ca: /ca.pem, check: true}, pool_size: 3},"
        " connect_args: {connect_timeout: 5, init_command: 'SET x = 1', quoted: '5', password: 012}}"
    )
    database = ask_yaml(tmp_path, yaml).require_database()

    assert dict(database.url.query) == {"charset": "utf8mb4"}
    assert database.engine_options == {
        "pool_size": 3,
        "connect_args": {
            "ssl": {"ca": "/ca.pem", "check": True},
            "connect_timeout": 5,
            "init_command": "SET x = 1",
            "quoted": "5",
            "password": "012",
        },
    }


def test_sqlite_leaves_out_what_means_nothing_to_it_and_says_so(tmp_path: Path) -> None:
    settings = ask_yaml(
        tmp_path, "database: {type: sqlite, path: a.db, charset: utf8, pool: {size: 5, pre_ping: true}}"
    )

    assert settings.require_database().engine_options == {"pool_pre_ping": True}
    assert settings.require_database().url.query == {}
    assert "named.yaml: database: pool_size was not used, it means nothing to SQLite." in settings.passed_over
    assert (
        "named.yaml: database.charset was not used: charset means nothing to this database."
        in settings.passed_over
    )


def test_a_key_that_is_not_known_is_said(tmp_path: Path) -> None:
    settings = ask_yaml(tmp_path, "database:\n  type: sqlite\n  path: a.db\n  colour: blue\n")

    assert (
        "named.yaml: database.colour (line 4) is not a known key, and was not used." in settings.passed_over
    )


def test_expectations_and_nodes_are_read(tmp_path: Path) -> None:
    yaml = "database: a.db\nexpect: {host: '${H:h}', port: 3306, database: 012}\nnodes: ['mysql://u:secret@n1/d', 'mysql://n2/d']"
    settings = ask_yaml(tmp_path, yaml)

    assert settings.expect == {"host": "h", "port": "3306", "database": "012"}
    assert [url.host for url in settings.nodes] == ["n1", "n2"]
    assert "secret" in settings.secrets


@pytest.mark.parametrize(
    ("yaml", "code", "summary"),
    [
        pytest.param(
            "",
            "AX104",
            "named.yaml is empty. Looked for: database, sqlalchemy, database_url, DATABASE_URL, db.",
            id="empty",
        ),
        pytest.param(
            "other: 1",
            "AX104",
            "named.yaml names no database. Looked for: database, sqlalchemy, database_url, DATABASE_URL, db.",
            id="none",
        ),
        pytest.param(
            "database:",
            "AX104",
            "named.yaml names no database. Looked for: database, sqlalchemy, database_url, DATABASE_URL, db.",
            id="null",
        ),
        pytest.param("- database", "AX102", "named.yaml is not a mapping of keys to values.", id="list"),
        pytest.param("just text", "AX102", "named.yaml is not a mapping of keys to values.", id="text"),
        pytest.param(
            "a: 1\ndatabase: a.db\na: 2",
            "AX102",
            "named.yaml gives the key a twice, in lines 1 and 3.",
            id="twice",
        ),
        pytest.param(
            "database: [a, b]",
            "AX102",
            "named.yaml line 1: database is a list, and one database was expected.",
            id="database-list",
        ),
        pytest.param(
            "database: 'mysql:/h/d'",
            "AX102",
            "named.yaml line 1: database is not a database URL.",
            id="no-url",
        ),
        pytest.param(
            "database_url: shop",
            "AX102",
            "named.yaml line 1: database_url is not a database URL.",
            id="url-key-no-url",
        ),
        pytest.param(
            "database: postgres://h/d",
            "AX102",
            "named.yaml line 1: database names the dialect 'postgres', which SQLAlchemy does not know.",
            id="postgres",
        ),
        pytest.param(
            "database: {type: oracel, host: h, name: d}",
            "AX102",
            "named.yaml line 1: database names the dialect 'oracel', which SQLAlchemy does not know.",
            id="dialect",
        ),
        pytest.param(
            "database:\n  type: mysql\n  name: d\n  port: abc",
            "AX102",
            "named.yaml line 4: database.port has a port that is no number from 1 to 65535.",
            id="port",
        ),
        pytest.param(
            "database: mysql://h:abc/d",
            "AX102",
            "named.yaml line 1: database has a port that is no number from 1 to 65535.",
            id="port-in-url",
        ),
        pytest.param(
            "database: {type: mysql, name: d, host: [a]}",
            "AX102",
            "named.yaml line 1: database.host must be a single value.",
            id="list-value",
        ),
        pytest.param(
            "database: {type: mysql, name: d, password: !vault x}",
            "AX102",
            "named.yaml line 1: database.password has a YAML tag, and tags are not evaluated.",
            id="tag",
        ),
        pytest.param(
            "database: {type: mysql, name: d, password: 'a${b'}",
            "AX102",
            "named.yaml line 1: database.password holds a ${ that is never closed.",
            id="reference",
        ),
        pytest.param(
            "database: {type: mysql, name: d, pool: 5}",
            "AX102",
            "named.yaml line 1: database.pool must be a mapping.",
            id="pool",
        ),
        pytest.param(
            "database: {type: mysql, name: d, pool: {size: many}}",
            "AX102",
            "named.yaml line 1: database.pool.size must be a whole number.",
            id="pool-size",
        ),
        pytest.param(
            "database: {host: h, name: d}",
            "AX104",
            "named.yaml line 1: database does not say which kind of database it is.",
            id="no-kind",
        ),
        pytest.param(
            "database: {type: mysql, host: h}",
            "AX104",
            "named.yaml line 1: database names no database.",
            id="no-name",
        ),
        pytest.param(
            "database: {type: sqlite}",
            "AX104",
            "named.yaml line 1: database names no SQLite file.",
            id="no-file",
        ),
        pytest.param(
            "database: a.db\nexpect: {databse: d}",
            "AX102",
            "named.yaml line 2: expect.databse is no expectation.",
            id="expect",
        ),
        pytest.param(
            "database: a.db\nexpect: d",
            "AX102",
            "named.yaml line 2: expect must be a mapping.",
            id="expect-text",
        ),
        pytest.param(
            "database: a.db\nnodes: d", "AX102", "named.yaml line 2: nodes must be a list.", id="nodes"
        ),
        pytest.param(
            "database: a.db\nnodes: [d]",
            "AX102",
            "named.yaml line 2: nodes.0 is not a database URL.",
            id="node",
        ),
    ],
)
def test_bad_input_gets_one_clear_sentence(tmp_path: Path, yaml: str, code: str, summary: str) -> None:
    settings = ask_yaml(tmp_path, yaml)

    (problem,) = settings.problems
    assert (problem.code, problem.summary) == (code, summary)
    assert problem.hint
    assert problem.named
    assert settings.database is None
