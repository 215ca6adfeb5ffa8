"""AX206."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_ext.checks.check import CannotTellError
from alembic_ext.checks.multiple_heads import find
from alembic_ext.findings import Finding, Safety
from alembic_ext.settings import OwnSettings, Settings
from tests.revisions import Environment


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path)


def found(environment: Environment, *heads: str) -> list[Finding]:
    settings = Settings(root=environment.root, own=OwnSettings(heads=heads))
    return list(find(environment.files(), environment.history(), settings))


def test_two_heads_get_a_merge_as_the_command(environment: Environment) -> None:
    environment.add("a")
    environment.add("b", "a", message="carts")
    environment.add("c", "a", message="users")
    (finding,) = found(environment)

    assert finding.summary == '2 heads: b "carts", c "users".'
    assert finding.next_actions[0].command == 'alembic merge b c -m "merge"'
    assert finding.repair.safety is Safety.MANUAL
    assert "would never run the other" in finding.details[0]
    assert finding.evidence["common_ancestors"] == ["a"]


def test_one_head_is_silent(environment: Environment) -> None:
    environment.add("a")
    environment.add("b", "a")

    assert found(environment) == []


def test_a_head_that_another_depends_on_is_no_effective_one(environment: Environment) -> None:
    environment.add("a")
    environment.add("x", depends_on="a")

    assert found(environment) == []


def test_heads_with_labels_of_their_own_are_meant(environment: Environment) -> None:
    environment.add("a", branch_labels="shop")
    environment.add("b", "a")
    environment.add("x", branch_labels="stock")

    assert found(environment) == []


def test_a_label_that_both_heads_inherit_tells_them_apart_no_more(environment: Environment) -> None:
    environment.add("a", branch_labels="shop")
    environment.add("b", "a")
    environment.add("c", "a")

    assert len(found(environment)) == 1


def test_listed_heads_are_meant(environment: Environment) -> None:
    environment.add("a")
    environment.add("b", "a")
    environment.add("c", "a", branch_labels="label")

    assert found(environment, "b", "label") == []
    assert len(found(environment, "a")) == 1


@pytest.mark.parametrize(
    ("name", "text", "because"),
    [
        ("x.py", "(", "AX202"),
        ("b_copy.py", "revision = 'b'\ndown_revision = 'a'\n", "AX203"),
        ("x.py", "revision = 'x'\ndown_revision = 'gone'\n", "AX204"),
        ("x.py", "revision = 'x'\ndown_revision = 'x'\n", "AX205"),
    ],
)
def test_heads_of_a_broken_history_are_not_known(
    environment: Environment, name: str, text: str, because: str
) -> None:
    """The one missing file may be what joins them."""
    environment.add("a")
    environment.add("b", "a")
    environment.add("c", "a")
    environment.write(name, text)

    with pytest.raises(CannotTellError) as raised:
        found(environment)
    assert raised.value.because == because


def test_a_docstring_that_would_join_the_heads_is_named_and_no_merge_proposed(
    environment: Environment,
) -> None:
    environment.add("a")
    environment.add("b", None, revises="a")
    (finding,) = found(environment)

    assert finding.summary == (
        '2 heads: a "a", b "b". b_.py has down_revision = None, line 16,'
        " but its docstring says that it revises 'a', line 4."
    )
    assert finding.evidence["docstring_says"] == ["a"]
    assert finding.next_actions[0].label == "set down_revision back to 'a', if the docstring is right"
    assert [action.command for action in finding.next_actions] == [None, None]
    assert finding.details == ()


@pytest.mark.parametrize("revises", ["a", "gone", "", "b, c", "anything at all"])
def test_a_docstring_that_would_join_nothing_changes_nothing(environment: Environment, revises: str) -> None:
    """``b, c`` would make a cycle of it."""
    environment.add("a")
    environment.add("b", "a", revises=revises)
    environment.add("c", "a", revises="a")
    (finding,) = found(environment)

    assert finding.evidence["docstring_says"] is None
    assert finding.next_actions[0].command == 'alembic merge b c -m "merge"'


def test_a_merge_that_lost_one_of_its_parents_is_named(environment: Environment) -> None:
    environment.add("a")
    environment.add("b", "a")
    environment.add("c", "a")
    environment.add("m", "b", revises="b, c")
    (finding,) = found(environment)

    assert finding.evidence["docstring_says"] == ["b", "c"]


def test_many_heads_are_listed_in_the_evidence_only(environment: Environment) -> None:
    environment.add("a")
    for number in range(60):
        environment.add(f"h{number:02}", "a", message="x")
    (finding,) = found(environment)

    assert finding.summary == '60 heads: h00 "x", h01 "x", h02 "x", h03 "x" and 56 more.'
    assert len(finding.evidence["heads"]) == 60
