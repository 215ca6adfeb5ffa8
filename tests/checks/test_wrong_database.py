"""AX105."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from alembic_ext.checks.wrong_database import find
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
