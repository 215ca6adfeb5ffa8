"""AX105."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from socket import gethostname
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from alembic_ext.checks.wrong_database import find
from alembic_ext.facts.target import target_of_url
from alembic_ext.settings import DatabaseSetting, Settings, Source
from tests.checks.facts import sighting, target

YAML = Path("/project/prod.yaml")


def settings(url: str | None = None, *, named: bool = True, expect: dict[str, str] | None = None) -> Settings:
    database = None
    if url is not None:
        source = Source(kind="config-file", path=YAML, key="database", via="CONFIG_FILE")
        database = DatabaseSetting(url=make_url(url), source=source, named=named)
    return Settings(root=Path("/project"), config_file=YAML, database=database, expect=expect or {})


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("mysql+pymysql://app@db1/shop", id="the-same"),
        pytest.param("mysql+pymysql://other:secret@db1:3306/shop", id="another-account"),
        pytest.param("mariadb+pymysql://app@DB1/shop", id="the-other-name-of-the-dialect"),
    ],
)
def test_the_database_that_was_named_is_silent(url: str) -> None:
    assert list(find(settings(url), target(), sighting())) == []


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("mysql+pymysql://app@db2/shop", id="host"),
        pytest.param("mysql+pymysql://app@db1:3307/shop", id="port"),
        pytest.param("mysql+pymysql://app@db1/shop_test", id="database"),
        pytest.param("postgresql://app@db1/shop", id="product"),
    ],
)
def test_another_database_than_the_named_one_speaks(url: str) -> None:
    (finding,) = find(settings(url), target(), sighting())

    assert finding.code == "AX105"
    assert finding.summary.startswith("env.py connects to mysql app@db1/shop, but CONFIG_FILE names ")
    assert finding.location.path == YAML
    assert finding.evidence["connected"] == "mysql app@db1/shop"


def test_a_configuration_that_nobody_named_is_not_held_against_env_py() -> None:
    assert list(find(settings("mysql://app@db2/shop", named=False), target(), sighting())) == []


def test_no_configuration_is_silent() -> None:
    assert list(find(settings(), target(), sighting())) == []


def test_a_database_looked_at_by_the_settings_alone_is_silent() -> None:
    """env.py could not be asked, so it cannot have gone elsewhere."""
    assert list(find(settings("mysql://app@db2/shop"), target(), sighting(assumed=True))) == []


@pytest.mark.parametrize(
    ("expect", "differing"),
    [
        ({"host": "db1", "port": "3306", "database": "shop"}, []),
        ({"host": "DB1"}, []),
        ({"host": "db2"}, ["host"]),
        ({"port": "3307", "database": "shop"}, ["port"]),
        ({"host": "db2", "database": "other"}, ["host", "database"]),
    ],
)
def test_what_the_configuration_expects_is_held_against_the_target(
    expect: dict[str, str], differing: list[str]
) -> None:
    found = list(find(settings(expect=expect), target(), sighting()))

    assert [one.evidence["differing"] for one in found] == ([differing] if differing else [])


def test_an_expected_sqlite_file_may_be_named_by_its_name_alone() -> None:
    there = target("sqlite:////project/data/shop.db")

    assert list(find(settings(expect={"database": "shop.db"}), there, sighting())) == []
    assert len(list(find(settings(expect={"database": "other.db"}), there, sighting()))) == 1


LOCAL = "postgresql+psycopg://a@127.0.0.1:5433/shop"


def moved(connected: str, configured: str, **known: Any) -> bool:
    """Whether AX105 speaks of an engine with the first URL under a configuration with the second."""
    source = Source(kind="env-script")
    there = replace(target_of_url(make_url(connected), source, assumed=False), **known)
    return bool(list(find(settings(configured), there, sighting())))


@pytest.mark.parametrize(
    ("connected", "configured"),
    [
        ("postgresql+psycopg://a@/shop?host=127.0.0.1&port=5433", LOCAL),
        (LOCAL, "postgresql://a@/shop?host=localhost&port=5433"),
        (LOCAL, "postgresql://a@/shop?host=127.0.0.1:5433"),
        (LOCAL, "postgresql://a@/shop?host=/srv/pg&port=5433"),
        ("postgresql://a@/shop?host=/srv/pg&port=5433", "postgresql://a@/shop?host=/srv/pg&port=5433"),
        ("postgresql://a@localhost/shop", "postgresql:///shop"),
        ("postgresql://a@/shop?host=/var/run/postgresql", "postgresql:///shop"),
        (LOCAL, f"postgresql://a@{gethostname()}:5433/shop"),
        (LOCAL, "postgresql://a@[::ffff:127.0.0.1]:5433/shop"),
        (LOCAL, "postgresql://a@[::1]:5433/shop"),
        (LOCAL, "postgresql:///shop?service=prod"),
        ("postgresql://shop@h", "postgresql://shop@h"),
        ("mysql+pymysql://a@h/", "mysql+pymysql://a@h/"),
        ("mysql+pymysql://a@h/Shop", "mysql+pymysql://a@h/shop"),
        ("mysql+pymysql://a@/shop?unix_socket=/run/m.sock", "mysql+pymysql://a@localhost/shop"),
        pytest.param("postgresql+psycopg://a@/shop", "postgresql://a@db1:5433/shop", id="connect-args"),
    ],
)
def test_another_spelling_of_the_same_place_is_silent(connected: str, configured: str) -> None:
    assert not moved(connected, configured)


@pytest.mark.parametrize(
    ("connected", "configured"),
    [
        ("postgresql://a@/shop?host=db1", "postgresql://a@/shop?host=db2"),
        ("postgresql://a@/shop?host=db1&port=1", "postgresql://a@db1:2/shop"),
        ("postgresql://a@/shop?host=/srv/pg", "postgresql:///shop"),
        ("postgresql://a@/shop?host=/srv/pg", "postgresql://a@/shop?host=/srv/other"),
        ("postgresql://a@/shop?host=/srv/pg&port=5433", "postgresql://a@/shop?host=/srv/pg"),
        ("postgresql://a@db1/shop", "postgresql:///shop"),
        ("mysql+pymysql://a@/shop?unix_socket=/run/a", "mysql+pymysql://a@/shop?unix_socket=/run/b"),
        pytest.param("postgresql+psycopg://a@/shop", "postgresql://a@db1/other", id="connect-args"),
    ],
)
def test_another_place_in_the_query_speaks(connected: str, configured: str) -> None:
    assert moved(connected, configured)


def test_the_name_that_the_server_gives_counts_where_the_url_gives_none() -> None:
    assert not moved("postgresql+psycopg://", "postgresql://a@db1/shop", database="shop")
    assert moved("postgresql+psycopg://", "postgresql://a@db1/shop", database="other")


@pytest.mark.parametrize(
    ("searched", "speaks"), [("app", False), ("other,app", False), ("other", True), ("$user,other", False)]
)
def test_the_schema_that_the_configured_address_searches_is_the_one(searched: str, *, speaks: bool) -> None:
    assert moved(LOCAL, f"{LOCAL}?options=-csearch_path%3D{searched}", schema="app") is speaks


def test_an_address_that_the_url_does_not_give_is_not_held_against_expectations() -> None:
    there = target_of_url(make_url("postgresql+psycopg://a@/shop"), Source(kind="env-script"), assumed=False)
    expected = {"host": "db1", "port": "5433", "database": "shop"}

    assert list(find(settings(expect=expected), there, sighting())) == []
