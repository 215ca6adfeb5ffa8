"""Docker's rules, one line of its documentation at a time."""

from __future__ import annotations

import pytest

from alembic_ext.facts.docker_ignore import hidden_by, read_patterns


@pytest.mark.parametrize(
    ("text", "path", "hidden"),
    [
        pytest.param("alembic", "alembic/versions/a.py", True, id="a folder hides all that is in it"),
        pytest.param("alembic/", "alembic/versions/a.py", True, id="a slash at the end changes nothing"),
        pytest.param("/alembic", "alembic/versions/a.py", True, id="a slash at the start means the context"),
        pytest.param("./alembic/../alembic", "alembic/versions/a.py", True, id="paths are cleaned"),
        pytest.param("versions", "alembic/versions/a.py", False, id="unlike git: names do not match deeper"),
        pytest.param("*/versions", "alembic/versions/a.py", True, id="a star is one folder"),
        pytest.param("*/versions", "app/alembic/versions/a.py", False, id="a star is not two folders"),
        pytest.param("*.py", "alembic/versions/a.py", False, id="a star does not cross a slash"),
        pytest.param("**/*.py", "alembic/versions/a.py", True, id="two stars are any number of folders"),
        pytest.param("**/*.py", "a.py", True, id="two stars are also no folder"),
        pytest.param("**/versions", "alembic/versions/a.py", True, id="two stars and a folder"),
        pytest.param("alembic/**", "alembic/versions/a.py", True, id="two stars at the end"),
        pytest.param("alembic/**/a.py", "alembic/a.py", True, id="two stars in the middle are also nothing"),
        pytest.param(
            "alembic/version?", "alembic/versions/a.py", True, id="a question mark is one character"
        ),
        pytest.param("alembic?versions", "alembic/versions/a.py", False, id="a question mark is no slash"),
        pytest.param("alembic/[tuv]*", "alembic/versions/a.py", True, id="a set of characters"),
        pytest.param("alembic/[^v]*", "alembic/versions/a.py", False, id="all but a set of characters"),
        pytest.param(r"alembic/\*", "alembic/versions/a.py", False, id="an escaped star is a star"),
        pytest.param(r"alembic/\*", "alembic/*/a.py", True, id="an escaped star matches a star"),
        pytest.param("alembic.versions", "alembicxversions", False, id="a dot is a dot"),
        pytest.param("*\n!alembic", "alembic/versions/a.py", False, id="an exception after the rule"),
        pytest.param("!alembic\n*", "alembic/versions/a.py", True, id="an exception before the rule"),
        pytest.param(
            "*\n!alembic\nalembic/versions", "alembic/versions/a.py", True, id="the last one decides"
        ),
        pytest.param("*\n! alembic", "alembic/versions/a.py", False, id="blanks after the exclamation mark"),
        pytest.param("# alembic\n\n   \n", "alembic/versions/a.py", False, id="comments and empty lines"),
        pytest.param("\ufeffalembic\r\n", "alembic/versions/a.py", True, id="a BOM and a carriage return"),
        pytest.param("  alembic  ", "alembic/versions/a.py", True, id="blanks around a pattern"),
        pytest.param(
            "alembic/[", "alembic/versions/a.py", False, id="a set that never ends matches nothing here"
        ),
        pytest.param("alembic/[z-a]", "alembic/versions/a.py", False, id="a pattern that Docker refuses"),
        pytest.param("迁移", "迁移/versions/a.py", True, id="names that are not ASCII"),
        pytest.param(".", "alembic/versions/a.py", False, id="the context itself hides nothing"),
        pytest.param("..", "alembic/versions/a.py", False, id="a folder above hides nothing"),
    ],
)
def test_rules_are_docker_s(text: str, path: str, *, hidden: bool) -> None:
    assert (hidden_by(read_patterns(text), path) is not None) is hidden


def test_the_rule_is_named_with_its_line() -> None:
    rule = hidden_by(read_patterns("# images\n*.png\n\nalembic/versions/\n!x\n"), "alembic/versions/a.py")

    assert rule is not None
    assert (rule.line, rule.text) == (4, "alembic/versions/")
