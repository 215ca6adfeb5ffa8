from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alembic_ext.settings.variables import BadReferenceError, Variables, interpolate, read_dotenv
from tests.settings.asking import write

NAMES = st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True)
NOTHING: dict[str, str] = {}
LITERAL = st.text(st.characters(exclude_characters="$"))
DEFAULT = st.text(st.characters(exclude_characters="$}"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("${SET}", "value", id="set"),
        pytest.param("${SET:other}", "value", id="set-beats-default"),
        pytest.param("${UNSET:other}", "other", id="default"),
        pytest.param("${UNSET:-other}", "other", id="shell-default"),
        pytest.param("${EMPTY:other}", "other", id="empty-takes-default"),
        pytest.param("${EMPTY:-other}", "other", id="empty-takes-shell-default"),
        pytest.param("${UNSET:}", "", id="empty-default"),
        pytest.param("${UNSET:-}", "", id="empty-shell-default"),
        pytest.param("${UNSET:sqlite:///./a.db}", "sqlite:///./a.db", id="colons-in-default"),
        pytest.param("${UNSET:${SET}}", "value", id="nested"),
        pytest.param("${UNSET:-a ${ALSO:-b} c}", "a b c", id="nested-twice"),
        pytest.param("a ${SET} b ${SET} c", "a value b value c", id="inside-text"),
        pytest.param("$$", "$", id="dollar"),
        pytest.param("$${SET}", "${SET}", id="escaped-reference"),
        pytest.param("p$w", "p$w", id="lone-dollar"),
        pytest.param("p$", "p$", id="dollar-at-the-end"),
        pytest.param("$SET", "$SET", id="no-braces-no-reference"),
        pytest.param("${DOLLARS}", "${SET} $$", id="values-are-not-looked-into"),
        pytest.param("${UNSET:a$$b}", "a$b", id="dollar-in-default"),
    ],
)
def test_references_are_replaced(text: str, expected: str) -> None:
    values = {"SET": "value", "EMPTY": "", "DOLLARS": "${SET} $$"}

    assert interpolate(text, values.get) == (expected, ())


def test_every_missing_variable_is_named_once() -> None:
    text = "${A} ${B} ${A} ${C:x} ${D:${E}}"

    assert interpolate(text, {"B": ""}.get)[1] == ("A", "B", "E")


@pytest.mark.parametrize("text", ["${", "${A", "${}", "${1A}", "${A-b}", "${A B}", "${A:${B}", "x ${é}"])
def test_a_malformed_reference_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(BadReferenceError) as caught:
        interpolate(f"secret {text}", NOTHING.get)

    assert "secret" not in str(caught.value)


def test_absurd_nesting_is_refused() -> None:
    with pytest.raises(BadReferenceError, match="nests"):
        interpolate("${A:" * 5000 + "}" * 5000, NOTHING.get)


@given(LITERAL)
def test_text_without_dollars_is_unchanged(text: str) -> None:
    assert interpolate(text, NOTHING.get) == (text, ())


@given(st.text())
def test_doubled_dollars_come_back_as_they_were(text: str) -> None:
    assert interpolate(text.replace("$", "$$"), NOTHING.get) == (text, ())


@given(before=LITERAL, name=NAMES, value=st.text(min_size=1), after=LITERAL)
def test_a_value_arrives_whatever_it_is(before: str, name: str, value: str, after: str) -> None:
    assert interpolate(f"{before}${{{name}}}{after}", {name: value}.get) == (before + value + after, ())


@given(name=NAMES, default=DEFAULT, value=st.sampled_from([None, ""]))
def test_both_defaults_count_when_unset_or_empty(name: str, default: str, value: str | None) -> None:
    values = NOTHING if value is None else {name: value}

    assert interpolate(f"${{{name}:-{default}}}", values.get) == (default, ())
    if not default.startswith("-"):
        assert interpolate(f"${{{name}:{default}}}", values.get) == (default, ())


@given(st.text())
def test_nothing_but_a_clear_refusal_comes_of_any_text(text: str) -> None:
    with suppress(BadReferenceError):
        interpolate(text, {"A": "b"}.get)


def test_the_environment_beats_the_dotenv_file_even_when_empty(tmp_path: Path) -> None:
    dotenv = write(tmp_path / ".env", "A=file\nB=file\nC=file\n")
    variables = Variables({"A": "environment", "B": ""}, dotenv, tmp_path)

    assert [variables.get(name) for name in "ABCD"] == ["environment", "", "file", None]


def test_the_dotenv_file_does_not_change_the_environment(tmp_path: Path) -> None:
    dotenv = write(tmp_path / ".env", "ALEMBIC_EXT_TEST_ONLY=x\n")

    assert Variables(os.environ, dotenv, tmp_path).get("ALEMBIC_EXT_TEST_ONLY") == "x"
    assert "ALEMBIC_EXT_TEST_ONLY" not in os.environ


def test_a_dotenv_file_is_read_as_python_dotenv_reads_it(tmp_path: Path) -> None:
    dotenv = write(
        tmp_path / ".env",
        "\ufeff# 注释\nexport A='p%w@r:d/#é'\nB=\"two words\" # comment\nC=${A}/${X:-default}/${OUT}\nD\n",
    )

    assert read_dotenv(dotenv, tmp_path, {"OUT": "outside", "A": "environment"}) == {
        "A": "p%w@r:d/#é",
        "B": "two words",
        "C": "environment/default/outside",
    }
