from __future__ import annotations

import json

import pytest

from alembic_ext.checks import registered_checks
from alembic_ext.errors import AlembicExtError
from alembic_ext.report.explain import explain, first_line, list_checks, list_checks_as_json


def test_a_check_is_explained_by_code_and_by_slug_in_any_case() -> None:
    text = explain("AX101")

    assert text.startswith(
        "AX101 config-file-not-found   error, repair: manual\n\nWhat it does\n  Reports a "
    )
    assert "\nWhy is this bad?\n  Falling back" in text
    assert "##" not in text
    assert explain("config-file-not-found") == explain("ax101") == text


def test_an_unknown_code_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(AlembicExtError, match="No check is called 'AX000'") as caught:
        explain("AX000")
    assert caught.value.hint == "'alembic doctor --list-checks' lists them all."


@pytest.mark.parametrize("check", [pytest.param(check, id=check.code) for check in registered_checks()])
def test_every_check_explains_itself(check: object) -> None:
    (found,) = [each for each in registered_checks() if each is check]
    text = explain(found.code)

    for heading in ("What it does", "Why is this bad?", "Example", "Repair"):
        assert f"\n{heading}\n" in text
    assert first_line(found).endswith((".", "!", "?"))


def test_all_checks_are_listed_one_a_line() -> None:
    lines = list_checks().splitlines()
    listed = json.loads(list_checks_as_json())["checks"]

    assert [line[:5] for line in lines] == [check.code for check in registered_checks()]
    assert [check["code"] for check in listed] == [check.code for check in registered_checks()]
    assert listed[-1] == {
        "code": "AX901",
        "slug": "check-crashed",
        "severity": "error",
        "safety": "manual",
        "summary": "Reports a check of ours that raised.",
    }
