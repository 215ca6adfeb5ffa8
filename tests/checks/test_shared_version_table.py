"""AX307."""

from __future__ import annotations

from alembic_ext.checks.shared_version_table import find
from tests.checks.facts import LINE, history, lost, place, version_table

THEIRS = lost("b111", "other-application", place("file", environment="billing"))


def test_our_row_alone_is_silent() -> None:
    assert list(find(version_table("ccc3"), history(LINE), {})) == []


def test_their_row_alone_is_silent() -> None:
    """That is AX301: nothing says that we ever were in this database."""
    assert list(find(version_table("b111"), history(LINE), THEIRS)) == []


def test_an_unknown_row_beside_ours_is_silent() -> None:
    assert list(find(version_table("ccc3", "9af31c"), history(LINE), lost("9af31c"))) == []
    assert list(find(version_table("ccc3", "ddd4"), history(LINE), lost("ddd4", "deleted", place()))) == []


def test_their_row_beside_ours_speaks() -> None:
    (finding,) = find(version_table("ccc3", "b111"), history(LINE), THEIRS)

    assert finding.code == "AX307"
    assert finding.summary == "The version table alembic_version is shared: b111 belongs to billing."
    assert finding.evidence == {"ours": ["ccc3"], "theirs": ["b111"], "environments": ["billing"]}
