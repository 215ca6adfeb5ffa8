from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alembic_ext.settings.urls import BadURLError, create_url, passwords_in, read_url

ROOT = Path("/project") if sys.platform != "win32" else Path("C:/project")
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1)


def shown(text: str) -> str:
    return read_url(text, ROOT).render_as_string(hide_password=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mysql://u:p@h/d", "mysql+pymysql://u:p@h/d"),
        ("mariadb://u:p@h/d", "mariadb+pymysql://u:p@h/d"),
        ("mysql+aiomysql://u:p@h/d", "mysql+aiomysql://u:p@h/d"),
        ("postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql+psycopg2://u:p@h/d", "postgresql+psycopg2://u:p@h/d"),
        (
            "postgresql+asyncpg://u:p@[::1]:5433/d?ssl=require",
            "postgresql+asyncpg://u:p@[::1]:5433/d?ssl=require",
        ),
    ],
)
def test_a_driver_is_named_where_none_was(text: str, expected: str) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("text", "database"),
    [
        ("sqlite:///rel.db", str(ROOT / "rel.db")),
        ("sqlite:///./data/../rel.db", str(ROOT / "rel.db")),
        ("sqlite+aiosqlite:///数据/rel.db", str(ROOT / "数据" / "rel.db")),
        ("sqlite:///data/@rel.db", str(ROOT / "data" / "@rel.db")),
        ("sqlite:///:memory:", ":memory:"),
        ("sqlite://", None),
        ("sqlite:///file:rel db.db?uri=true", f"file:{ROOT.as_posix()}/rel%20db.db"),
        ("sqlite:///file:/abs.db?uri=true", "file:/abs.db"),
        ("sqlite:///file::memory:?cache=shared&uri=true", "file::memory:"),
        ("sqlite:///file:name?mode=memory&cache=shared&uri=true", "file:name"),
    ],
)
def test_a_sqlite_file_is_found_from_the_project_root(text: str, database: str | None) -> None:
    assert read_url(text, ROOT).database == database


@pytest.mark.parametrize(
    ("text", "password", "place"),
    [
        pytest.param("mysql://u:p%25w%40r%3Ad%2F%23%C3%A9@h/d", "p%w@r:d/#é", ("h", "d"), id="encoded"),
        pytest.param("mysql://u:p%w@r:d/#é@h/d", "p%w@r:d/#é", ("h", "d"), id="literal"),
        pytest.param("mysql://u:p@ss@h/d", "p@ss", ("h", "d"), id="literal-at"),
        pytest.param("mysql://u:p@s/s@h/d?charset=utf8mb4", "p@s/s", ("h", "d"), id="literal-and-query"),
        pytest.param("mysql://u:p?w@h/d", "p?w", ("h", "d"), id="literal-question-mark"),
        pytest.param("mysql://u:p%w@h/d", "p%w", ("h", "d"), id="literal-percent"),
        pytest.param("mysql://u:p@h/d?ssl_ca=/x@y", "p", ("h", "d"), id="at-in-query"),
    ],
)
def test_a_password_is_read_encoded_or_literally(text: str, password: str, place: tuple[str, str]) -> None:
    url = read_url(text, ROOT)

    assert (url.username, url.password, (url.host, url.database)) == ("u", password, place)


@given(TEXT)
def test_any_encoded_password_arrives(password: str) -> None:
    assert read_url(f"mysql://u:{quote(password, safe='')}@h:3307/d", ROOT).password == password


@given(TEXT)
def test_any_password_given_as_a_part_arrives(password: str) -> None:
    url = create_url("mysql", ROOT, username="u", password=password, host="h", database="d")

    assert url.password == password
    assert read_url(url.render_as_string(hide_password=False), ROOT) == url


@given(st.text())
def test_no_text_does_more_than_be_refused(text: str) -> None:
    for candidate in (text, f"mysql://{text}", f"mysql://u:{text}@h/d", f"sqlite:///{text}"):
        with suppress(BadURLError):
            read_url(candidate, ROOT)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("shop", "is not a database URL."),
        ("", "is not a database URL."),
        ("mysql:/u:secret@h/d", "is not a database URL."),
        ("driver://user:pass@localhost/dbname", "is still the placeholder that 'alembic init' wrote."),
        ("postgres://u:secret@h/d", "names the dialect 'postgres', which SQLAlchemy does not know."),
        ("oraclee://u:secret@h/d", "names the dialect 'oraclee', which SQLAlchemy does not know."),
        (
            "mysql+nothing://u:secret@h/d",
            "names the dialect 'mysql+nothing', which SQLAlchemy does not know.",
        ),
        ("mysql://u:secret@h:abc/d", "has a port that is no number from 1 to 65535."),
        ("mysql://u:secret@h:99999/d", "has a port that is no number from 1 to 65535."),
    ],
)
def test_a_bad_url_is_refused_without_being_shown(text: str, message: str) -> None:
    with pytest.raises(BadURLError) as caught:
        read_url(text, ROOT)

    assert caught.value.message == message
    assert caught.value.hint
    assert "secret" not in str(caught.value)


def test_the_old_name_of_postgresql_gets_the_right_one() -> None:
    with pytest.raises(BadURLError) as caught:
        read_url("postgres+asyncpg://u@h/d", ROOT)

    assert caught.value.hint == "Write postgresql+asyncpg://"


def test_the_password_of_a_broken_url_is_known_too() -> None:
    assert passwords_in("mysql://u:s%40cret@h:abc/d") == ("s%40cret", "s@cret")
    assert passwords_in("mysql://u@h/d") == ()
    assert passwords_in("sqlite:///a.db") == ()
