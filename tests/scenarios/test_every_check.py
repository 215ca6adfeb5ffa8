"""Every state, on every engine where it can occur: these codes and no other, and nothing changed by looking."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_ext.checks import registered_checks
from tests.scenarios import configuration, healthy, revision_files, version_control, version_table
from tests.scenarios.scenario import Scenario, World, cases, examine

FAMILIES = (configuration.FAMILY, revision_files.FAMILY, version_table.FAMILY, version_control.FAMILY)


@pytest.mark.parametrize(("one", "engine"), cases(configuration.FAMILY))
def test_configuration(one: Scenario, engine: str, world: World) -> None:
    examine(one, world)


@pytest.mark.parametrize(("one", "engine"), cases(revision_files.FAMILY))
def test_revision_files(one: Scenario, engine: str, world: World) -> None:
    examine(one, world)


@pytest.mark.parametrize(("one", "engine"), cases(version_table.FAMILY))
def test_version_table(one: Scenario, engine: str, world: World) -> None:
    examine(one, world)


@pytest.mark.parametrize(("one", "engine"), cases(version_control.FAMILY))
def test_version_control(one: Scenario, engine: str, world: World) -> None:
    examine(one, world)


@pytest.mark.parametrize(("one", "engine"), cases(healthy.FAMILY))
def test_nothing_is_found_where_nothing_is_wrong(one: Scenario, engine: str, world: World) -> None:
    """Every check had what it needs: a check that is skipped would be silent about anything."""
    report = examine(one, world)

    assert {check["status"] for check in report["checks"]} <= {"ok", "not-applicable"}


def test_every_check_speaks_in_a_scenario() -> None:
    spoken = {code for family in FAMILIES for one in family.scenarios for code in one.codes}

    assert spoken == {check.code for check in registered_checks()}


def test_every_case_of_a_lost_revision_occurs_in_a_scenario() -> None:
    cases_seen = {
        one.evidence["AX301"]["case"] for one in version_table.FAMILY.scenarios if "AX301" in one.evidence
    }

    assert cases_seen == {
        "database-ahead",
        "other-branch",
        "deleted",
        "never-committed",
        "damaged-id",
        "other-application",
        "wrong-location",
        "unknown",
    }


def test_every_check_has_tests_of_its_rule() -> None:
    folder = Path(__file__).parent.parent / "checks"
    files = {path.name for path in folder.glob("test_*.py")}

    assert {f"test_{check.slug.replace('-', '_')}.py" for check in registered_checks()} - files == set()
